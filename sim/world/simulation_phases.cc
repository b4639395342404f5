// The phases of a run: when one is over, what the next one begins with, and what it may fail by.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/placement.h"
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
  const size_t administrators =
      1 + (shard_administrator_.has_value() ? 1 : 0) + membership_administrators_.size();
  CheckEq(users + administrators, size_t{world_.clients()});
  for (uint16_t i = 0; i < users; ++i) {
    workload_.Bind(i, world_.client(i));
    world_.client(i).Attach(workload_.client(i));
  }
  administrator_.Bind(world_.client(users));
  world_.client(users).Attach(administrator_);
  uint16_t next = static_cast<uint16_t>(users + 1);
  if (shard_administrator_.has_value()) {
    ClientHost& host = world_.client(next++);
    shard_administrator_->Bind(host);
    host.Attach(*shard_administrator_);
  }
  for (const auto& [group, administrator] : membership_administrators_) {
    ClientHost& host = world_.client(next++);
    administrator->Bind(host);
    host.Attach(*administrator);
  }
  world_.BootAll(climate_.unit().count());
  plan_.Start();
  for (uint16_t i = 0; i < users; ++i) workload_.client(i).Start();
  administrator_.Start();
  if (shard_administrator_.has_value()) shard_administrator_->Start();
  for (const auto& [group, administrator] : membership_administrators_) administrator->Start();
  world_.timeline().Schedule(climate_.safety_time.count(), EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kSafety));
}

void SimulationRun::Enter(Phase phase, const std::string& why) {
  phase_ = phase;
  static constexpr const char* kNames[] = {"safety",   "liveness", "convergence", "stability",
                                           "handover", "stall",    "verdict"};
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
      if (Served()) BeginConvergence();
      return;
    case Phase::kConvergence:
      if (Converged()) BeginStability();
      return;
    case Phase::kHandover:
      if (handed_over_) BeginStall();
      return;
    case Phase::kStall:
      if (StallIsNoticed()) ReachVerdict();
      return;
    case Phase::kStability:
    case Phase::kVerdict:
      return;
  }
}

void SimulationRun::OnDeadline() {
  switch (phase_) {
    case Phase::kSafety:
      return BeginLiveness();
    case Phase::kLiveness:
      if (Served()) return BeginConvergence();
      return FailLiveness("Progress", absl::StrCat("clients still wait:\n", WaitingFor()));
    case Phase::kConvergence:
      if (Converged()) return BeginStability();
      return FailLiveness(
          "Convergence",
          absl::StrCat("the servers have not come to rest: to equal positions, with every request "
                       "answered and no leader among those that are cut off or whose disks hang",
                       "\n", ShardsStillMoving(), LeadersUneven()));
    case Phase::kStability:
      return EndStability();
    case Phase::kHandover:
      return AskForSuccessor();
    case Phase::kStall:
      return OnStallPause();
    case Phase::kVerdict:
      return;
  }
}

// --- Liveness ---

bool SimulationRun::Served() const {
  const bool shards = !shard_administrator_.has_value() || shard_administrator_->Done();
  const bool members =
      std::all_of(membership_administrators_.begin(), membership_administrators_.end(),
                  [](const auto& one) { return one.second->Done(); });
  return workload_.Done() && shards && members;
}

std::string SimulationRun::WaitingFor() const {
  std::string text = workload_.WaitingFor();
  for (const auto& [group, administrator] : membership_administrators_) {
    if (administrator->Done()) continue;
    absl::StrAppend(&text, text.empty() ? "" : "\n", administrator->WaitingFor());
  }
  if (!shard_administrator_.has_value() || shard_administrator_->Done()) return text;
  return absl::StrCat(text, text.empty() ? "" : "\n", shard_administrator_->WaitingFor());
}

