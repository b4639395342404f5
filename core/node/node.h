// The shell: one process that hosts a node's replicas, and the only code that turns outputs into
// effects.
//
// Invariant: at most one write to the log is under way; while it is, the replicas' next batches
// grow, which is group commit and back-pressure at once.
#ifndef LOCKSTEP_CORE_NODE_NODE_H_
#define LOCKSTEP_CORE_NODE_NODE_H_

#include <memory>
#include <utility>
#include <vector>

#include "core/base/pace.h"
#include "core/base/rng.h"
#include "core/node/courier.h"
#include "core/node/leader_spread.h"
#include "core/node/replica.h"
#include "core/node/roles.h"
#include "core/node/space_gauge.h"
#include "core/proto/client.pb.h"
#include "core/runtime/host.h"
#include "core/runtime/process.h"

namespace lockstep::node {

class Node final : public Process {
 public:
  Node(const NodeOptions& options, std::vector<ReplicaImage> images, Rng rng, const Host& host);

  void OnMessage(NodeId from, const Bytes& message) override;
  void OnStorage(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result) override;
  void OnRequest(RequestId id, const Bytes& request) override;
  void OnPeerLink(NodeId peer, bool up) override;
  void OnSpace(const DiskSpace& space) override;
  void OnWake() override;
  void OnTurnEnd() override;

  // nullptr: not hosted here. For status reports and tests.
  const Replica* replica(GroupId group) const;
  // Who the controllers are, by the newest that a replica of this node has heard; of membership 0:
  // those of the beginning.
  const proto::Controllers& controllers() const { return controllers_; }

 private:
  struct Refusal {
    RequestId id;
    Bytes reply;
  };
  struct Write {
    Replica* replica;
    PersistSeq seq;
  };

  Replica* Find(GroupId group);
  Replica& Open(const ReplicaImage& image);
  void OnPeerMessage(NodeId from, const Bytes& message);
  void OnNodeMessage(NodeId from, const Bytes& message);
  bool Deliver(NodeId from, const proto::NodeMessage& message);
  void NoteMalformed(NodeId from, size_t bytes);
  void EndTurnOfReplicas();
  void LearnControllers();
  void AskWhoLeads();
  void OnLeadingAnswer(NodeId from, const proto::LeadingAnswer& answer);
  uint64_t GroupsLed() const;
  void OnLogDone();
  void OnTableDone(StorageResult& result);
  Bytes StatusReply() const;
  Bytes EncodedCommand(GroupRole role, const Bytes& request) const;
  void RefuseAtDoor(RequestId id, Bytes reply) { refusals_.push_back({id, std::move(reply)}); }
  void SubmitLog();
  void TellRoom();
  bool LogIsStalled() const;

  const NodeOptions options_;
  const Rng rng_;
  const Host host_;
  Courier courier_;
  SpaceGauge space_;
  Pace bulk_;
  LeaderSpread spread_;
  raft::Room told_room_ = raft::Room::kAmple;       // to the replicas
  std::vector<std::unique_ptr<Replica>> replicas_;  // ascending group
  proto::Controllers controllers_;
  std::vector<Write> under_way_;   // the batches of the log write that is under way...
  uint64_t under_way_bytes_ = 0;   // ...the entries in them...
  Instant under_way_since_;        // ...and when it was handed to the disk
  std::vector<Refusal> refusals_;  // answers to requests that reached no replica
  bool failed_ = false;            // the disk failed: nothing is promised any more
  Instant armed_ = kNever;         // the alarm as last set
  proto::ClientRequest request_;   // scratch: parsing into it again reuses its memory
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_NODE_H_
