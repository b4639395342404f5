// A run can be had again from the log of its decisions alone.
#include "sim/trace/decision_log.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "sim/trace/decision_log.pb.h"

namespace lockstep::sim {
namespace {

RunOptions Short(Profile profile, uint64_t seed) {
  RunOptions run;
  run.seed = seed;
  run.profile = profile;
  run.operations = 20;
  return run;
}

DecisionLog Record(RunOptions run) {
  DecisionLog log{.run = run, .draws = {}, .hash = {}};
  DecisionTape tape(nullptr, &log.draws);
  run.tape = &tape;
  log.hash = sim::Run(run).hash;
  return log;
}

std::string HashOf(const DecisionLog& log) {
  DecisionTape tape(&log.draws, nullptr);
  RunOptions run = log.run;
  run.tape = &tape;
  return sim::Run(run).hash;
}

DecisionLog Reread(const DecisionLog& log) {
  absl::StatusOr<DecisionLog> read = DecodeDecisionLog(EncodeDecisionLog(log));
  EXPECT_TRUE(read.ok()) << read.status();
  return *std::move(read);
}

TEST(DecisionLog, RecordingDisturbsNothing) {
  for (const Profile profile : {Profile::kRaft, Profile::kShard}) {
    const RunOptions run = Short(profile, 4);
    EXPECT_EQ(Record(run).hash, sim::Run(run).hash);
  }
}

// Every draw is in it: with another seed the log still gives the same run.
TEST(DecisionLog, IsARunWhateverTheSeed) {
  for (const Profile profile : {Profile::kRaft, Profile::kShard}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      DecisionLog log = Reread(Record(Short(profile, seed)));
      log.run.seed = 1000 + seed;
      EXPECT_EQ(HashOf(log), log.hash) << "seed " << seed;
      log.draws.clear();
      EXPECT_NE(HashOf(log), log.hash) << "seed " << seed;
    }
  }
}

// What it does not say comes from the seed, so one decision is a log too.
TEST(DecisionLog, MayHoldAFewDecisions) {
  const DecisionLog whole = Record(Short(Profile::kRaft, 7));
  DecisionLog few{.run = whole.run, .draws = {}, .hash = {}};
  EXPECT_EQ(HashOf(few), whole.hash);
  size_t differ = 0;
  for (size_t i = 0; i < 40; ++i) {
    const auto draw = std::next(whole.draws.begin(), static_cast<ptrdiff_t>(i));
    few.draws = {{draw->first, ~draw->second}};
    const std::string hash = HashOf(Reread(few));
    EXPECT_EQ(HashOf(few), hash);
    if (hash != whole.hash) ++differ;
  }
  EXPECT_GT(differ, 10u);
}

TEST(DecisionLog, KeepsWhatWasAskedFor) {
  DecisionLog log;
  log.run.seed = UINT64_MAX;
  log.run.profile = Profile::kShard;
  log.run.nodes_min = 2;
  log.run.nodes_max = 9;
  log.run.operations = 77;
  log.run.time = std::chrono::milliseconds(123);
  log.run.events_max = 5;
  log.run.faults_allowed = *FaultSet::Parse("crash,loss");
  log.run.all_allowed_faults_on = true;
  log.run.schedule = Schedule::kPct;
  log.run.judges = Judges::kHistory;
  log.hash = "abc";
  const DecisionLog read = Reread(log);
  EXPECT_EQ(read.run.seed, log.run.seed);
  EXPECT_EQ(read.run.profile, log.run.profile);
  EXPECT_EQ(read.run.nodes_min, 2u);
  EXPECT_EQ(read.run.nodes_max, 9u);
  EXPECT_EQ(read.run.operations, 77u);
  EXPECT_EQ(read.run.time, log.run.time);
  EXPECT_EQ(read.run.events_max, 5u);
  EXPECT_EQ(read.run.faults_allowed, log.run.faults_allowed);
  EXPECT_TRUE(read.run.all_allowed_faults_on);
  EXPECT_EQ(read.run.schedule, Schedule::kPct);
  EXPECT_EQ(read.run.judges, Judges::kHistory);
  EXPECT_EQ(read.hash, "abc");
}

TEST(DecisionLog, RefusesWhatNoRunCanBe) {
  struct Row {
    const char* name;
    void (*spoil)(proto::DecisionLog& record);
    const char* message;
  };
  const Row rows[] = {
      {"nothing", [](auto& record) { record.Clear(); }, "version 0"},
      {"version", [](auto& record) { record.set_version(2); }, "version 2; known is 1"},
      {"nodes", [](auto& record) { record.set_nodes_max(16); }, "1 to 16 nodes"},
      {"no nodes", [](auto& record) { record.set_nodes_min(0); }, "0 to 3 nodes"},
      {"order", [](auto& record) { record.set_nodes_min(4); }, "4 to 3 nodes"},
      {"time", [](auto& record) { record.set_time_ns(UINT64_MAX); }, "ns; possible are"},
      {"events", [](auto& record) { record.set_events_max(0); }, "no events"},
      {"faults", [](auto& record) { record.set_faults("rain"); }, "rain"},
      {"profile", [](auto& record) { record.set_profile(static_cast<proto::SimulatedProfile>(9)); },
       "profile 9"},
      {"scheduling", [](auto& record) { record.set_scheduling(static_cast<proto::Scheduling>(9)); },
       "scheduling 9"},
      {"judging", [](auto& record) { record.set_judging(static_cast<proto::Judging>(9)); },
       "judging 9"},
  };
  DecisionLog log;
  log.run.nodes_min = 1;
  log.run.nodes_max = 3;
  for (const Row& row : rows) {
    proto::DecisionLog record;
    ASSERT_TRUE(record.ParseFromString(EncodeDecisionLog(log)));
    row.spoil(record);
    const absl::Status status = DecodeDecisionLog(record.SerializeAsString()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.name;
    EXPECT_TRUE(absl::StrContains(status.message(), row.message)) << row.name << ": " << status;
  }
  EXPECT_FALSE(DecodeDecisionLog("no log at all").ok());
}

}  // namespace
}  // namespace lockstep::sim
