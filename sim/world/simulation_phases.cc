// The phases of a run: when one is over, what the next one begins with, and what it may fail by.
#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/client/options.h"
#include "sim/world/simulation_run.h"

namespace lockstep::sim {

void SimulationRun::Start() {
  if (world_.tracer().on()) {
    const std::string climate = Describe(climate_);
    for (const absl::string_view line : absl::StrSplit(climate, '\n')) {
      world_.tracer().Add(TraceKind::kRun, 0, 0, [&] { return std::string(line); });
    }
  }
  const uint16_t users = static_cast<uint16_t>(workload_.clients());
  CheckEq(users + 1, world_.clients());
  for (uint16_t i = 0; i < users; ++i) {
    workload_.Bind(i, world_.client(i));
    world_.client(i).Attach(workload_.client(i));
  }
  administrator_.Bind(world_.client(users));
  world_.client(users).Attach(administrator_);
  world_.BootAll(climate_.unit().count());
  plan_.Start();
  for (uint16_t i = 0; i < users; ++i) workload_.client(i).Start();
  administrator_.Start();
  world_.timeline().Schedule(climate_.safety_time.count(), EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kSafety));
}

void SimulationRun::Enter(Phase phase, const std::string& why) {
  phase_ = phase;
  static constexpr const char* kNames[] = {"safety", "liveness", "convergence", "verdict"};
  world_.timeline().hash().Add(static_cast<uint64_t>(phase));
  world_.tracer().Add(TraceKind::kRun, 0, 0, [&] {
    return absl::StrCat("phase ", kNames[static_cast<size_t>(phase)], ": ", why);
  });
}

void SimulationRun::CheckPhase() {
  switch (phase_) {
    case Phase::kSafety:
      if (workload_.Done()) BeginLiveness();
      return;
    case Phase::kLiveness:
      if (workload_.Done()) BeginConvergence();
      return;
    case Phase::kConvergence:
      if (Converged()) ReachVerdict();
      return;
    case Phase::kVerdict:
      return;
  }
}

void SimulationRun::OnDeadline() {
  switch (phase_) {
    case Phase::kSafety:
      return BeginLiveness();
    case Phase::kLiveness:
      if (workload_.Done()) return BeginConvergence();
      return FailLiveness("Progress",
                          absl::StrCat("clients still wait:\n", workload_.WaitingFor()));
    case Phase::kConvergence:
      if (Converged()) return ReachVerdict();
      return FailLiveness("Convergence", "the servers have not come to equal positions");
    case Phase::kVerdict:
      return;
  }
}

// --- Liveness ---

// Time enough for elections to fail a few times, for clients to try every server, for the
// stragglers to catch up, and for every operation one by one; yet finite.
int64_t SimulationRun::LivenessBound() const {
  const WorkloadOptions& workload = climate_.workload;
  const HostOptions& host = climate_.world.host;
  const auto slowest = [](const Latency& latency) {
    return latency.floor + 3 * (latency.mean << latency.tail_doublings);
  };
  const int64_t unit = climate_.unit().count();
  const int64_t client = workload.attempt_timeout.count() + workload.backoff_max.count();
  const int64_t round = 4 * world_.network().SlowestOrdinary() + 2 * slowest(host.log_latency) +
                        4 * slowest(host.table_latency);
  const int64_t operations = int64_t{workload.clients} * workload.processes * (workload.keys + 4);
  const int64_t patience = 2 * (workload.attempt_timeout.count() << client::kPatienceDoublingsMax);
  return patience + 60 * (unit + client) + workload.deadline_max.count() + operations * 4 * round;
}

void SimulationRun::BeginLiveness() {
  Enter(Phase::kLiveness, workload_.Done() ? "all operations are done" : "the time is over");
  issued_ = workload_.issued();
  plan_.Stop();
  administrator_.Stop();
  core_ = world_.AllServers();
  if (climate_.minority_abandoned) AbandonMinority();
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!Contains(core_, id)) continue;
    const uint64_t delay = phase_rng_.Below(static_cast<uint64_t>(climate_.unit().count()));
    world_.server(id).BootAt(world_.timeline().now() + static_cast<int64_t>(delay));
  }
  workload_.BeginFinalRound();
  world_.timeline().Schedule(world_.timeline().now() + LivenessBound(), EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kLiveness));
}

// A random majority is left, or more; each of the others is dead for ever or cut off for ever.
void SimulationRun::AbandonMinority() {
  const uint64_t spare = (world_.servers() - 1u) / 2;
  if (spare == 0) return;
  uint64_t count = phase_rng_.Between(1, spare);
  uint64_t abandoned = 0;
  uint64_t cut = 0;
  while (count > 0) {
    const uint64_t drawn = 1 + phase_rng_.Below(world_.servers());
    const uint16_t id = static_cast<uint16_t>(drawn);
    if (Contains(abandoned, id)) continue;
    --count;
    abandoned |= One(id);
    if (phase_rng_.Chance({1, 2})) cut |= One(id);
  }
  core_ &= ~abandoned;
  plan_.Abandon(abandoned, cut);
}

// --- Convergence ---

void SimulationRun::BeginConvergence() {
  Enter(Phase::kConvergence, "every client was served");
  world_.timeline().Schedule(world_.timeline().now() + LivenessBound(), EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kConvergence));
}

bool SimulationRun::Converged() {
  std::optional<LogPosition> position;
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!Contains(core_, id)) continue;
    const NodeHost& host = world_.server(id);
    if (!host.up()) return false;
    if (!host.lane(Lane::kLog).empty() || !host.lane(Lane::kTable).empty()) return false;
    if (!position.has_value()) position = host.applied();
    if (host.applied() != *position) return false;
  }
  return true;
}

void SimulationRun::ReachVerdict() {
  Enter(Phase::kVerdict, "the servers agree");
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!Contains(core_, id)) continue;
    const NodeHost& host = world_.server(id);
    ++digests_compared_;
    checkers_.OnTableDigest(host.node(), host.group(), host.applied(), host.Digest(host.group()));
  }
  checkers_.AtEnd();
  workload_.Check(checkers_, options_.judges, findings_);
  stopped_ = true;
}

// --- Failure ---

std::string SimulationRun::DescribeServers() {
  std::string text;
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    const NodeHost& host = world_.server(id);
    absl::StrAppend(&text, "\nserver ", id, Contains(core_, id) ? "" : " (abandoned)", ": ",
                    host.up() ? "up" : "down", ", life ", host.incarnation(), ", applied ",
                    host.applied().index.value(), " of term ", host.applied().term.value(),
                    ", storage jobs ", host.lane(Lane::kLog).size(), " + ",
                    host.lane(Lane::kTable).size(), id == plan_.leader ? ", leader" : "");
  }
  return text;
}

void SimulationRun::FailLiveness(std::string property, const std::string& what) {
  findings_.Report(
      Violation{.kind = ViolationKind::kLiveness,
                .property = std::move(property),
                .evidence = absl::StrCat(what, DescribeServers(), "\n", workload_.WaitingFor())});
  violation_event_ = event();
  stopped_ = true;
}

}  // namespace lockstep::sim
