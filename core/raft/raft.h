// One replica of one group: Raft (Ongaro and Ousterhout 2014; "thesis" is Ongaro 2014) as a value.
//
// Step takes one input and the time; Flush ends a turn; what is to be done comes out as values.
// Total: no status, no exception, no I/O. One file per section of the paper: election.cc,
// replication.cc (the leader's side), follower.cc, reads.cc, lease.cc, snapshot.cc, transfer.cc,
// membership.cc; and one for disks that fill up, space.cc.
//
// Durability: what must be written collects in the open batch. A message names the batch that must
// be durable before it may leave (Outgoing::after); only the leader's appends and heartbeats go at
// once (thesis §10.2.1).
//
// Invariants, checked after every Step: base <= commit <= last; durable <= last; a leader's peers
// have match < next and match <= last; hard state never moves backward.
#ifndef LOCKSTEP_CORE_RAFT_RAFT_H_
#define LOCKSTEP_CORE_RAFT_RAFT_H_

#include <cstdint>
#include <optional>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/raft/configurations.h"
#include "core/raft/durable.h"
#include "core/raft/io.h"
#include "core/raft/log.h"
#include "core/raft/role.h"
#include "core/runtime/log.h"

namespace lockstep::raft {

class Raft {
 public:
  // A replica as it boots from `image`. `now` starts its election timer.
  Raft(const Config& config, const ReplicaImage& image, Rng rng, Instant now);

  // One input. Effects are appended to `out`.
  void Step(Instant now, Input input, Output& out);
  // The end of a turn: sends what the turn's inputs made ready, in as few messages as possible.
  void Flush(Instant now, Output& out);

  // The open batch, if there is something to write. TakeBatch hands it out and numbers it:
  // Persisted{seq} must follow when it is durable. Batches are written in the order in which they
  // were taken.
  bool HasBatch() const { return !batch_.empty(); }
  LogBatch TakeBatch(PersistSeq* seq);

  // When to come back with TimerFired at the latest.
  Instant wake_at() const;

  Role role() const { return static_cast<Role>(role_.index()); }
  bool is_leader() const { return role() == Role::kLeader; }
  NodeId leader() const;  // of the current term, as far as known; none otherwise
  Term term() const { return hard_.term; }
  HardState hard_state() const { return hard_; }
  const RaftLog& log() const { return log_; }
  Index commit() const { return commit_; }
  Index durable() const { return durable_.index(); }
  PersistSeq completed() const { return durable_.completed(); }
  const Config& config() const { return config_; }
  // The group's members as this replica's log has them, committed or not.
  const Membership& membership() const { return configurations_.membership(); }
  const GroupConfiguration& configuration() const { return configurations_.newest(); }
  bool configuration_is_committed() const { return configurations_.is_committed(); }
  // Of a leader: whether a member that joins is close enough behind to vote.
  bool IsCaughtUp(const Progress& progress) const {
    return progress.IsCaughtUp(log_.last_index(), config_.election_min, now_);
  }
  // Of a leader that hands over to nobody yet: whether this member would take over without delay.
  bool FollowsClosely(NodeId node) const;
  // Of a leader, how long ago a majority last answered; of others, how long ago their leader was
  // heard, or for how long there has been none. For status reports.
  Duration QuorumContactAge(Instant now) const;
  // Until when, by this node's clock, nobody else can lead; the beginning of time: there is no
  // lease.
  Instant LeaseEnd() const;
  // nullptr unless leader. For status reports and scripts.
  const Leader* leader_state() const { return std::get_if<Leader>(&role_); }

 private:
  // raft.cc: dispatch, terms, the send rules.
  void OnInput(const TimerFired& input, Output& out);
  void OnInput(Received& input, Output& out);
  void OnInput(Propose& input, Output& out);
  void OnInput(const ReadBarrier& input, Output& out);
  void OnInput(const TransferLeadership& input, Output& out);
  void OnInput(const ChangeMembership& input, Output& out);
  void OnInput(const RoomChanged& input, Output& out);
  void OnInput(const Persisted& input, Output& out);
  void OnInput(const PeerUnreachable& input, Output& out);
  void OnInput(const Compact& input, Output& out);
  void OnInput(SnapshotChunkRead& input, Output& out);
  void OnInput(const SnapshotChunkWritten& input, Output& out);

  bool IsHeard(NodeId from, const Message& message) const;
  // False: the message's term forbids looking at it.
  bool AdmitTerm(NodeId from, const Message& message, Output& out);
  void SetHardState(HardState next, Output& out);
  bool InDoubt() const { return hard_.doubt != Term(); }
  bool DoubtIsOver() const { return InDoubt() && log_.last_term() > hard_.doubt; }
  bool Abstain(NodeId from, const Message& message, Output& out);
  void EndDoubt();
  void EndDoubtIfOver(Output& out);
  void BecomeFollower(Term term, NodeId leader, Output& out);
  void HearLeader(NodeId leader, Output& out);
  void ReportRole(Output& out);
  void ReleaseLeadership(Output& out);
  void ResetElectionTimer();
  void ArmCampaign();
  void CheckInvariants() const;

  PersistSeq AfterHardState() const;  // the batch that makes the current term and vote durable
  PersistSeq AfterAll() const;        // the batch that makes everything so far durable
  void Send(NodeId to, Body body, PersistSeq after, Output& out);
  void AppendEntry(Entry entry, Output& out);
  void TruncateFrom(Index from, NodeId leader, Output& out);
  void MoveBatchBase(LogPosition base);
  void CommitTo(Index index, Output& out);
  void AddNote(NoteKind kind, NodeId peer, LogPosition position, uint64_t number,
               Output& out) const;

