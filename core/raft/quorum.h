// Who decides: the voters of a group, in one set or, during a joint change (thesis §4.3), in two
// that must both agree, and the learners, who receive the log and decide nothing.
#ifndef LOCKSTEP_CORE_RAFT_QUORUM_H_
#define LOCKSTEP_CORE_RAFT_QUORUM_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"

namespace lockstep::raft {

enum class VoteOutcome { kPending, kWon, kLost };
enum class Vote { kMissing, kGranted, kRefused };

class Membership {
 public:
  Membership() = default;  // nobody: of a replica that waits to be told
  // One set of voters, no learners.
  explicit Membership(std::vector<NodeId> voters);
  // A joint membership: `incoming` and `outgoing` must both agree. `outgoing` empty: not joint.
  Membership(std::vector<NodeId> incoming, std::vector<NodeId> outgoing,
             std::vector<NodeId> learners);

  bool IsVoter(NodeId node) const;
  bool IsMember(NodeId node) const;    // voter or learner
  bool IsIncoming(NodeId node) const;  // a voter that stays one when a joint change is over
  // Everybody, ascending, once.
  const std::vector<NodeId>& members() const { return members_; }
  const std::vector<NodeId>& voters() const { return voters_; }
  const std::vector<NodeId>& incoming() const { return incoming_; }
  const std::vector<NodeId>& outgoing() const { return outgoing_; }  // empty unless joint
  const std::vector<NodeId>& learners() const { return learners_; }

  // The greatest value that a majority of each voter set has reached. `reached` is asked once a
  // voter and set. REQUIRES: there are voters.
  uint64_t AgreedValue(absl::FunctionRef<uint64_t(NodeId)> reached) const;
  VoteOutcome Tally(absl::FunctionRef<Vote(NodeId)> vote) const;

 private:
  std::vector<NodeId> incoming_;  // sorted, distinct
  std::vector<NodeId> outgoing_;  // sorted, distinct; empty unless joint
  std::vector<NodeId> learners_;  // sorted, distinct, no voters
  std::vector<NodeId> voters_;
  std::vector<NodeId> members_;
};

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_QUORUM_H_
