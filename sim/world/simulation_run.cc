#include "sim/world/simulation_run.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "sim/world/describe.h"
#include "sim/world/world_counters.h"

namespace lockstep::sim {
namespace {

std::vector<GroupId> GroupsOf(const Climate& climate) {
  std::vector<GroupId> groups;
  for (const GroupPlacement& placement : climate.groups) groups.push_back(placement.group);
  return groups;
}

std::optional<gateway::GatewayOptions> GatewayFor(const Climate& climate) {
  if (!climate.sharded.has_value()) return std::nullopt;
  return climate.sharded->gateway;
}

std::vector<NodeId> ServersOf(const Climate& climate) {
  std::vector<NodeId> servers;
  for (uint64_t id = 1; id <= climate.world.servers; ++id) servers.emplace_back(id);
  return servers;
}

std::optional<ShardChecker> ShardCheckerFor(const Climate& climate, Findings& findings) {
  if (!climate.sharded.has_value()) return std::nullopt;
  return std::make_optional<ShardChecker>(findings, climate.node.controller,
                                          climate.node.kv.sessions_max);
}

}  // namespace

SimulationRun::SimulationRun(const RunOptions& options, const Climate& climate, const Rng& root)
    : options_(options),
      climate_(climate),
      shards_(ShardCheckerFor(climate, options.judges == Judges::kHistory ? ignored_ : findings_)),
      checkers_(options.judges == Judges::kHistory ? ignored_ : findings_,
                climate.node.kv.sessions_max, shards_.has_value() ? &*shards_ : nullptr),
      forwarding_(options.judges == Judges::kHistory ? ignored_ : findings_),
      space_(climate.node.space),
      software_(climate.node, climate.engine, climate.groups, GatewayFor(climate)),
      world_(climate.world, software_, *this, root, options.trace),
      plan_(climate.faults, world_, QuorumsOf(climate.groups), root.Split("faults")),
      aimed_(climate.faults, plan_, world_, root.Split("aimed faults")),
      workload_(climate.workload,
                {.nodes = climate.groups.front().members,
                 .group = climate.groups.front().group,
                 .sharded = climate.sharded.has_value(),
                 .servers = ServersOf(climate),
                 .space_hard_limit = climate.node.space.hard_bytes > 0,
                 .newest_version = [this](uint32_t shard) { return NewestVersion(shard); }},
                root.Split("workload")),
      administrator_(climate.transfer_gap, climate.world.servers, GroupsOf(climate),
                     root.Split("administrator")),
      phase_rng_(root.Split("phases")),
      digest_rng_(root.Split("digests")) {
  if (shards_.has_value()) {
    MembersOfId members = [this](GroupId group, Index id) {
      return checkers_.MembersCommittedAs(group, id);
    };
    if (!climate.changes.has_value()) members = nullptr;
    shard_administrator_.emplace(climate.sharded->administration, std::move(members),
                                 shards_->mirror(), findings_, root.Split("shard administrator"));
  }
  if (options.states != nullptr) {
    abstract_.emplace(*options.states, shards_.has_value() ? &shards_->model() : nullptr);
  }
  plan_.damaged = [this](uint16_t server) {
    if (!ignored_.first().has_value()) checkers_.OnDamage(NodeId(server));
  };
  // Who fetches shards, or asks for the controllers, finds groups through those who were in them:
  // they are not taken away while somebody may have to ask them (docs/decisions/0021).
  plan_.may_wipe = [this] { return ShardsStillMoving().empty(); };
  if (climate.changes.has_value()) {
    const Rng administrators = root.Split("membership administrator");
    for (const GroupPlacement& group : climate.groups) Administer(group, administrators);
  }
  plan_.leader_isolated = [this](int64_t until, uint64_t company) {
    if (phase_ != Phase::kSafety) return;
    std::vector<NodeId> cut_off;
    for (; company != 0; company &= company - 1) cut_off.emplace_back(std::countr_zero(company));
    workload_.Hurry(Instant(Duration(until)), climate_.unit() / 16, cut_off);
  };
}

void SimulationRun::Administer(const GroupPlacement& placement, const Rng& administrators) {
  const GroupId group = placement.group;
  uint64_t servers = 0;
  for (const NodeId member : placement.members) {
    servers |= One(static_cast<uint16_t>(member.value()));
  }
  const bool only = climate_.groups.size() == 1;
  checkers_.DeclareMembers(group, placement.Beginning());
  membership_administrators_[group] = std::make_unique<MembershipAdministrator>(
      *climate_.changes, group, climate_.world.servers,
      [this, servers] { return servers & ~plan_.lost(); },
      only ? administrators : administrators.Split("of group", group.value()));
  plan_.Follow(group, [this, group] { return DecidingSets(group); });
}

void SimulationRun::Go() {
  Start();
  constexpr uint64_t kEventsBetweenLooks = 32;
  while (!stopped_) {
    const World::Stepped stepped = world_.Step();
    if (stepped == World::Stepped::kVoid) continue;
    if (findings_.first().has_value()) {
      violation_event_ = event();
      break;
    }
    if (stepped == World::Stepped::kEmpty) {
      FailLiveness("Nothing Can Happen", "no event can ever fire");
      continue;
    }
    if (event() % kEventsBetweenLooks == 0) CheckPhase();
    if (event() >= options_.trace_until_event) break;
    if (event() >= options_.events_max) {
      FailLiveness("Event Budget", absl::StrCat("more than ", options_.events_max, " events"));
    }
  }
  TraceFaults();
  if (options_.history != nullptr) *options_.history = workload_.History();
  if (!findings_.first().has_value()) return;
  if (violation_event_ == 0) violation_event_ = event();
  world_.tracer().Add(TraceKind::kRun, 0, 0, [&] {
    return absl::StrCat("VIOLATION of ", findings_.first()->property, ": ",
                        findings_.first()->evidence);
  });
}

void SimulationRun::TraceFaults() {
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    const FaultCounts& counts = world_.ledger().counts(kind);
    if (counts.attempted == 0) continue;
    world_.tracer().Add(TraceKind::kRun, 0, 0, [&] {
      return absl::StrCat("faults of kind ", FaultName(kind), ": ", counts.attempted,
                          " attempted, ", counts.applied, " applied, ", counts.effective,
                          " had an effect, ", counts.healed, " healed");
    });
  }
}