  // election.cc (Raft §5.2, §5.4.1; thesis §6.4.1, §9.6).
  void Campaign(Output& out);
  void BecomePreCandidate(Output& out);
  void BecomeCandidate(bool transfer, Output& out);
  void BecomeLeader(Output& out);
  void CountPreVotes(Output& out);
  void CountVotes(Output& out);
  bool IsSticky() const;
  void DoubtLeader(NodeId peer);
  void OnMessage(NodeId from, const PreVoteRequest& request, Output& out);
  void OnMessage(NodeId from, const PreVoteReply& reply, Output& out);
  void OnMessage(NodeId from, const VoteRequest& request, Output& out);
  void OnMessage(NodeId from, const VoteReply& reply, Output& out);

  // replication.cc: the leader (Raft §5.3, §5.4.2).
  void OnHeartbeatDue(Output& out);
  void SendAppends(Leader::Peer& peer, Output& out);
  void SendAppend(Leader::Peer& peer, bool with_entries, Output& out);
  void SendHeartbeat(Leader::Peer& peer, Output& out);
  void NoteContact(NodeId from);
  void Acknowledge(Leader::Peer& peer, Index match, Output& out);
  void AdvanceCommit(Output& out);
  bool QuorumIsSilent() const;
  Instant QuorumHeard(Instant now) const;
  Leader::Peer* FindPeer(NodeId id);
  const Leader::Peer* FindPeer(NodeId id) const;
  void OnMessage(NodeId from, const AppendAccepted& reply, Output& out);
  void OnMessage(NodeId from, const AppendRejected& reply, Output& out);
  void OnMessage(NodeId from, const HeartbeatReply& reply, Output& out);

  // follower.cc (Raft §5.3).
  void OnMessage(NodeId from, AppendRequest& request, Output& out);
  void OnMessage(NodeId from, const Heartbeat& heartbeat, Output& out);
  void RejectAppend(NodeId from, Index rejected, ReadSeq read_seq, Output& out);
  void Adopt(std::vector<Entry>& entries, NodeId leader, Output& out);

  // reads.cc (thesis §6.4).
  void StartReadRound(Output& out);
  void ConfirmReads(Leader::Peer& peer, ReadSeq seq, Output& out);
  void ReleaseReads(Output& out);
  void Release(const PendingRead& read, Output& out);
  void ForwardRead(RequestId id, Output& out);
  void AskLeader(Output& out);
  void ReleaseForwarded(Follower& follower, Output& out);
  void AbandonReads(Output& out);
  void OnMessage(NodeId from, const ReadIndexRequest& request, Output& out);
  void OnMessage(NodeId from, const ReadIndexReply& reply, Output& out);

  // lease.cc (thesis §6.4.1).
  bool IsBound() const;
  void Bind();
  Duration Promise() const;
  void RememberRound();
  void CountPromise(Leader::Peer& peer, const HeartbeatReply& reply);
  bool HoldsLease() const;
  void ReleaseByLease(Output& out);
  void GiveUpLease();
  void NoteLease(Output& out);

  // snapshot.cc (Raft §7).
  void ReadNextChunk(Leader::Peer& peer, Output& out);
  void ResendFromAcked(Leader::Peer& peer, Output& out);
  void RestartStalledTransfer(Leader::Peer& peer, Output& out);
  Index CompactionLimit(Index through) const;
  void InstallSnapshot(LogPosition snapshot, const Bytes& configuration, Output& out);
  void OnMessage(NodeId from, SnapshotChunk& chunk, Output& out);
  void OnMessage(NodeId from, const SnapshotReply& reply, Output& out);

  // membership.cc (thesis §4).
  std::optional<RefusedWhy> WhyNotChange(const ChangeMembership& input) const;
  bool HearsMajorityOf(const std::vector<NodeId>& voters) const;
  bool JoinersAreReady() const;
  void AppendConfiguration(GroupConfiguration configuration, Output& out);
  void TakeConfiguration(const Entry& entry);
  void AddPeers();
  void RetirePeers(Output& out);
  void AdvanceMembership(Output& out);
  void StepAside(Output& out);

  // space.cc (docs/decisions/0019).
  std::optional<RefusedWhy> WhyNoRoom(const Propose& input) const;
  bool QuorumHasRoom(Room worst) const;
  bool TakesNoMore(const Entry& entry) const;
  void HandOverForSpace(Output& out);

  // transfer.cc (thesis §3.10).
  void BeginTransfer(NodeId target, Output& out);
  NodeId BestSuccessor(NodeId wanted) const;
  bool FollowsClosely(const Leader::Peer& peer) const;
  const Leader::Peer* CloseSuccessor() const;
  void HandOverForSlowDisk(Output& out);
  void TellTransferee(Output& out);
  void OnMessage(NodeId from, const TimeoutNow& message, Output& out);

  Config config_;
  Rng rng_;
  Instant now_;
  HardState hard_;
  RaftLog log_;
  Configurations configurations_;
  Index commit_;
  Durable durable_;
  RoleState role_;
  ReadSeq question_;              // the newest that it has asked a leader
  Instant bound_until_;           // leases: it replaces nobody before
  Instant leaderless_since_;      // no leader is known since then, if none is known
  uint32_t quick_campaigns_ = 0;  // left, after the connection to the leader broke
  Instant election_at_;           // unless leader: an election is due

  LogBatch batch_;             // open
  PersistSeq batch_seq_{1};    // its number
  PersistSeq hard_state_in_;   // the batch that holds the newest hard state; none: from boot
  bool disk_stalled_ = false;  // at the last TimerFired
  Room room_ = Room::kAmple;   // on this node's disk
  uint64_t snapshot_writes_pending_ = 0;
  uint64_t snapshot_read_tag_ = 0;  // tells the answer to the newest read from late ones
};

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_RAFT_H_