void SimulationRun::BeginLiveness() {
  Enter(Phase::kLiveness, workload_.Done() ? "all operations are done" : "the time is over");
  issued_ = workload_.issued();
  plan_.Stop();
  world_.schedule().End();
  administrator_.Stop();
  core_ = world_.AllServers() & ~plan_.wiped();
  AbandonMinority();
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!Contains(core_, id)) continue;
    const uint64_t delay = phase_rng_.Below(static_cast<uint64_t>(climate_.unit().count()));
    world_.server(id).BootAt(world_.timeline().now() + static_cast<int64_t>(delay));
  }
  workload_.BeginFinalRound();
  if (shard_administrator_.has_value()) shard_administrator_->BeginFinalRound();
  NameFinalMembers();
  world_.timeline().Schedule(world_.timeline().now() + LivenessBound(), EventKind::kPhase, 0,
                             static_cast<uint32_t>(Phase::kLiveness));
}

// Of the servers that work.
void SimulationRun::NameFinalMembers() {
  for (const GroupPlacement& group : climate_.groups) {
    const auto found = membership_administrators_.find(group.group);
    if (found == membership_administrators_.end()) continue;
    found->second->BeginFinalRound(core_ & plan_.quorums().members(group.group), plan_.lost());
  }
}

// In some runs a random majority of each group is left, or more; nobody repairs the others. A
// server that has lost something is none of that majority, but it must get it back from them: it
// starts anew, so that it finds whatever there is to be found.
void SimulationRun::AbandonMinority() {
  const uint64_t lost = plan_.lost();
  const uint64_t rotten = plan_.rotten();
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (Contains(rotten, id)) world_.server(id).Crash(CrashKind::kKill, kNoTime);
  }
  const Quorums& quorums = plan_.quorums();
  const uint64_t spare_count = quorums.SpareCount(lost);
  uint64_t count = 0;
  if (climate_.minority_abandoned && spare_count > 0) count = phase_rng_.Between(1, spare_count);
  while (count > 0) {
    // Groups may overlap such that fewer can be spared than if others had gone first.
    const uint64_t spare = quorums.Spare((world_.AllServers() & ~core_) | lost) & core_ & ~lost;
    if (spare == 0) return;
    const uint64_t drawn = 1 + phase_rng_.Below(world_.servers());
    const uint16_t id = static_cast<uint16_t>(drawn);
    if (!Contains(spare, id)) continue;
    --count;
    core_ &= ~One(id);
    const Abandonment how = static_cast<Abandonment>(phase_rng_.Below(kAbandonments));
    if (how == Abandonment::kCutOff) cut_off_ |= One(id);
    const bool stalled = how == Abandonment::kDiskStalled || how == Abandonment::kLogStalled ||
                         how == Abandonment::kTableStalled;
    if (stalled) stalled_ |= One(id);
    plan_.Abandon(id, how);
  }
}

// A damaged disk may not tell whether the server had been its group's only member. Nobody waits for
// one that does not start therefore: its people would replace it.
void SimulationRun::OnRefused(NodeHost& host) {
  if (phase_ == Phase::kSafety || !Contains(core_, host.id())) return;
  core_ &= ~One(host.id());
  plan_.Abandon(host.id(), Abandonment::kDead);
  NameFinalMembers();
}

// --- Stability and handover ---

void SimulationRun::BeginStability() {
  Enter(Phase::kStability, "the servers agree");
  for (const GroupPlacement& group : climate_.groups) {
    reigns_[group.group].incumbent = plan_.leaders.Of(group.group);
  }
  rest_.Begin(InternalEntries());
  constexpr int64_t kUnits = 20;
  world_.timeline().Schedule(world_.timeline().now() + kUnits * climate_.unit().count(),
                             EventKind::kPhase, 0, static_cast<uint32_t>(Phase::kStability));
  RaiseFalseAlarms();
}

