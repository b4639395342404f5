// Where a process runs: the ways out of it. One side is simulated, the other is libuv and a real
// disk. Chance is not a seam: a process is built with its own Rng.
#ifndef LOCKSTEP_CORE_RUNTIME_HOST_H_
#define LOCKSTEP_CORE_RUNTIME_HOST_H_

#include "core/base/bytes.h"
#include "core/base/parcel.h"
#include "core/base/types.h"
#include "core/runtime/journal.h"
#include "core/runtime/storage_job.h"

namespace lockstep {

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic, and constant within an event.
  virtual Instant Now() const = 0;
  // One alarm; a later call replaces it. kNever: none.
  virtual void WakeAt(Instant when) = 0;
};

// The way to the peers.
class Transport {
 public:
  virtual ~Transport() = default;
  // Best effort: the message may arrive late, twice, out of order, or never.
  virtual void Send(NodeId to, Bytes message) = 0;
  // The same for a message in two pieces. A host that can send them without joining them does.
  virtual void SendParcel(NodeId to, Parcel parcel) { Send(to, parcel.Joined()); }
};

// The way to the disk, which works on its own.
class Disk {
 public:
  virtual ~Disk() = default;
  // Queues a job on its lane. Process::OnStorage hears of it in a later event, in the lane's order.
  virtual Ticket Submit(StorageJob job) = 0;
};

// The way back to the clients.
class Replies {
 public:
  virtual ~Replies() = default;
  // Best effort too. At most once for each request, and only for one that this life has heard.
  virtual void Reply(RequestId id, Bytes reply) = 0;
};

// All the ways out together. What they refer to outlives the process.
struct Host {
  Clock& clock;          // time and one alarm
  Transport& transport;  // to peers
  Disk& disk;            // durable state
  Replies& replies;      // to clients
  Journal& journal;      // what was decided, for whoever watches
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_HOST_H_
