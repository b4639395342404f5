// Where a process runs: the ways out of it. One side is simulated, the other is libuv and a real
// disk. Chance is not a seam: a process is built with its own Rng.
#ifndef LOCKSTEP_CORE_RUNTIME_HOST_H_
#define LOCKSTEP_CORE_RUNTIME_HOST_H_

#include "core/base/bytes.h"
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

class Transport {
 public:
  virtual ~Transport() = default;
  // Best effort: the message may arrive late, twice, out of order, or never.
  virtual void Send(NodeId to, Bytes message) = 0;
};

class Disk {
 public:
  virtual ~Disk() = default;
  // Queues a job on its lane. Process::OnStorage hears of it in a later event, in the lane's order.
  virtual Ticket Submit(StorageJob job) = 0;
};

class Replies {
 public:
  virtual ~Replies() = default;
  virtual void Reply(RequestId id, Bytes reply) = 0;
};

struct Host {
  Clock& clock;
  Transport& transport;
  Disk& disk;
  Replies& replies;
  Journal& journal;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_HOST_H_
