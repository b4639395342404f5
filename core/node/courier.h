// The way of a node's messages to other nodes, and to its own replicas.
//
// Heartbeats, and the answers to them, wait for the end of the turn: those for the same node leave
// together, so that a thousand groups cost a peer one message an interval. Nothing else waits.
#ifndef LOCKSTEP_CORE_NODE_COURIER_H_
#define LOCKSTEP_CORE_NODE_COURIER_H_

#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/bytes.h"
#include "core/base/parcel.h"
#include "core/base/types.h"
#include "core/proto/node.pb.h"
#include "core/raft/messages.h"
#include "core/runtime/host.h"

namespace lockstep::node {

class Courier {
 public:
  // `transport` outlives the courier.
  Courier(NodeId self, Transport& transport) : self_(self), transport_(transport) {}

  // From now on: there are several groups.
  void BundleHeartbeats() { bundles_ = true; }

  // The same entries for several peers are encoded once.
  void Send(NodeId to, GroupId group, const raft::Message& message);
  // What is meant for this node stays inside: see TakeLocal.
  void Send(NodeId to, proto::NodeMessage message);

  // At the end of a turn.
  void Flush();
  // What the node's replicas have said to each other since the last call.
  std::vector<proto::NodeMessage> TakeLocal();

 private:
  // The last append of this turn, by what makes it the same as another.
  struct Encoded {
    GroupId group;
    Term term;
    LogPosition prev;
    Index commit;
    ReadSeq read_seq;
    std::vector<const char*> entries;  // where their data is
    Parcel parcel;
  };
  Parcel Encode(GroupId group, const raft::Message& message);

  const NodeId self_;
  bool bundles_ = false;
  Transport& transport_;
  absl::btree_map<NodeId, std::vector<Bytes>> waiting_;
  std::vector<proto::NodeMessage> local_;
  Encoded last_append_;  // an empty parcel: none in this turn
};

// Whether the bytes are an encoded proto::NodeMessage, if they are anything: raft's messages are
// told apart from them by their first field. Total.
bool IsNodeMessage(const Bytes& message);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_COURIER_H_
