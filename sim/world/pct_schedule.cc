#include "sim/world/pct_schedule.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/base/check.h"

namespace lockstep::sim {

PctSchedule::PctSchedule(const PctOptions& options, size_t chains, Rng rng)
    : options_(options), ranks_(chains), ended_(options.window == 0) {
  if (ended_) return;
  CheckLe(1u, options.depth);
  // A permutation drawn from the end (Fisher and Yates).
  for (size_t i = 0; i < chains; ++i) ranks_[i] = i;
  for (size_t i = chains; i > 1; --i) std::swap(ranks_[i - 1], ranks_[rng.Below(i)]);
  for (uint32_t i = 1; i < options.depth; ++i) {
    moments_.push_back(rng.Between(1, options.steps_max));
  }
  std::sort(moments_.begin(), moments_.end(), std::greater<>());
}

int64_t PctSchedule::Hold(size_t chain) {
  if (ended_) return 0;
  CheckLt(chain, ranks_.size());
  ++step_;
  while (!moments_.empty() && moments_.back() <= step_) {
    moments_.pop_back();
    ++changes_;
    const size_t from = ranks_[chain];
    for (size_t& rank : ranks_) rank -= rank > from ? 1 : 0;
    ranks_[chain] = ranks_.size() - 1;
  }
  const auto above = static_cast<int64_t>(ranks_[chain]);
  return options_.window / static_cast<int64_t>(ranks_.size()) * above;
}

}  // namespace lockstep::sim
