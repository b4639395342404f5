#include "sim/trace/abstract_state.h"

#include <algorithm>

#include "core/base/hash.h"

namespace lockstep::sim {
namespace {

// How far `of` is behind: not at all, by one, by a few, by many.
uint64_t Distance(uint64_t most, uint64_t of) {
  constexpr uint64_t kFew = 8;
  const uint64_t distance = most > of ? most - of : 0;
  if (distance <= 1) return distance;
  return distance <= kFew ? 2 : 3;
}

raft::ChangePhase PhaseOf(const Entry& entry, raft::ChangePhase otherwise) {
  if (entry.kind != EntryKind::kConfiguration) return otherwise;
  const absl::StatusOr<raft::GroupConfiguration> configuration =
      raft::DecodeConfiguration(entry.data.view());
  return configuration.ok() ? configuration->phase : otherwise;
}

}  // namespace

// How it stands to the foremost.
uint64_t AbstractState::WordOf(const Replica& replica, const Replica& front) {
  uint64_t word = static_cast<uint64_t>(replica.role);
  const auto add = [&word](uint64_t value) { word = word << 2 | value; };
  add(std::min<uint64_t>(2, Distance(front.term.value(), replica.term.value())));
  add(Distance(front.last.value(), replica.last.value()));
  add(Distance(front.commit.value(), replica.commit.value()));
  add(replica.last < front.commit ? 0 : replica.last == front.commit ? 1 : 2);
  add(replica.base > front.commit ? 2 : replica.base.value() > 0 ? 1 : 0);
  add(static_cast<uint64_t>(replica.phase));
  return word;
}

bool AbstractState::Take(const Note& note, Replica& replica) {
  switch (note.kind) {
    case NoteKind::kBooted:
      replica = Replica();
      replica.role = Role::kFollower;
      replica.term = note.term;
      replica.base = note.position.index;
      replica.last = replica.base;
      replica.commit = replica.base;
      return true;
    case NoteKind::kBootEntry:
    case NoteKind::kAppended:
      replica.last = note.position.index;
      if (note.entry != nullptr) replica.phase = PhaseOf(*note.entry, replica.phase);
      return false;
    case NoteKind::kHardState:
      replica.term = note.term;
      return false;
    case NoteKind::kTruncated:
      replica.last = Index(note.position.index.value() - 1);
      return true;
    case NoteKind::kBaseMoved:
      replica.base = note.position.index;
      replica.last = std::max(replica.last, replica.base);
      return true;
    case NoteKind::kBecameLeader:
      replica.role = Role::kLeader;
      return true;
    case NoteKind::kBecameFollower:
      replica.role = Role::kFollower;
      return true;
    case NoteKind::kBecameCandidate:
      replica.role = Role::kCandidate;
      return true;
    case NoteKind::kBecamePreCandidate:
      replica.role = Role::kPreCandidate;
      return true;
    case NoteKind::kCommitted:
      replica.commit = note.position.index;
      return true;
    default:
      return false;
  }
}

void AbstractState::OnNote(NodeId node, const Note& note) {
  if (Take(note, groups_[note.group][node])) Tell(note.group, node);
}

void AbstractState::OnCrash(NodeId node) {
  for (auto& [group, replicas] : groups_) {
    const auto replica = replicas.find(node);
    if (replica == replicas.end()) continue;
    replica->second.role = Role::kDown;
    Tell(group, node);
  }
}

// How many tenures of the group are in which state: none, one, more.
uint64_t AbstractState::ShardsOf(GroupId group) const {
  if (shards_ == nullptr) return 0;
  const auto found = shards_->groups().find(group);
  if (found == shards_->groups().end()) return 0;
  uint64_t states = 0;
  for (const auto& [id, tenure] : found->second.tenures) {
    const uint64_t one = uint64_t{1} << (2 * static_cast<unsigned>(tenure.state));
    states |= (states & one) != 0 ? one << 1 : one;
  }
  return states;
}

void AbstractState::Tell(GroupId group, NodeId changed) {
  const Replicas& replicas = groups_[group];
  Replica front;
  for (const auto& [node, replica] : replicas) {
    front.term = std::max(front.term, replica.term);
    front.last = std::max(front.last, replica.last);
    front.commit = std::max(front.commit, replica.commit);
  }
  const uint64_t shards = Mix64(ShardsOf(group));
  const uint64_t own = Mix64(shards ^ WordOf(replicas.at(changed), front));
  for (const auto& [node, replica] : replicas) {
    if (node != changed) sink_.See(Mix64(own ^ WordOf(replica, front)));
  }
}

}  // namespace lockstep::sim
