// One replica inside a node: Raft, the requests that wait for it, and the way of committed entries
// into the table. Events only step it; EndTurn turns what came out into effects, and it is called
// by Node alone.
//
// Two pipelines, each with one job under way, so that the next batch grows meanwhile: what Raft
// wants written (collected by Node over all replicas) and what is committed and not yet applied.
#ifndef LOCKSTEP_CORE_NODE_REPLICA_H_
#define LOCKSTEP_CORE_NODE_REPLICA_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/bytes.h"
#include "core/base/pace.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/node/courier.h"
#include "core/node/duty.h"
#include "core/node/outbox.h"
#include "core/node/replica_counters.h"
#include "core/node/roles.h"
#include "core/node/space_gauge.h"
#include "core/node/stage_times.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "core/raft/raft.h"
#include "core/runtime/host.h"
#include "core/runtime/storage_job.h"

namespace lockstep::node {

class Replica {
 public:
  // All that is not copied outlives the replica.
  Replica(const NodeOptions& options, const ReplicaImage& image, Rng rng, const Host& host,
          Courier& courier, const SpaceGauge& space, Pace& bulk);

  GroupId group() const { return group_; }
  GroupRole role() const { return role_; }
  const raft::Raft& raft() const { return raft_; }

  // Events.
  void OnMessage(NodeId from, raft::Message message);
  void OnMessage(NodeId from, const proto::NodeMessage& message);
  // `encoded`: the command, as it goes into the log.
  void OnCommand(RequestId id, const proto::Command& command, Bytes encoded);
  // kForwarded: linearizable too, but who does not lead asks its leader instead of refusing.
  // kAnyState: from the table as it is, whoever leads.
  enum class Freshness : uint8_t { kLinearizable, kForwarded, kAnyState };
  void OnQuery(RequestId id, Bytes query, Freshness freshness);
  void OnTransferLeadership(RequestId id, NodeId to);
  // Of its own accord. False: that member would not take over without delay, or it does not lead.
  bool HandOver(NodeId to);
  void OnChangeMembership(RequestId id, const proto::ChangeMembership& change);
  void OnPeerLink(NodeId peer, bool up);
  // How much space the node's disk has; again and again.
  void OnRoom(raft::Room room);
  // Who the controllers are now, as the node has heard.
  void OnControllers(const proto::Controllers& controllers);
  // `log_stalled`: the node's log gets nothing done. True: it led and has sent heartbeats.
  bool OnWake(bool log_stalled);
  // Other replicas of the node have just sent heartbeats: this one's leave with them, if they are
  // nearly due.
  void OnNearbyHeartbeat(bool log_stalled);
  void OnPersisted(PersistSeq through);
  void NoteTableDone();  // before each of the following
  void OnTableDone(ApplyDone& done);
  void OnTableDone(QueryDone& done);
  void OnTableDone(CheckpointDone& done);
  void OnTableDone(ReadSnapshotDone& done);
  void OnTableDone(WriteSnapshotDone& done);

  // What it is in its group.
  Standing standing() const;
  // Who the controllers are, as far as its duty has heard; null: it has none.
  const proto::Controllers* controllers() const;
  // How it is, for people. Without what only its table knows.
  lockstep::v1::ReplicaStatus Status() const;

  // The end of a turn.
  void EndTurn();
  bool HasBatch() const { return raft_.HasBatch(); }
  LogBatch TakeBatch(PersistSeq* seq);
  Instant wake_at() const;

 private:
  struct Proposal {
    LogPosition position;
    RequestId id;
    Instant came;
  };
  struct Read {
    Index at;
    RequestId id;
  };
  struct Query {
    Bytes encoded;
    Instant since;
  };
  struct StaleQuery {
    RequestId id;
    Query query;
  };
  struct ReadyAnswer {
    RequestId id;
    Bytes reply;
    Index index;  // of the state that it tells of; none: of no state
  };

  void Step(raft::Input input);
  bool AtRequestLimit(RequestId id);
  void SubmitTableJob(StorageJob job);
  bool TableIsStalled() const;
  void AnswerWith(RequestId id, const Bytes& result, Index index, const Stages& stages);
  void Answer(RequestId id, Bytes reply, Index index);
  NodeId WhoMayLead();
  void Refuse(RequestId id, raft::RefusedWhy why);
  void NoteBoot(const ReplicaImage& image);
  void Record(Note note);

  // EndTurn, in this order.
  void ActOnDuty();
  void RecordNotes();
  void CountLeaders();
  void RouteProposals();
  void RouteReads();
  void NoteStages();
  void SendAnswers();
  void SubmitSnapshotJobs();
  void SubmitApply();
  void SubmitQueries();
  void SubmitCheckpoint();

  const GroupId group_;
  const GroupRole role_;
  const NodeOptions& options_;
  const Host& host_;
  const SpaceGauge& space_;
  Pace& bulk_;
  raft::Room room_ = raft::Room::kAmple;  // as Raft was told
  raft::Raft raft_;
  raft::Output out_;
  Outbox outbox_;
  std::unique_ptr<Duty> duty_;                             // null: none
  std::vector<std::pair<RequestId, Bytes>> duty_queries_;  // not yet handed to the table

  std::deque<Proposal> proposals_;             // ascending position; leader only
  absl::btree_map<RequestId, Query> queries_;  // arrived, not yet handed to the table
  std::vector<StaleQuery> stale_queries_;      // likewise
  std::deque<Read> reads_;                     // released by Raft; ascending `at`
  uint64_t queries_under_way_ = 0;
  Instant queries_began_;              // when the job of those was handed to the table...
  std::vector<Instant> queries_came_;  // ...and when each of them had come, in its place
  StageTimes stage_times_;             // of what proposals_ wait for
  std::vector<ReadyAnswer> answers_;   // leave at the end of the turn
  uint64_t named_ = 0;                 // as those who may lead, since this replica left the group
  std::deque<raft::SnapshotRead> snapshot_reads_;  // wait for their turn, one of each peer

  LogPosition applied_;      // the table's position
  Index apply_submitted_;    // handed to the table up to here. Invariant: applied <= it <= commit
  bool applying_ = false;    // an ApplyEntries job is under way
  uint64_t table_jobs_ = 0;  // under way
  Instant table_heard_;      // the last of them was done, or the first was begun after none
  std::vector<Entry>
      being_applied_;  // its entries, kept only while somebody listens to the journal
  bool checkpointing_ = false;
  uint64_t
      checkpoint_entries_;     // the next checkpoint is due when the log holds this many entries...
  uint64_t checkpoint_bytes_;  // ...or bytes
  ReplicaCounters counters_;
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_REPLICA_H_
