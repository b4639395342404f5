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

lockstep::v1::ChangePhase ToProto(raft::ChangePhase phase) {
  switch (phase) {
    case raft::ChangePhase::kSettled:
      return lockstep::v1::SETTLED;
    case raft::ChangePhase::kCatchingUp:
      return lockstep::v1::CATCHING_UP;
    case raft::ChangePhase::kJoint:
      return lockstep::v1::JOINT;
  }
  return lockstep::v1::SETTLED;
}

// The members as `raft` has them, and, where it leads, how far each is.
void DescribeMembership(const raft::Raft& raft, lockstep::v1::ReplicaStatus* status) {
  const raft::GroupConfiguration& configuration = raft.configuration();
  status->set_membership_id(configuration.id.value());
  status->set_change_phase(ToProto(configuration.phase));
  status->set_membership_committed(raft.configuration_is_committed());
  for (const raft::GroupMember& member : configuration.members) {
    if (!raft.membership().IsMember(member.node)) continue;
    lockstep::v1::GroupMemberStatus& one = *status->add_group_members();
    const bool before = member.before == raft::Standing::kVoter;
    const bool after = member.after == raft::Standing::kVoter;
    one.set_node(member.node.value());
    one.set_incarnation(member.incarnation.value());
    one.set_voter(raft.membership().IsVoter(member.node));
    one.set_joins(after && !before);
    one.set_leaves(before && !after);
    if (raft.leader_state() == nullptr) continue;
    if (member.node == raft.config().self) one.set_match(raft.durable().value());
    for (const raft::Leader::Peer& peer : raft.leader_state()->peers) {
      if (peer.id != member.node) continue;
      one.set_match(peer.progress.match.value());
      one.set_caught_up(raft.IsCaughtUp(peer.progress));
    }
  }
}

// One that has seen nothing is left empty.
void Describe(const DurationHistogram& histogram, lockstep::v1::DurationHistogram* told) {
  const auto& counts = histogram.counts();
  const auto some = [](uint64_t count) { return count > 0; };
  if (std::none_of(counts.begin(), counts.end(), some)) return;
  for (const uint64_t count : counts) told->add_counts(count);
  told->set_sum_us(Microseconds(histogram.sum()));
}

void Describe(const ReplicaCounters& counters, lockstep::v1::ReplicaCounters* told) {
  told->set_leader_changes(counters.leader_changes);
  told->set_proposals_failed(counters.proposals_failed);
  told->set_snapshots_sent(counters.snapshots_sent);
  told->set_snapshots_aborted(counters.snapshots_aborted);
  told->set_snapshots_received(counters.snapshots_received);
  told->set_snapshot_bytes_sent(counters.snapshot_bytes_sent);
  told->set_snapshot_bytes_received(counters.snapshot_bytes_received);
  Describe(counters.read_index, told->mutable_read_index());
  Describe(counters.shard_moves, told->mutable_shard_moves());
}

// To how many peers a snapshot is being sent.
uint64_t SnapshotsUnderWay(const raft::Raft& raft) {
  if (raft.leader_state() == nullptr) return 0;
  const auto& peers = raft.leader_state()->peers;
  return static_cast<uint64_t>(std::count_if(peers.begin(), peers.end(), [](const auto& peer) {
    return peer.progress.state == raft::Progress::State::kSnapshot;
  }));
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
  for (NodeId member : raft_.membership().members()) status.add_members(member.value());
  status.set_quorum_contact_age_ms(Milliseconds(raft_.QuorumContactAge(host_.clock.Now())));
  status.set_log_bytes(raft_.log().bytes());
  status.set_log_base(raft_.log().base().index.value());
  status.set_log_entries(raft_.log().size());
  status.set_repairing(raft_.hard_state().doubt != Term());
  status.set_proposals_pending(proposals_.size());
  status.set_snapshots_under_way(SnapshotsUnderWay(raft_));
  Describe(counters_, status.mutable_counters());
  DescribeMembership(raft_, &status);
  return status;
}

}  // namespace lockstep::node