// One server hears now and then that its connections to leaders broke. They did not. Nobody else in
// the group doubts the leader, or misses it because its own links are crippled: two that do may
// well replace it.
void SimulationRun::RaiseFalseAlarms() {
  Rng rng = phase_rng_.Split("false alarms");
  uint16_t doubter = 0;
  while (!Contains(core_, doubter)) {
    const uint64_t drawn = 1 + rng.Below(world_.servers());
    doubter = static_cast<uint16_t>(drawn);
  }
  for (const GroupPlacement& group : climate_.groups) {
    const uint16_t leader = plan_.leaders.Of(group.group);
    if (!Contains(Successors(group), doubter)) continue;
    if (!ShareHealthyGroupsOnly(doubter, leader)) continue;
    for (const int64_t units : {3, 7, 11, 15}) {
      world_.Hint(doubter, leader, /*up=*/false, units * climate_.unit().count());
    }
  }
}

// A connection is for all groups of its ends, whoever leads which of them.
bool SimulationRun::ShareHealthyGroupsOnly(uint16_t one, uint16_t other) {
  return std::all_of(climate_.groups.begin(), climate_.groups.end(),
                     [&](const GroupPlacement& group) {
                       const uint64_t voters = VotersOf(group);
                       const bool share = Contains(voters, one) && Contains(voters, other);
                       return !share || (voters & ~core_) == 0;
                     });
}

// Whether a heartbeat and its answer arrive before anybody is impatient, but for one in many
// thousands.
bool SimulationRun::NetworkIsPrompt() const {
  const NetworkOptions& network = climate_.world.network;
  const uint32_t doublings = network.tail.numerator > 0 ? network.tail_doublings : 0;
  const int64_t way = network.floor_max + 12 * (network.jitter_mean << doublings);
  const raft::Config& raft = climate_.node.raft;
  return (raft.heartbeat + Duration(2 * (way + climate_.world.host.turn_hold_max))) <
         raft.election_min;
}

void SimulationRun::EndStability() {
  Findings found;
  rest_.Judge(NetworkIsPrompt(), InternalEntries(), found);
  if (found.first().has_value()) {
    return FailLiveness(found.first()->property, found.first()->evidence);
  }
  Enter(Phase::kHandover, "leadership was stable");
  AskForSuccessor();
}

uint64_t SimulationRun::InternalEntries() const {
  return shards_.has_value() ? shards_->model().internal_entries() : 0;
}

uint64_t SimulationRun::Successors(const GroupPlacement& group) {
  const uint16_t leader = plan_.leaders.Of(group.group);
  return leader == 0 ? 0 : core_ & VotersOf(group) & ~One(leader);
}

// Leadership goes to the one that was asked for, sooner than an election would take: that is what
// a transfer is for. A few late messages can spoil one attempt, not all.
void SimulationRun::AskForSuccessor() {
  constexpr uint64_t kAttempts = 8;
  const auto group =
      std::find_if(climate_.groups.begin(), climate_.groups.end(),
                   [this](const GroupPlacement& placement) { return Successors(placement) != 0; });
  if (handed_over_ || group == climate_.groups.end()) return BeginStall();
  if (handovers_asked_ == kAttempts) {
    return FailLiveness("Leadership Transfer",
                        absl::StrCat("nothing went wrong, but of ", kAttempts,
                                     " transfers none succeeded within an election time-out"));
  }
  ++handovers_asked_;
  const uint64_t candidates = Successors(*group);
  successor_ = {.group = group->group};
  do {
    const uint64_t drawn = 1 + phase_rng_.Below(world_.servers());
    successor_.server = static_cast<uint16_t>(drawn);
  } while (!Contains(candidates, successor_.server));
  administrator_.Ask(successor_.group, NodeId(successor_.server));
  constexpr int64_t kUnits = 4;
  world_.timeline().Schedule(world_.timeline().now() + kUnits * climate_.unit().count(),
                             EventKind::kPhase, 0, static_cast<uint32_t>(Phase::kHandover));
}

