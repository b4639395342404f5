// What runs: a process is pure, lives on one thread, and everything that reaches it arrives here.
//
// Events only step state machines; effects happen in OnTurnEnd, which the host calls after one
// event or after many. Nothing re-enters: no Host call invokes a Process method. Nothing outlives a
// crash: a process is an incarnation, and the host delivers no event of an earlier one to it.
#ifndef LOCKSTEP_CORE_RUNTIME_PROCESS_H_
#define LOCKSTEP_CORE_RUNTIME_PROCESS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/runtime/storage_job.h"

namespace lockstep {

// The file system of a node's data directory, as the host has measured it just now.
struct DiskSpace {
  uint64_t free_bytes = 0;  // for whoever runs the node
};

// What a host runs. Every call is an event, but OnTurnEnd.
class Process {
 public:
  virtual ~Process() = default;
  // Bytes from a peer: possibly late, twice, out of order, or malformed.
  virtual void OnMessage(NodeId from, const Bytes& message) = 0;
  // The job with this ticket is done, and with it all earlier ones of its lane. An error is final:
  // the host stops the process after delivering it.
  virtual void OnStorage(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result) = 0;
  // A client's call at this node. Answered at most once, through Replies.
  virtual void OnRequest(RequestId id, const Bytes& request) = 0;
  // The connection to a peer was lost or made: a hint, never proof.
  virtual void OnPeerLink(NodeId peer, bool up) = 0;
  // How much space the disk has left; now and then, at the latest a few seconds after a change.
  virtual void OnSpace(const DiskSpace&) {}
  // The alarm has come (at or after the time asked for).
  virtual void OnWake() = 0;
  // A turn of one or more events is over: now effects may happen. Also right after boot.
  virtual void OnTurnEnd() = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_PROCESS_H_
