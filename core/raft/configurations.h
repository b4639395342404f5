// The configurations that still matter to a replica: the newest that is committed, and those in its
// log after it, which a new leader may yet take back.
//
// Invariants: never empty; ids ascend; only the first is committed; the last is in force (thesis
// §4.1: "a server always uses the latest configuration in its log, regardless of whether the entry
// is committed").
#ifndef LOCKSTEP_CORE_RAFT_CONFIGURATIONS_H_
#define LOCKSTEP_CORE_RAFT_CONFIGURATIONS_H_

#include <algorithm>
#include <deque>
#include <utility>

#include "core/base/check.h"
#include "core/base/types.h"
#include "core/raft/group_configuration.h"
#include "core/raft/quorum.h"

namespace lockstep::raft {

class Configurations {
 public:
  explicit Configurations(GroupConfiguration committed) { Reset(std::move(committed)); }

  const GroupConfiguration& newest() const { return held_.back().configuration; }
  const Membership& membership() const { return held_.back().membership; }
  // Whether the one in force is known to be committed.
  bool is_committed() const { return held_.size() == 1; }

  // Whether `node` votes in the one in force, or did in one whose end is not known to be committed.
  bool MayVote(NodeId node) const {
    return std::any_of(held_.begin(), held_.end(),
                       [&](const Held& one) { return one.membership.IsVoter(node); });
  }

  // The entry of `configuration` was appended.
  void Append(GroupConfiguration configuration) {
    CheckLt(newest().id, configuration.id);
    Membership membership = MembershipOf(configuration);
    held_.push_back({std::move(configuration), std::move(membership)});
  }
  // The log forgot `from` and all after it.
  void TruncateFrom(Index from) {
    while (held_.size() > 1 && newest().id >= from) held_.pop_back();
    CheckLt(newest().id, from);
  }
  void CommittedThrough(Index index) {
    while (held_.size() > 1 && held_[1].configuration.id <= index) held_.pop_front();
  }
  // A snapshot replaced the log.
  void Reset(GroupConfiguration committed) {
    held_.clear();
    Membership membership = MembershipOf(committed);
    held_.push_back({std::move(committed), std::move(membership)});
  }

 private:
  struct Held {
    GroupConfiguration configuration;
    Membership membership;
  };
  std::deque<Held> held_;
};

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_CONFIGURATIONS_H_
