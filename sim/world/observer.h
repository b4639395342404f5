// Who watches the servers of a world from outside: checkers, counters and aimed faults, put
// together by the simulation. The world works without knowing them.
#ifndef LOCKSTEP_SIM_WORLD_OBSERVER_H_
#define LOCKSTEP_SIM_WORLD_OBSERVER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "core/runtime/journal.h"
#include "core/runtime/storage_job.h"
#include "sim/network/link.h"
#include "sim/world/event_queue.h"

namespace lockstep::sim {

class NodeHost;

// What happens to a storage operation, or to a boot, besides being executed.
struct Interference {
  enum class Kind : uint8_t {
    kNone,
    kPowerCut,  // power fails after `operations` more changes to the disk, at the latest at the end
    kUnheard,   // executed in full, but the process dies before it hears of it
    kSyncFailure,  // the `operations`th sync from its beginning fails, if it makes so many
    // Likewise a read or a write.
    kReadFailure,
    kWriteFailure,
    kNoSpace,
  };
  Kind kind = Kind::kNone;
  uint64_t operations = 0;
  uint32_t fault = kNoFault;  // who did it
  int64_t downtime = 0;       // ns until the server boots again

  // Whether the server is dead afterwards in any case.
  bool Kills() const { return kind == Kind::kPowerCut || kind == Kind::kUnheard; }
};

// Called in the course of an event. An observer changes the world only by scheduling events and
// through what it returns.
class WorldObserver {
 public:
  virtual ~WorldObserver() = default;
  // An event of actor 0: faults and phases.
  virtual void OnWorldEvent(const Event& event) = 0;
  virtual void OnNote(NodeHost& host, const Note& note) = 0;
  // A client's request has come; the process sees it next.
  virtual void OnRequest(NodeHost& host, RequestId id) = 0;
  // A server sends a message to another one.
  virtual void OnSent(NodeHost&, NodeId /*to*/, const Bytes& /*message*/) {}
  virtual void OnSubmitted(NodeHost& host, const StorageJob& job) = 0;
  // The job's time is over; it is executed next.
  virtual Interference BeforeStorage(NodeHost& host, const StorageJob& job) = 0;
  virtual void OnStored(NodeHost& host, const StorageJob& job, const StorageResult& result) = 0;
  virtual Interference BeforeBoot(NodeHost& host) = 0;
  virtual void OnCrashed(NodeHost& host) = 0;
  // The server has measured how much space its disk has left; its process hears of it next.
  virtual void OnMeasured(NodeHost&, uint64_t /*free_bytes*/) {}
  // The server has read damage that it cannot get over without its people, and does not start.
  virtual void OnRefused(NodeHost&) {}
  // Something that no fault explains: a storage error, an answer to a request that was not asked.
  virtual void OnBroken(NodeHost& host, std::string property, std::string evidence) = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_OBSERVER_H_
