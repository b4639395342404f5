// How a replica is, for people: lockstep.v1.ReplicaStatus.
#include <algorithm>
#include <vector>

#include "core/node/replica.h"

namespace lockstep::node {
namespace {

lockstep::v1::Role ToProto(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return lockstep::v1::FOLLOWER;
    case raft::Role::kPreCandidate:
      return lockstep::v1::PRE_CANDIDATE;
    case raft::Role::kCandidate:
      return lockstep::v1::CANDIDATE;
    case raft::Role::kLeader:
      return lockstep::v1::LEADER;
  }
  return lockstep::v1::FOLLOWER;
}

uint64_t Milliseconds(Duration duration) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

lockstep::v1::ReplicaStatus Replica::Status() const {
  lockstep::v1::ReplicaStatus status;
  status.set_group(group_.value());
  status.set_role(ToProto(raft_.role()));
  status.set_term(raft_.term().value());
  status.set_commit(raft_.commit().value());
  status.set_applied(applied_.index.value());
  status.set_last(raft_.log().last_index().value());
  status.set_leader(raft_.leader().value());
  for (NodeId member : raft_.config().membership.members()) status.add_members(member.value());
  status.set_quorum_contact_age_ms(Milliseconds(raft_.QuorumContactAge(host_.clock.Now())));
  status.set_log_bytes(raft_.log().bytes());
  status.set_log_base(raft_.log().base().index.value());
  status.set_log_entries(raft_.log().size());
  status.set_repairing(raft_.hard_state().doubt != Term());
  return status;
}

}  // namespace lockstep::node