// --- WorldObserver ---

void SimulationRun::OnWorldEvent(const Event& event) {
  switch (event.kind) {
    case EventKind::kFault:
    case EventKind::kFaultEdge:
      return plan_.OnEvent(event);
    case EventKind::kStrike:
      return aimed_.OnEvent(event);
    case EventKind::kPhase:
      if (event.payload == static_cast<uint32_t>(phase_)) OnDeadline();
      return;
    default:
      Check(false, "an event of a server without one");
  }
}

void SimulationRun::OnNote(NodeHost& host, const Note& note) {
  world_.tracer().Add(TraceKind::kNote, host.id(), 0, [&] { return DescribeNote(note); });
  // Once something is wrong, a checker's picture of the cluster is too.
  if (!ignored_.first().has_value()) {
    checkers_.OnNote(world_.timeline().instant(), host.node(), note);
  }
  switch (note.kind) {
    case NoteKind::kBecameLeader:
      plan_.leaders.Elected(note.group, host.id());
      if (std::exchange(reigns_[note.group].last_leader, host.id()) != host.id()) {
        ++leader_changes_;
      }
      break;
    case NoteKind::kBecameFollower:
      plan_.leaders.SteppedDown(note.group, host.id());
      break;
    case NoteKind::kTransferStarted:
      ++transfers_;
      break;
    case NoteKind::kMalformed:
      ++malformed_;
      break;
    default:
      break;
  }
  if (abstract_.has_value()) abstract_->OnNote(host.node(), note);
  const bool leads = plan_.leaders.Claims(note.group, host.id());
  space_.OnNote(host.node(), host.turn(), leads, note,
                options_.judges == Judges::kHistory ? ignored_ : findings_);
  plan_.OnNote(host.id(), note);
  aimed_.OnNote(host, note);
  if (phase_ >= Phase::kStability) NoteHandover(host, note);
}

void SimulationRun::OnMeasured(NodeHost& host, uint64_t free_bytes) {
  space_.OnMeasured(host.node(), host.turn(), free_bytes);
  if (free_bytes < climate_.node.space.soft_bytes) world_.ledger().Effect(host.filled_by());
}

