// The depth-first search of Wing and Gong 1993 with the list and the memo of Lowe 2017 (Testing for
// Linearizability), as in Porcupine; the memo holds fingerprints of the set of linearized
// operations together with the state. Quick on histories that are linearizable; a wrong one can
// cost it exponential time, and open operations always do.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_DEPTH_FIRST_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_DEPTH_FIRST_H_

#include <cstdint>
#include <vector>

#include "sim/check/linearizability/partition.h"
#include "sim/check/linearizability/search.h"
#include "sim/check/linearizability/tables.h"

namespace lockstep::linearizability {

class DepthFirst {
 public:
  // Both outlive the search.
  DepthFirst(Partition& partition, MemoryMeter& memory);
  ~DepthFirst();
  DepthFirst(const DepthFirst&) = delete;
  DepthFirst& operator=(const DepthFirst&) = delete;

  // Goes on until there is a verdict or the slice is used up. When memory is short the memo stops
  // growing, which costs steps; this search never gives up.
  Progress Run(Steps& steps);
  // The operations taken, in order. After kLinearizable: a linearization.
  std::vector<uint32_t> Order() const;

 private:
  struct Taken {  // one level of the search
    uint32_t entry;
    StateId state_before;
  };
  using Fingerprint = FingerprintSet::Fingerprint;

  bool Take(uint32_t node);  // false: not legal here, useless, or been here before
  void Lift(uint32_t node);
  void Unlift(uint32_t node);
  void Backtrack();
  bool Remember(Fingerprint f);  // false if it is known

  Partition& partition_;
  MemoryMeter& memory_;
  // The events as a doubly linked list. Node 0 is the head; event i is node i + 1.
  std::vector<Event> events_;
  std::vector<uint32_t> next_;
  std::vector<uint32_t> previous_;
  std::vector<uint32_t> invocation_;  // by entry: its nodes
  std::vector<uint32_t> return_;      // by entry: 0 if open
  uint32_t cursor_ = 0;
  uint32_t unreturned_ = 0;  // completed operations not yet taken
  StateId state_;
  Fingerprint taken_set_;  // of the set of operations taken
  std::vector<Taken> taken_;
  FingerprintSet memo_;
  Progress progress_ = Progress::kWorking;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_DEPTH_FIRST_H_
