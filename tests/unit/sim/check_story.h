// Tells the checkers a story, note by note, and keeps the verdict. Three replicas unless said
// otherwise; terms, indexes and nodes are plain numbers here.
#ifndef LOCKSTEP_TESTS_UNIT_SIM_CHECK_STORY_H_
#define LOCKSTEP_TESTS_UNIT_SIM_CHECK_STORY_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/types.h"
#include "core/runtime/journal.h"
#include "core/runtime/log.h"
#include "sim/check/checker.h"
#include "sim/check/cluster_checkers.h"

namespace lockstep::sim {

class Story {
 public:
  explicit Story(uint64_t nodes = 3) {
    for (uint64_t node = 1; node <= nodes; ++node) Boot(node, 0, 0);
  }

  Story& Boot(uint64_t node, uint64_t term, uint64_t vote, uint64_t base = 0,
              uint64_t base_term = 0, uint64_t applied = 0) {
    return Tell(node, NoteKind::kBooted, term, vote, base, base_term, applied);
  }
  // The disk is damaged, or the replica finds at boot that its log has lost something.
  Story& Damage(uint64_t node) {
    state_->checkers.OnDamage(NodeId(node));
    return *this;
  }
  Story& BootInDoubt(uint64_t node, uint64_t term, uint64_t doubt) {
    return Tell(node, NoteKind::kBooted, term, 0, 0, 0, 0, nullptr, doubt);
  }
  Story& Trust(uint64_t node) { return Tell(node, NoteKind::kTrusted); }
  Story& BootEntry(uint64_t node, const Entry& entry) {
    return Tell(node, NoteKind::kBootEntry, 0, 0, entry.index.value(), entry.term.value(), 0,
                &entry);
  }
  Story& HardState(uint64_t node, uint64_t term, uint64_t vote) {
    return Tell(node, NoteKind::kHardState, term, vote);
  }
  Story& Vote(uint64_t node, uint64_t term, uint64_t candidate) {
    return Tell(node, NoteKind::kVoteGranted, term, candidate);
  }
  // `members`: the configuration that it believes to be in force.
  Story& BecomeLeader(uint64_t node, uint64_t term, uint64_t members = 0) {
    return Tell(node, NoteKind::kBecameLeader, term, 0, 0, 0, members);
  }
  Story& Follow(uint64_t node, uint64_t term, uint64_t leader) {
    return Tell(node, NoteKind::kBecameFollower, term, leader);
  }
  // A whole election: the candidate and the voters enter the term, they vote, it leads.
  Story& Elect(uint64_t leader, uint64_t term, std::vector<uint64_t> voters) {
    HardState(leader, term, leader);
    for (uint64_t voter : voters) HardState(voter, term, leader).Vote(voter, term, leader);
    return BecomeLeader(leader, term);
  }
  // It holds a lease for so many ms from now on; 0: it has none.
  Story& Lease(uint64_t node, uint64_t term, uint64_t lasts) {
    const auto end = (state_->now + std::chrono::milliseconds(1 + lasts)).time_since_epoch();
    return Tell(node, NoteKind::kLease, term, 0, 0, 0,
                lasts == 0 ? 0 : static_cast<uint64_t>(end.count()));
  }
  Story& Append(uint64_t node, const Entry& entry) {
    return Tell(node, NoteKind::kAppended, 0, 0, entry.index.value(), entry.term.value(), 0,
                &entry);
  }
  Story& Truncate(uint64_t node, uint64_t from, uint64_t leader = 0) {
    return Tell(node, NoteKind::kTruncated, 0, leader, from);
  }
  Story& Ack(uint64_t node, uint64_t term, uint64_t leader, uint64_t match) {
    return Tell(node, NoteKind::kAppendAcked, term, leader, match);
  }
  Story& Commit(uint64_t node, uint64_t index) {
    return Tell(node, NoteKind::kCommitted, 0, 0, index);
  }
  Story& Apply(uint64_t node, const Entry& entry, uint64_t reply_hash = 7) {
    return Tell(node, NoteKind::kApplied, 0, 0, entry.index.value(), entry.term.value(), reply_hash,
                &entry);
  }
  Story& MoveBase(uint64_t node, uint64_t index, uint64_t term, bool installed = false) {
    return Tell(node, NoteKind::kBaseMoved, 0, 0, index, term, installed ? 1 : 0);
  }
  Story& Install(uint64_t node, uint64_t index, uint64_t term) {
    return MoveBase(node, index, term, /*installed=*/true).NoteInstalled(node, index, term);
  }
  Story& NoteInstalled(uint64_t node, uint64_t index, uint64_t term, uint64_t members = 0) {
    return Tell(node, NoteKind::kSnapshotInstalled, 0, 0, index, term, members);
  }
  Story& Ask(uint64_t node, uint64_t request) {
    state_->checkers.OnRequest(NodeId(node), RequestId(request));
    return *this;
  }
  Story& Reply(uint64_t node, uint64_t request, uint64_t index) {
    return Tell(node, NoteKind::kReplied, 0, 0, index, 0, request);
  }
  Story& Crash(uint64_t node) {
    state_->checkers.OnCrash(state_->now, NodeId(node));
    return *this;
  }
  Story& End() {
    state_->checkers.AtEnd();
    return *this;
  }
  // The entry reaches the leader and the followers, who acknowledge it; the leader commits it.
  Story& Replicate(uint64_t leader, uint64_t term, const Entry& entry,
                   std::vector<uint64_t> followers) {
    Append(leader, entry);
    for (uint64_t node : followers) {
      Append(node, entry).Ack(node, term, leader, entry.index.value());
    }
    return Commit(leader, entry.index.value());
  }

  ClusterCheckers& checkers() { return state_->checkers; }
  // "" while all is well.
  std::string property() const {
    return state_->findings.first().has_value() ? state_->findings.first()->property
                                                : std::string();
  }
  std::string evidence() const {
    return state_->findings.first().has_value() ? state_->findings.first()->evidence
                                                : std::string();
  }

 private:
  Story& Tell(uint64_t node, NoteKind kind, uint64_t term = 0, uint64_t peer = 0,
              uint64_t index = 0, uint64_t position_term = 0, uint64_t number = 0,
              const Entry* entry = nullptr, uint64_t doubt = 0) {
    state_->now += std::chrono::milliseconds(1);
    state_->checkers.OnNote(state_->now, NodeId(node),
                            Note{.kind = kind,
                                 .group = GroupId(1),
                                 .term = Term(term),
                                 .peer = NodeId(peer),
                                 .position = {Index(index), Term(position_term)},
                                 .number = number,
                                 .entry = entry,
                                 .doubt = Term(doubt)});
    return *this;
  }

  struct State {
    Findings findings;
    ClusterCheckers checkers{findings};
    Instant now{};
  };
  // Shared: a copy of a story goes on with the same one.
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline Entry MakeEntry(uint64_t index, uint64_t term, const std::string& data = "") {
  return {.index = Index(index),
          .term = Term(term),
          .kind = data.empty() ? EntryKind::kNoop : EntryKind::kCommand,
          .data = Bytes::Copy(absl::string_view(data))};
}

}  // namespace lockstep::sim

#endif  // LOCKSTEP_TESTS_UNIT_SIM_CHECK_STORY_H_
