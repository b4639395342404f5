// Faults aimed at what the protocol has just done: in the window of a write, at an election, at a
// snapshot, behind a promise. Chance alone seldom hits windows of microseconds.
//
// Each kind is armed from time to time (FaultRate::gap_mean) and then hits one of its next
// opportunities: so their number does not depend on how often opportunities come.
#ifndef LOCKSTEP_SIM_FAULTS_AIMED_FAULTS_H_
#define LOCKSTEP_SIM_FAULTS_AIMED_FAULTS_H_

#include <array>
#include <cstdint>

#include "core/runtime/journal.h"
#include "core/runtime/storage_job.h"
#include "sim/faults/fault_plan.h"
#include "sim/world/observer.h"
#include "sim/world/slab.h"
#include "sim/world/world.h"

namespace lockstep::sim {

class AimedFaults {
 public:
  // All outlive this object.
  AimedFaults(const FaultOptions& options, FaultPlan& plan, World& world, Rng rng);

  // Called in the course of events; strikes are events of their own.
  void OnNote(NodeHost& host, const Note& note);
  void OnSubmitted(NodeHost& host, const StorageJob& job);
  Interference BeforeStorage(NodeHost& host, const StorageJob& job);
  Interference BeforeBoot(NodeHost& host);
  // A kStrike event.
  void OnEvent(const Event& event);

 private:
  struct Strike {
    FaultKind kind{};
    uint64_t servers = 0;
    bool crash = true;       // or cut off
    bool clients = false;    // cut off from its clients too
    uint16_t successor = 0;  // of a leader that hands over
  };

  // Whether the kind is on and armed and takes this opportunity; then it is armed anew.
  bool Takes(FaultKind kind);
  void StrikeAfter(FaultKind kind, uint64_t servers, int64_t delay, bool may_cut_off);
  void Schedule(const Strike& strike, int64_t delay);
  // A read or a write of it fails, or finds no space; of the log no read.
  Interference FailCall(NodeHost& host, bool log, uint64_t calls_max);
  Interference Interfere(FaultKind kind, NodeHost& host, Interference::Kind how,
                         uint64_t operations_max);
  void OnSnapshot(const NodeHost& host, NodeId peer);
  void OnHandover(const NodeHost& host);
  uint64_t Writing();  // the servers whose log lane is busy

  const FaultOptions& options_;
  FaultPlan& plan_;
  World& world_;
  Rng rng_;
  std::array<int64_t, kFaultKinds> armed_at_{};  // ns; kNoTime: the kind is off
  Slab<Strike> strikes_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_AIMED_FAULTS_H_