void SimulationRun::NoteHandover(const NodeHost& host, const Note& note) {
  const int64_t now = world_.timeline().now();
  if (note.kind == NoteKind::kTransferStarted) reigns_[note.group].transfer_since = now;
  if (note.kind != NoteKind::kBecameLeader) return;
  Reign& reign = reigns_[note.group];
  if (phase_ == Phase::kStability) {
    // A sick leader is well replaced.
    if (Contains(core_, reign.incumbent)) rest_.NoteReplaced(note.group);
    reign.incumbent = host.id();
  }
  const int64_t since = reign.transfer_since;
  const bool prompt = since != kNoTime && now - since < climate_.node.raft.election_min.count();
  const bool asked_for = note.group == successor_.group && host.id() == successor_.server;
  if (phase_ == Phase::kHandover && asked_for && prompt) handed_over_ = true;
}

void SimulationRun::ReachVerdict() {
  Enter(Phase::kVerdict,
        stall_.has_value() ? "who could write nothing led nobody" : "leadership moved on request");
  checkers_.AtEnd();
  if (shard_administrator_.has_value() && options_.judges != Judges::kHistory) {
    shard_administrator_->Check(checkers_, findings_);
  }
  workload_.Check(checkers_, options_.judges, findings_);
  stopped_ = true;
}

void SimulationRun::CompareTables() {
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    if (!Contains(core_, id)) continue;
    const NodeHost& host = world_.server(id);
    for (const HostedTable& table : host.tables()) {
      ++digests_compared_;
      const uint64_t digest = host.Digest(table.group);
      if (digest == 0 && Contains(plan_.rotten(), id)) continue;  // No job has looked there yet.
      checkers_.OnTableDigest(host.node(), table.group, table.applied, digest);
    }
    if (shards_.has_value() && !Contains(plan_.rotten(), id)) CheckShardTables(host);
  }
}

// Empty: they have come to rest.
std::string SimulationRun::ShardsStillMoving() {
  // Once something is wrong, a checker's picture of the shards is too.
  if (!shards_.has_value() || ignored_.first().has_value()) return "";
  std::string text = shards_->StillMoving();
  if (text.empty()) text = MembersUnreported();
  for (uint16_t id = 1; id <= world_.servers() && text.empty(); ++id) {
    if (!Contains(core_, id) || Contains(plan_.rotten(), id)) continue;
    const NodeHost& host = world_.server(id);
    for (const HostedTable& table : host.tables()) {
      if (table.group == kControllerGroup || !text.empty()) continue;
      if (!Contains(MembersOf(PlacementOf(table.group)), id)) continue;  // It has been left behind.
      text = shards_->LeftOver(table.group, [&](ShardChecker::Visit visit) {
        Check(host.VisitTable(table.group, visit), "a healthy table cannot be read");
      });
    }
  }
  return text;
}

// --- Failure ---

std::string SimulationRun::DescribeServers() {
  std::string text;
  for (uint16_t id = 1; id <= world_.servers(); ++id) {
    const NodeHost& host = world_.server(id);
    absl::StrAppend(&text, "\nserver ", id, Contains(core_, id) ? "" : " (abandoned)", ": ",
                    host.up() ? "up" : "down", ", life ", host.incarnation(), ", storage jobs ",
                    host.lane(Lane::kLog).size(), " + ", host.lane(Lane::kTable).size(),
                    ", unanswered requests ", host.unanswered());
    for (const HostedTable& table : host.tables()) {
      absl::StrAppend(&text, ", group ", table.group.value(), " applied ",
                      table.applied.index.value(), " of term ", table.applied.term.value(),
                      plan_.leaders.Claims(table.group, id) ? " as its leader" : "");
    }
  }
  return text;
}

void SimulationRun::FailLiveness(std::string property, const std::string& what) {
  findings_.Report(
      Violation{.kind = ViolationKind::kLiveness,
                .property = std::move(property),
                .evidence = absl::StrCat(what, DescribeServers(), "\n", WaitingFor())});
  violation_event_ = event();
  stopped_ = true;
}

}  // namespace lockstep::sim
