// Messages of one replica on their way out: those that rest on a write wait here until it is
// durable. This is the only place where a promise leaves a node, so it is where promises are noted.
#ifndef LOCKSTEP_CORE_NODE_OUTBOX_H_
#define LOCKSTEP_CORE_NODE_OUTBOX_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/types.h"
#include "core/node/courier.h"
#include "core/raft/io.h"
#include "core/runtime/host.h"

namespace lockstep::node {

class Outbox {
 public:
  Outbox(GroupId group, const Host& host, Courier& courier)
      : group_(group), host_(host), courier_(courier) {}

  // Sends, in order, each message whose write is durable; keeps the others. Empties `messages`.
  void Post(std::vector<raft::Outgoing>& messages, PersistSeq durable);
  // Sends what was waiting for a write that is durable now.
  void Release(PersistSeq durable);
  uint64_t waiting() const { return waiting_.size(); }

 private:
  void Send(const raft::Outgoing& outgoing);
  void NotePromise(const raft::Outgoing& outgoing);

  const GroupId group_;
  const Host& host_;
  Courier& courier_;
  std::deque<raft::Outgoing> waiting_;
  PersistSeq released_;  // what waits, waits for a later write than this
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_OUTBOX_H_
