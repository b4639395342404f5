// What a user brings to be simulated: the servers of a system, its clients, and what must hold.
// trial.h runs it. A System is one run's: make a fresh one for every seed.
//
// Servers are nodes 1 to TrialOptions::servers; clients are numbered from 0.
#ifndef LOCKSTEP_SIM_FRAMEWORK_SYSTEM_H_
#define LOCKSTEP_SIM_FRAMEWORK_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/runtime/host.h"
#include "core/runtime/process.h"
#include "sim/check/checker.h"
#include "sim/workload/sim_client.h"
#include "sim/world/software.h"
#include "storage/file_system.h"

namespace lockstep::sim {

// The servers as they are between two events: for looking at, not for touching.
class Servers {
 public:
  explicit Servers(uint16_t count) : processes_(count) {}  // all down

  // Up or down.
  uint16_t count() const { return static_cast<uint16_t>(processes_.size()); }
  // The process that lives at `server`; nullptr while it is down.
  // REQUIRES: 1 <= server <= count(); what lives there is a P.
  template <class P>
  const P* Live(NodeId server) const {
    const Process* process = processes_.at(server.value() - 1);
    if (process == nullptr) return nullptr;
    const P* typed = dynamic_cast<const P*>(process);
    Check(typed != nullptr, "another type of process lives on this server");
    return typed;
  }

  // For the trial: a life began, or ended (nullptr).
  void Set(NodeId server, const Process* process) { processes_.at(server.value() - 1) = process; }

 private:
  std::vector<const Process*> processes_;
};

// A client: a state machine that sends requests to servers through its ClientPort and remembers
// what it was answered. It never crashes; its messages are lost and delayed like all others.
class Client : public SimClient {
 public:
  // The storm is over: what was wrong ends, and every request can be served. The client now has to
  // bring its work to an end (Done()), and should make at least one call to prove that it can.
  virtual void Finish() = 0;
};

// A system under test. Boot and Describe are inherited from Software: Boot makes the process of a
// server, at every boot, from what its disk holds (log_storage.h has the simplest disk).
class System : public Software {
 public:
  // `port` outlives the client. All of the client's chance comes from `rng`.
  virtual std::unique_ptr<Client> MakeClient(uint16_t number, ClientPort& port, Rng rng) = 0;

  // Called after every event. What must always hold and does not is reported to `findings`, which
  // ends the run. It may remember what it saw before, for instance what was promised.
  virtual void CheckInvariants(const Servers& /*servers*/, Findings& /*findings*/) {}

  // Called once the storm is over: what still has to happen beside the clients being served, in
  // words; empty when nothing. Something that never comes is a violation of liveness.
  virtual std::string WaitingFor(const Servers& /*servers*/) const { return ""; }

  // Called once, when all is done: judges the run as a whole, for instance its history.
  virtual void CheckAtEnd(const Servers& /*servers*/, Findings& /*findings*/) {}
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FRAMEWORK_SYSTEM_H_
