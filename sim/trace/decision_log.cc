#include "sim/trace/decision_log.h"

#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sim/faults/fault_kind.h"
#include "sim/trace/decision_log.pb.h"

namespace lockstep::sim {
namespace {

constexpr uint32_t kVersion = 1;

constexpr std::pair<Profile, proto::SimulatedProfile> kProfiles[] = {
    {Profile::kRaft, proto::PROFILE_RAFT},
    {Profile::kShard, proto::PROFILE_SHARD},
};
constexpr std::pair<Judges, proto::Judging> kJudges[] = {
    {Judges::kAll, proto::JUDGE_ALL},
    {Judges::kHistory, proto::JUDGE_HISTORY},
    {Judges::kWhiteBox, proto::JUDGE_WHITE_BOX},
};
constexpr std::pair<Schedule, proto::Scheduling> kSchedules[] = {
    {Schedule::kRandom, proto::SCHEDULE_RANDOM},
    {Schedule::kPct, proto::SCHEDULE_PCT},
};

template <class Ours, class Theirs, size_t kRows>
Theirs ToProto(const std::pair<Ours, Theirs> (&table)[kRows], Ours ours) {
  for (const auto& [mine, its] : table) {
    if (mine == ours) return its;
  }
  Check(false, "a value that the table lacks");
  return table[0].second;
}

template <class Ours, class Theirs, size_t kRows>
absl::Status FromProto(const std::pair<Ours, Theirs> (&table)[kRows], absl::string_view name,
                       Theirs theirs, Ours* ours) {
  for (const auto& [mine, its] : table) {
    if (its != theirs) continue;
    *ours = mine;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("a decision log with a ", name, " ",
                                                 static_cast<int>(theirs),
                                                 ", which this version does not know"));
}

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("a decision log that asks for ", what));
}

absl::Status ReadOptions(const proto::DecisionLog& record, RunOptions* run) {
  absl::Status known = FromProto(kProfiles, "profile", record.profile(), &run->profile);
  if (known.ok()) known = FromProto(kJudges, "judging", record.judging(), &run->judges);
  if (known.ok()) known = FromProto(kSchedules, "scheduling", record.scheduling(), &run->schedule);
  if (!known.ok()) return known;
  const bool any_number = record.nodes_min() == 0 && record.nodes_max() == 0;
  const bool ordered = record.nodes_min() >= 1 && record.nodes_min() <= record.nodes_max();
  if (!any_number && (!ordered || record.nodes_max() > kNodesMax)) {
    return Invalid(absl::StrCat(record.nodes_min(), " to ", record.nodes_max(),
                                " nodes; possible are 1 to ", kNodesMax));
  }
  if (record.time_ns() > static_cast<uint64_t>(kTimeMax.count())) {
    return Invalid(absl::StrCat(record.time_ns(), " ns; possible are ", kTimeMax.count()));
  }
  if (record.events_max() == 0) return Invalid("no events");
  absl::StatusOr<FaultSet> faults = FaultSet::Parse(record.faults());
  if (!faults.ok()) return Invalid(faults.status().message());
  run->seed = record.seed();
  run->nodes_min = record.nodes_min();
  run->nodes_max = record.nodes_max();
  run->operations = record.operations();
  run->time = Duration(static_cast<int64_t>(record.time_ns()));
  run->events_max = record.events_max();
  run->faults_allowed = *faults;
  run->all_allowed_faults_on = record.every_fault();
  return absl::OkStatus();
}

}  // namespace

std::string EncodeDecisionLog(const DecisionLog& log) {
  const RunOptions& run = log.run;
  proto::DecisionLog record;
  record.set_version(kVersion);
  record.set_seed(run.seed);
  record.set_profile(ToProto(kProfiles, run.profile));
  record.set_nodes_min(run.nodes_min);
  record.set_nodes_max(run.nodes_max);
  record.set_operations(run.operations);
  record.set_time_ns(static_cast<uint64_t>(run.time.count()));
  record.set_events_max(run.events_max);
  const bool all = run.faults_allowed == FaultSet::All();
  record.set_faults(all ? "all" : run.faults_allowed.ToString());
  record.set_every_fault(run.all_allowed_faults_on);
  record.set_scheduling(ToProto(kSchedules, run.schedule));
  record.set_judging(ToProto(kJudges, run.judges));
  record.set_hash(log.hash);
  for (const auto& [first, drawn] : log.draws) {
    if (log.draws.contains(first - kDrawStep)) continue;  // Within a stretch.
    proto::DecisionStretch& stretch = *record.add_stretches();
    stretch.set_place(first);
    auto draw = log.draws.find(first);
    for (uint64_t place = first; draw != log.draws.end(); draw = log.draws.find(place)) {
      stretch.add_draws(draw->second);
      place += kDrawStep;
    }
  }
  return record.SerializeAsString();
}

absl::StatusOr<DecisionLog> DecodeDecisionLog(absl::string_view bytes) {
  proto::DecisionLog record;
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()) ||
      !record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError("no decision log, or a damaged one");
  }
  if (record.version() != kVersion) {
    return absl::InvalidArgumentError(absl::StrCat("no decision log, or one of version ",
                                                   record.version(), "; known is ", kVersion));
  }
  DecisionLog log;
  const absl::Status status = ReadOptions(record, &log.run);
  if (!status.ok()) return status;
  for (const proto::DecisionStretch& stretch : record.stretches()) {
    uint64_t place = stretch.place();
    for (const uint64_t drawn : stretch.draws()) {
      log.draws[place] = drawn;
      place += kDrawStep;
    }
  }
  log.hash = record.hash();
  return log;
}

uint64_t DecisionTape::Draw(uint64_t place, uint64_t drawn) {
  if (played_ != nullptr) {
    const auto decided = played_->find(place);
    if (decided != played_->end()) drawn = decided->second;
  }
  if (recorded_ != nullptr) (*recorded_)[place] = drawn;
  return drawn;
}

}  // namespace lockstep::sim
