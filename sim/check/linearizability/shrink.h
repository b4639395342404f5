// Makes a counterexample that a person can read out of a violation in a long history.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SHRINK_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SHRINK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/check/linearizability/checker.h"
#include "sim/check/linearizability/portfolio.h"
#include "sim/check/linearizability/subset.h"

namespace lockstep::linearizability {

class Shrinker {
 public:
  // Both outlive this.
  Shrinker(const History& history, const Finding& finding, uint64_t steps_max);

  // Within the budget: the smallest part found that is still a violation, and what to say of it.
  Counterexample Run();
  uint64_t steps() const { return judge_.steps(); }

 private:
  void SortByInvocation(std::vector<size_t>* operations) const;
  void Shrink();  // best_, from the whole
  void Narrow();  // to the operations around the culprits
  void NarrowAround(Instant middle);
  void AddReaders(size_t max, std::vector<uint32_t>* operations) const;
  void Drop();  // operations whose removal keeps the verdict
  bool DropChunks(size_t length);
  bool Try(std::vector<uint32_t> operations);
  // The subset cut at the first return that leaves a violation. REQUIRES: it is one.
  Subset CutAtFirst(const Subset& subset, uint64_t steps_max);
  // That return for the whole key, if it can be found. REQUIRES: `end` leaves a violation.
  std::optional<int64_t> FirstOfAll(int64_t end);
  void ShrinkAt(int64_t end);  // best_, from the whole cut at `end`
  void Explain(const Subset& cut, Counterexample* example);
  uint32_t ReturnedLast(const Subset& cut) const;
  std::vector<size_t> OrderBefore(const Subset& cut, uint64_t steps_max) const;
  std::optional<std::pair<size_t, size_t>> Blocking(size_t unplaced);
  // Whether there is an order once `first` may have lasted until `second` was invoked.
  bool Blocks(const History& part, size_t first, size_t second);

  const History& history_;
  const Finding& finding_;
  SubsetJudge judge_;
  Subset best_;  // a violation
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SHRINK_H_
