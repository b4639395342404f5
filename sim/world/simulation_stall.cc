// The stall phase: the log of a leader hangs over a write of another group. A server has one log
// for all its groups, so the leader can never again make anything durable. It must leave office
// although nobody writes to its own group.
#include "absl/strings/str_cat.h"
#include "sim/world/simulation_run.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kUnitsBetweenWrites = 4;
constexpr uint64_t kWritesMax = 8;

}  // namespace

// A leader whose group can do without it, and another group that can write to its log.
std::optional<SimulationRun::Stall> SimulationRun::FindStall() {
  const uint64_t lost = plan_.lost();
  const uint64_t gone = (world_.AllServers() & ~core_) | lost;
  const uint64_t spare = plan_.quorums().Spare(gone) & core_ & ~lost;
  for (const GroupPlacement& led : climate_.groups) {
    const uint16_t leader = plan_.leaders.Of(led.group);
    if (leader == 0 || !Contains(spare, leader) || Successors(led) == 0) continue;
    for (const GroupPlacement& other : climate_.groups) {
      if (plan_.leaders.Of(other.group) == leader) continue;
      const uint64_t others = Successors(other) & ~One(leader);
      const bool follows = Contains(Successors(other), leader);
      if (follows && others != 0)
        return Stall{.server = leader, .writer = other.group, .successors = others};
    }
  }
  return std::nullopt;
}

// All tables that must be equal are compared first: afterwards one of them may be behind.
void SimulationRun::BeginStall() {
  CompareTables();
  stall_ = FindStall();
  if (!stall_.has_value()) return ReachVerdict();
  Enter(Phase::kStall, "leadership moved on request");
  core_ &= ~One(stall_->server);
  stalled_ |= One(stall_->server);
  plan_.Abandon(stall_->server, Abandonment::kLogStalled);
  stall_->until = world_.timeline().now() + LivenessBound();
  WriteToStalled();
}

// Whoever takes over another group has all its members write that down.
void SimulationRun::WriteToStalled() {
  NodeId successor;
  while (successor == NodeId()) {
    const uint64_t drawn = 1 + phase_rng_.Below(world_.servers());
    if (Contains(stall_->successors, static_cast<uint16_t>(drawn))) successor = NodeId(drawn);
  }
  ++stall_->writes;
  administrator_.Ask(stall_->writer, successor);
  const int64_t pause = kUnitsBetweenWrites * climate_.unit().count();
  world_.timeline().Schedule(world_.timeline().now() + pause, EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kStall));
}

bool SimulationRun::StallIsNoticed() const {
  const NodeHost& host = world_.server(stall_->server);
  return !host.lane(Lane::kLog).empty() && !LeadsInVain(host);
}

void SimulationRun::OnStallPause() {
  const bool hangs = !world_.server(stall_->server).lane(Lane::kLog).empty();
  if (!hangs && stall_->writes == kWritesMax) return ReachVerdict();
  if (world_.timeline().now() < stall_->until) return WriteToStalled();
  FailLiveness("Stalled Logs", absl::StrCat("the log of server ", stall_->server,
                                            " hangs, and it has not given up all its groups"));
}

}  // namespace lockstep::sim