void SimulationRun::OnRequest(NodeHost& host, RequestId id) {
  if (!ignored_.first().has_value()) checkers_.OnRequest(host.node(), id);
}

void SimulationRun::OnSent(NodeHost& host, NodeId to, const Bytes& message) {
  if (climate_.sharded.has_value()) forwarding_.OnSent(host.node(), to, message);
}

void SimulationRun::OnSubmitted(NodeHost& host, const StorageJob& job) {
  aimed_.OnSubmitted(host, job);
}

Interference SimulationRun::BeforeStorage(NodeHost& host, const StorageJob& job) {
  return aimed_.BeforeStorage(host, job);
}

void SimulationRun::OnStored(NodeHost& host, const StorageJob& job, const StorageResult& result) {
  if (std::holds_alternative<WriteSnapshot>(job)) ++snapshot_chunks_;
  if (const QueryTable* query = std::get_if<QueryTable>(&job)) queries_ += query->items.size();
  const ApplyDone* applied = std::get_if<ApplyDone>(&result);
  if (applied == nullptr || climate_.digest_every == 0) return;
  // Replicas seldom stop at the same index by chance, so the sample is of indexes.
  const uint64_t sample = Mix64(applied->applied.index.value() ^ options_.seed);
  if (sample % climate_.digest_every != 0) return;
  const uint64_t digest = host.Digest(applied->group);
  // A rotten table may be unreadable where no job has looked yet.
  if (digest == 0 && Contains(plan_.rotten(), host.id())) return;
  ++digests_compared_;
  checkers_.OnTableDigest(host.node(), applied->group, applied->applied, digest);
}

Interference SimulationRun::BeforeBoot(NodeHost& host) {
  ++boots_;
  return aimed_.BeforeBoot(host);
}

void SimulationRun::OnCrashed(NodeHost& host) {
  ++crashes_;
  if (host.writing()) ++crashes_in_writes_;
  plan_.leaders.Crashed(host.id());
  if (abstract_.has_value()) abstract_->OnCrash(host.node());
  if (!ignored_.first().has_value()) {
    checkers_.OnCrash(world_.timeline().instant(), host.node());
  }
}

void SimulationRun::OnBroken(NodeHost&, std::string property, std::string evidence) {
  findings_.Report(std::move(property), std::move(evidence));
}

Index SimulationRun::NewestVersion(uint32_t shard) const {
  return shards_.has_value() ? shards_->model().NewestVersion(shard) : Index();
}

// --- Report ---

RunReport SimulationRun::Report() const {
  RunReport report;
  report.seed = options_.seed;
  report.hash = world_.timeline().hash().ToString();
  report.events = world_.timeline().number();
  report.virtual_time = Duration(world_.timeline().now());
  report.nodes = climate_.world.servers;
  const uint64_t issued = phase_ == Phase::kSafety ? workload_.issued() : issued_;
  report.operations = static_cast<uint32_t>(issued);
  checkers_.AppendCounters(&report.counters);
  workload_.AppendCounters(&report.counters);
  if (shards_.has_value()) {
    shards_->AppendCounters(&report.counters);
    shard_administrator_->AppendCounters(&report.counters);
    report.counters.values.emplace_back("requests forwarded and answered", forwarding_.answered());
  }
  MembershipCounters changes;
  for (const auto& [group, one] : membership_administrators_) one->AddTo(&changes);
  if (!membership_administrators_.empty()) AppendCounters(changes, &report.counters);
  AppendWorldCounters(&report.counters);
  report.climate = Describe(climate_);
  report.violation = findings_.first();
  report.violation_event = violation_event_;
  return report;
}

void SimulationRun::AppendWorldCounters(Counters* counters) const {
  auto& values = counters->values;
  values.emplace_back("leader changes", leader_changes_);
  values.emplace_back("transfers asked", administrator_.asked());
  values.emplace_back("leadership transfers", transfers_);
  values.emplace_back("reads executed", queries_);
  values.emplace_back("snapshot chunks", snapshot_chunks_);
  values.emplace_back("disks found low", space_.measured_low());
  values.emplace_back("tables compared", digests_compared_);
  values.emplace_back("boots", boots_);
  values.emplace_back("crashes", crashes_);
  values.emplace_back("crashes in writes", crashes_in_writes_);
  sim::AppendWorldCounters(world_, counters);
}

}  // namespace lockstep::sim
