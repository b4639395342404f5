// The frontier search: just-in-time linearization (Lowe 2017), the general
// decision procedure.
//
// Events are processed in order. The frontier is the set of configurations in
// which the history so far can have left the key. Only when an operation
// returns is it expanded, by the sequences of open operations that end with the
// one that returns. No configuration left: a violation.
//
// Of a wide frontier only the `width` configurations are kept that used the fewest of the
// operations that need not take effect. If these see the end, the history is linearizable; if they
// do not, that is no verdict, and a wider search has to look again.
//
// Cost: exponential in the number of operations that are open together and
// change the state, at worst; linear in the length of the history. Open
// operations are pruned by dominance (configurations.h), the rest by what is
// still to be observed (window.h).
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_FRONTIER_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_FRONTIER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/check/linearizability/configurations.h"
#include "sim/check/linearizability/partition.h"
#include "sim/check/linearizability/search.h"
#include "sim/check/linearizability/tables.h"
#include "sim/check/linearizability/window.h"

namespace lockstep::linearizability {

class Frontier {
 public:
  // Both outlive the search.
  Frontier(Partition& partition, MemoryMeter& memory, size_t width);
  ~Frontier();
  Frontier(const Frontier&) = delete;
  Frontier& operator=(const Frontier&) = delete;

  // Goes on until there is a verdict, memory is short or the slice is used up.
  Progress Run(Steps& steps);
  // The entry at whose return no configuration was left. The history was
  // linearizable up to there; since dead ends are seen in advance, it may still
  // be so for a while. REQUIRES: the verdict is kViolation.
  uint32_t stopped() const { return events_[next_event_].entry; }

 private:
  void BeginReturn(Steps& steps);
  void Expand(Steps& steps);
  void ExpandOne(uint32_t configuration, Steps& steps);
  void Linearize(uint32_t use, StateId state, const uint64_t* mask);
  void EndReturn();
  bool Crowded() const;  // no more configurations should be looked at for this return
  void KeepBest();
  // `finishes`: the last step satisfied the target.
  void Place(StateId state, const uint64_t* mask, bool finishes);
  bool Charge();

  Partition& partition_;
  MemoryMeter& memory_;
  const size_t width_;
  bool narrowed_ = false;  // configurations were left out
  const std::vector<Event> events_;
  Window window_;
  size_t next_event_ = 0;

  // The frontier: configuration i is states_[i] and the words of masks_ from i
  // * words on.
  std::vector<StateId> states_;
  Mask masks_;

  // While a return is being processed.
  bool expanding_ = false;
  uint32_t target_ = 0;         // the slot of the operation that returns
  uint32_t target_use_ = 0;     // the same, unless it can be spare
  bool target_wanted_ = false;  // it can, and may be worth linearizing though it need not be
  Configurations seen_;
  std::vector<std::vector<uint32_t>> levels_;  // to expand, by number of crashed operations used
  size_t level_ = 0;
  std::vector<uint32_t> done_;  // the target is satisfied
  Mask scratch_;
  Mask current_;
  std::vector<uint32_t> firsts_;

  uint64_t charged_ = 0;
  Progress progress_ = Progress::kWorking;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_FRONTIER_H_
