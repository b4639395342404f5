// Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010) in virtual time.
//
// What the paper calls threads are chains here: each link in one direction, and each lane of each
// disk. Every chain has a priority; whatever happens on it is held back by as much of the window as
// chains are above it, so that of all that could happen within a window the chain of the highest
// priority goes first, again and again, for as long as the run lasts. At depth - 1 moments drawn
// beforehand the chain that is just about to go on falls below all others. An order of events that
// it takes `depth` such decisions to bring about is met with a probability that does not depend on
// how many events the bug needs to be kept waiting for.
#ifndef LOCKSTEP_SIM_WORLD_PCT_SCHEDULE_H_
#define LOCKSTEP_SIM_WORLD_PCT_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/rng.h"

namespace lockstep::sim {

struct PctOptions {
  int64_t window = 0;      // ns that the lowest chain is held back; 0: no such schedule
  uint32_t depth = 1;      // of the bugs that are looked for; at least 1
  uint64_t steps_max = 1;  // changes of priority come among so many steps; at least 1
};

class PctSchedule {
 public:
  // Chains are numbered from 0 to `chains` - 1.
  PctSchedule(const PctOptions& options, size_t chains, Rng rng);

  // The next step of the chain is held back for so many ns.
  int64_t Hold(size_t chain);
  // From now on nothing is.
  void End() { ended_ = true; }
  uint64_t changes() const { return changes_; }  // of priority, so far

 private:
  const PctOptions options_;
  std::vector<size_t> ranks_;      // by chain: how many are above it
  std::vector<uint64_t> moments_;  // descending: the steps at which a chain falls
  uint64_t step_ = 0;
  uint64_t changes_ = 0;
  bool ended_ = false;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_PCT_SCHEDULE_H_
