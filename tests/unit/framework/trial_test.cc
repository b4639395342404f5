// Trials: reproducible, bounded, and honest about what they find.
#include "sim/framework/trial.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "sim/framework/log_storage.h"
#include "tests/examples/primary_backup/store_system.h"
#include "tests/unit/framework/child.h"
#include "tests/unit/framework/counting_system.h"

namespace lockstep::sim {
namespace {

using examples::Mistake;
using examples::StoreSystem;

RunReport RunStore(uint64_t seed, TraceSink* trace = nullptr, Mistake mistake = Mistake::kNone) {
  StoreSystem system(mistake);
  return RunTrial({.seed = seed, .servers = 2, .clients = 3, .trace = trace}, system);
}

class Lines final : public TraceSink {
 public:
  void Add(const TraceEvent& event) override { lines.push_back(FormatTraceEvent(event)); }
  std::vector<std::string> lines;
};

TEST(Trial, SameSeedSameRunAndTracingChangesNothing) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Lines lines;
    const RunReport one = RunStore(seed);
    const RunReport two = RunStore(seed, &lines);
    EXPECT_EQ(one.hash, two.hash) << "seed " << seed;
    EXPECT_EQ(one.events, two.events);
    EXPECT_EQ(one.counters.values, two.counters.values);
    EXPECT_GT(lines.lines.size(), one.events / 2);
  }
  EXPECT_NE(RunStore(1).hash, RunStore(2).hash);
  EXPECT_NE(RunStore(1).climate, RunStore(2).climate);
}

TEST(Trial, AnotherProcessRunsTheSame) {
  const std::string output = RunChild("Trial").output;
  std::vector<std::string> hashes;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(output, '\n'))) {
    if (absl::StartsWith(line, "hash ")) hashes.push_back(line.substr(5));
  }
  ASSERT_EQ(hashes.size(), 3u) << output;
  for (uint64_t seed = 1; seed <= 3; ++seed) EXPECT_EQ(hashes[seed - 1], RunStore(seed).hash);
}

TEST(Trial, AFailureTellsItsStory) {
  const ChildResult result = RunChild("TrialFails");
  EXPECT_EQ(result.exit_code, 1);
  for (const char* part : {"Acknowledged Means On Both violated: seed ", "climate", "trace",
                           "VIOLATION of", "LOCKSTEP_SEED="}) {
    EXPECT_TRUE(absl::StrContains(result.output, part)) << part << " in " << result.output;
  }
}

TEST(Trial, LivesAreSeenAndInvariantsCheckedAfterEveryEvent) {
  CountingSystem system;
  const RunReport report = RunTrial({.servers = 3, .clients = 2, .all_faults_on = true}, system);
  EXPECT_FALSE(report.violation.has_value()) << Describe(report);
  EXPECT_EQ(system.checks, report.events);
  EXPECT_GT(system.lives, 3u) << "nobody crashed";
  EXPECT_GT(system.down_seen, 0u);
  EXPECT_EQ(system.ends, 1u);
}

TEST(Trial, TheFirstFindingEndsTheRun) {
  CountingSystem system;
  system.fail_at = 100;
  const RunReport report = RunTrial({.servers = 3, .clients = 2}, system);
  ASSERT_TRUE(report.violation.has_value());
  EXPECT_EQ(report.violation->property, "Never A Hundred");
  EXPECT_EQ(report.violation->kind, ViolationKind::kSafety);
  EXPECT_EQ(report.violation_event, 100u);
  EXPECT_EQ(report.events, 100u);
  EXPECT_EQ(system.ends, 0u);
}

TEST(Trial, WhatNeverComesIsAViolationOfLiveness) {
  CountingSystem system;
  system.waiting = "a sign";
  const RunReport report =
      RunTrial({.servers = 3, .clients = 1, .calm_max = std::chrono::seconds(3)}, system);
  ASSERT_TRUE(report.violation.has_value());
  EXPECT_EQ(report.violation->kind, ViolationKind::kLiveness);
  EXPECT_EQ(report.violation->property, "Progress");
  EXPECT_TRUE(absl::StrContains(report.violation->evidence, "waits for a sign"));
}

TEST(Trial, AClientThatIsNotServedIsAViolationOfLiveness) {
  CountingSystem system;
  system.mute = true;
  const RunReport report = RunTrial({.servers = 3, .clients = 1}, system);
  ASSERT_TRUE(report.violation.has_value());
  EXPECT_EQ(report.violation->property, "Progress");
  EXPECT_TRUE(absl::StrContains(report.violation->evidence, "client 0 waits for"))
      << report.violation->evidence;
}

TEST(Trial, TooManyEventsAreALivelock) {
  CountingSystem system;
  const RunReport report = RunTrial({.servers = 3, .clients = 2, .events_max = 150}, system);
  ASSERT_TRUE(report.violation.has_value());
  EXPECT_EQ(report.violation->property, "Event Budget");
  EXPECT_EQ(report.events, 150u);
}

TEST(Trial, StopsAfterTheEventAskedFor) {
  CountingSystem system;
  const RunReport report = RunTrial({.servers = 3, .clients = 2, .stop_after_event = 42}, system);
  EXPECT_FALSE(report.violation.has_value());
  EXPECT_EQ(report.events, 42u);
}

TEST(Trial, WithoutFaultsNothingIsDisturbed) {
  CountingSystem system;
  const RunReport report =
      RunTrial({.servers = 3, .clients = 2, .faults = FaultSet::None()}, system);
  EXPECT_FALSE(report.violation.has_value());
  EXPECT_EQ(system.lives, 3u);
}

// In some calms a server is lost for ever, never more than may be.
TEST(Trial, ServersAreLostWhereTheSystemPromisesToGoOn) {
  uint64_t lost = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    CountingSystem system;
    const RunReport report =
        RunTrial({.seed = seed, .servers = 3, .clients = 2, .survivors_min = 2}, system);
    ASSERT_FALSE(report.violation.has_value()) << Describe(report);
    EXPECT_LE(system.down_at_end, 1u) << "seed " << seed;
    lost += system.down_at_end;
  }
  EXPECT_GT(lost, 0u);
}

TEST(Trial, GeneralFaultsAllHaveAnEffect) {
  Counters sum;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CountingSystem system;
    sum.Add(RunTrial({.seed = seed, .servers = 4, .clients = 9}, system).counters);
  }
  for (const auto& [name, count] : sum.values) {
    if (!absl::StartsWith(name, "effective ")) continue;
    const FaultKind kind = *FaultNamed(name.substr(10));
    EXPECT_EQ(count > 0, GeneralFaults().contains(kind)) << name;
  }
}

TEST(TrialDeathTest, RefusesOptionsOutOfBounds) {
  CountingSystem system;
  EXPECT_DEATH(RunTrial({.servers = 0}, system), "servers is not 1 to 60");
  EXPECT_DEATH(RunTrial({.servers = 61}, system), "servers is not 1 to 60");
  EXPECT_DEATH(RunTrial({.unit = Duration(0)}, system), "unit is not above zero");
  EXPECT_DEATH(RunTrial({.servers = 3, .survivors_min = 4}, system), "check failed");
}

class LooksForAnother final : public CountingSystem {
 public:
  void CheckInvariants(const Servers& servers, Findings&) override {
    servers.Live<examples::Primary>(NodeId(1));
  }
};

TEST(TrialDeathTest, ServersAreTyped) {
  LooksForAnother system;
  EXPECT_DEATH(RunTrial({}, system), "another type of process");
}

}  // namespace
}  // namespace lockstep::sim
