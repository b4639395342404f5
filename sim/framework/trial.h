// One seed, one run of a user's own system (system.h), in two phases:
//
//   storm  servers crash, disks tear, messages are lost; only what must never happen is judged
//   calm   faults have ended: everybody must be served, and what the system still waits for must
//          come, in bounded virtual time
//
// The same seed and options give the same run, in every build and on every machine.
#ifndef LOCKSTEP_SIM_FRAMEWORK_TRIAL_H_
#define LOCKSTEP_SIM_FRAMEWORK_TRIAL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/types.h"
#include "sim/faults/fault_kind.h"
#include "sim/framework/system.h"
#include "sim/trace/trace.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

// Every kind of fault that a trial can bring about: not those that strike at Raft's elections and
// snapshots, and none that takes away for ever what a server had on its disk.
FaultSet GeneralFaults();

// What a person chooses; how the network and the disks behave is drawn from the seed.
struct TrialOptions {
  uint64_t seed = 1;     // decides everything that is not said here
  uint16_t servers = 3;  // 1 to 60
  uint16_t clients = 2;  // 0 to 1000
  // The time scale of the protocol, its longest time-out: faults last for parts and for multiples
  // of it, and come some of it apart. Above zero.
  Duration unit = std::chrono::milliseconds(100);
  // The storm's virtual time. It ends earlier when all clients are done.
  Duration storm = std::chrono::seconds(20);
  // Virtual time of the calm, in which all that is to come must have come.
  Duration calm_max = std::chrono::seconds(60);
  uint64_t events_max = 2'000'000;  // a run that takes more is a livelock and fails
  // Kinds that may be on in a run; a coin per kind decides. What is not general never is.
  FaultSet faults = GeneralFaults();
  bool all_faults_on = false;  // no coins: every kind of `faults` is on
  // In the calm of some runs only so many servers come back. The others stay dead, cut off, with a
  // disk that hangs or links that lose most messages: for systems that promise to go on with a part
  // of their servers. 0: all come back.
  uint16_t survivors_min = 0;
  Schedule schedule = Schedule::kRandom;   // in the storm
  DrawTape* tape = nullptr;                // as of RunOptions
  TraceSink* trace = nullptr;              // a readable trace, not owned; nullptr: none
  uint64_t stop_after_event = UINT64_MAX;  // ends the run there, without a verdict
};

// Runs `system`, which must be fresh. RunReport::violation says what was found: a breach of an
// invariant (kSafety), no progress in the calm or too many events (kLiveness), or what the system
// reported itself. REQUIRES: the options are within their bounds.
RunReport RunTrial(const TrialOptions& options, System& system);

// Makes a fresh system, the same every time.
using MakeSystem = std::function<std::unique_ptr<System>()>;

// The run of this seed once more, for people: the verdict, what was drawn for the run, its faults,
// and the last `lines_max` lines of its trace.
std::string TellTrial(TrialOptions options, const MakeSystem& make, size_t lines_max = 60);

// The verdict in a few lines: the property, the evidence, and where the run stood.
std::string Describe(const RunReport& report);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FRAMEWORK_TRIAL_H_
