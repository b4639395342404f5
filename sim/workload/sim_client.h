// A simulated client: what the world delivers to it, and what it may ask of the world.
#ifndef LOCKSTEP_SIM_WORKLOAD_SIM_CLIENT_H_
#define LOCKSTEP_SIM_WORKLOAD_SIM_CLIENT_H_

#include <cstdint>
#include <string>

#include "core/base/bytes.h"
#include "core/base/types.h"

namespace lockstep::sim {

// The world as one client sees it.
class ClientPort {
 public:
  virtual ~ClientPort() = default;
  virtual Instant Now() const = 0;        // virtual time, constant within an event
  virtual void WakeAt(Instant when) = 0;  // one alarm; a later call replaces it; kNever: none
  // A call to a node, over the simulated network: it may be lost or late, and arrives once at most
  // (as over TCP). The answer, if any comes, names the same attempt.
  virtual void SendRequest(NodeId node, uint64_t attempt, Bytes request) = 0;
};

// A client as the world sees it: a state machine, like all that is simulated.
class SimClient {
 public:
  virtual ~SimClient() = default;
  virtual void Start() = 0;  // once, when the run begins
  // The answer to an attempt: perhaps late, perhaps twice, perhaps to one that was given up.
  virtual void OnReply(uint64_t attempt, const Bytes& reply) = 0;
  // The alarm has come.
  virtual void OnWake() = 0;
  // Nothing outstanding and nothing more to issue.
  virtual bool Done() const = 0;
  // What it is waiting for, in words, for a liveness failure. Empty when Done().
  virtual std::string WaitingFor() const = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_SIM_CLIENT_H_
