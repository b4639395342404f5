#include "tests/scenario/support/watch.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tests/scenario/support/replicas.h"

namespace lockstep::scenario {
namespace {

// Tables are compared at every so many-th index: it costs a scan of the table.
constexpr uint64_t kIndexesBetweenDigests = 64;

void AppendTo(ReplicaState& replica, const Entry& entry) {
  replica.entry_bytes.push_back(entry.data.size());
  replica.log_bytes += entry.data.size();
  replica.last = entry.index;
}

void TruncateFrom(ReplicaState& replica, Index from) {
  while (replica.last >= from && !replica.entry_bytes.empty()) {
    replica.log_bytes -= replica.entry_bytes.back();
    replica.entry_bytes.pop_back();
    replica.last = replica.last.Previous();
  }
}

void MoveBase(ReplicaState& replica, Index base, bool replaced) {
  if (replaced || base > replica.last) TruncateFrom(replica, replica.base.Next());
  while (replica.base < base && !replica.entry_bytes.empty()) {
    replica.log_bytes -= replica.entry_bytes.front();
    replica.entry_bytes.pop_front();
    replica.base = replica.base.Next();
  }
  replica.base = base;
  replica.last = std::max(replica.last, base);
}

// A new life remembers what the disk held. The counts are of all lives.
void Boot(ReplicaState& replica, const Note& note) {
  ReplicaState fresh;
  fresh.running = true;
  fresh.term = note.term;
  fresh.vote = note.peer;
  fresh.base = note.position.index;
  fresh.last = note.position.index;
  fresh.snapshots_installed = replica.snapshots_installed;
  fresh.snapshots_sent = replica.snapshots_sent;
  replica = std::move(fresh);
}

}  // namespace

Watch::Watch(uint64_t sessions_max, const controller::ControllerOptions* controller)
    : shards_(controller == nullptr
                  ? nullptr
                  : std::make_unique<sim::ShardChecker>(findings_, *controller, sessions_max)),
      checkers_(findings_, sessions_max, shards_.get()) {}

void Watch::OnNote(sim::NodeHost& host, const Note& note) {
  checkers_.OnNote(now(), host.node(), note);
  if (note.kind == NoteKind::kMalformed) return;
  Follow(replicas_[{note.group, host.node()}], note);
  if (on_note) on_note(host.node(), note);
}

void Watch::Follow(ReplicaState& replica, const Note& note) {
  switch (note.kind) {
    case NoteKind::kBooted:
      return Boot(replica, note);
    case NoteKind::kBootEntry:
    case NoteKind::kAppended:
      return AppendTo(replica, *note.entry);
    case NoteKind::kHardState:
      replica.term = note.term;
      replica.vote = note.peer;
      return;
    case NoteKind::kTruncated:
      return TruncateFrom(replica, note.position.index);
    case NoteKind::kBaseMoved:
      return MoveBase(replica, note.position.index, note.number == 1);
    case NoteKind::kCommitted:
      replica.commit = note.position.index;
      return;
    case NoteKind::kSnapshotInstalled:
      ++replica.snapshots_installed;
      return;
    case NoteKind::kSnapshotSent:
      ++replica.snapshots_sent;
      return;
    default:
      return FollowRole(replica, note);
  }
}

void Watch::FollowRole(ReplicaState& replica, const Note& note) {
  switch (note.kind) {
    case NoteKind::kBecameLeader:
      ++elections_;
      replica.role = raft::Role::kLeader;
      replica.leader = NodeId();
      return;
    case NoteKind::kBecameFollower:
      replica.role = raft::Role::kFollower;
      replica.leader = note.peer;
      return;
    case NoteKind::kBecameCandidate:
      replica.role = raft::Role::kCandidate;
      return;
    case NoteKind::kBecamePreCandidate:
      replica.role = raft::Role::kPreCandidate;
      return;
    default:
      return;
  }
}

void Watch::OnRequest(sim::NodeHost& host, RequestId id) { checkers_.OnRequest(host.node(), id); }

sim::Interference Watch::BeforeStorage(sim::NodeHost& host, const StorageJob& job) {
  const auto trap = traps_.find(host.node());
  if (trap == traps_.end() || !trap->second.fits(job)) return {};
  const sim::Interference what = trap->second.what;
  traps_.erase(trap);
  return what;
}

void Watch::OnStored(sim::NodeHost& host, const StorageJob&, const StorageResult& result) {
  const ApplyDone* applied = std::get_if<ApplyDone>(&result);
  if (applied == nullptr) return;
  if (applied->applied.index.value() % kIndexesBetweenDigests == 0) {
    CompareTable(checkers_, host, applied->group, applied->applied);
  }
}

sim::Interference Watch::BeforeBoot(sim::NodeHost& host) {
  const auto trap = boot_traps_.find(host.node());
  if (trap == boot_traps_.end()) return {};
  const sim::Interference what = trap->second;
  boot_traps_.erase(trap);
  return what;
}

void Watch::OnCrashed(sim::NodeHost& host) {
  checkers_.OnCrash(now(), host.node());
  for (auto& [name, replica] : replicas_) {
    if (name.second != host.node()) continue;
    replica.running = false;
    replica.role = raft::Role::kFollower;
  }
}

void Watch::OnBroken(sim::NodeHost&, std::string property, std::string evidence) {
  findings_.Report(std::move(property), std::move(evidence));
}

}  // namespace lockstep::scenario
