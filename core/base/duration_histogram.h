// How long things took, in buckets whose bounds double. Adding is a shift and an increment.
#ifndef LOCKSTEP_CORE_BASE_DURATION_HISTOGRAM_H_
#define LOCKSTEP_CORE_BASE_DURATION_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/types.h"

namespace lockstep {

class DurationHistogram {
 public:
  // A sync of a fast disk takes 50 us; nothing that is measured here goes on for longer than 8 s.
  static constexpr Duration kFirstBound = std::chrono::microseconds(16);
  static constexpr size_t kBounds = 20;
  // Bucket i holds what took up to its bound, and longer than the bound before; the last, what took
  // longer than all.
  static constexpr size_t kBuckets = kBounds + 1;

  // REQUIRES: bound < kBounds.
  static constexpr Duration Bound(size_t bound) { return kFirstBound * (int64_t{1} << bound); }

  // Nothing takes less than no time: a negative duration counts as none.
  void Add(Duration took) {
    const auto nanos = static_cast<uint64_t>(std::max(took, Duration(0)).count());
    const auto first = static_cast<uint64_t>(kFirstBound.count());
    const auto bucket = nanos <= first ? 0 : std::bit_width((nanos - 1) / first);
    ++counts_[std::min(static_cast<size_t>(bucket), kBounds)];
    sum_ += Duration(static_cast<int64_t>(nanos));
  }

  const std::array<uint64_t, kBuckets>& counts() const { return counts_; }
  Duration sum() const { return sum_; }

 private:
  std::array<uint64_t, kBuckets> counts_ = {};
  Duration sum_{0};
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_DURATION_HISTOGRAM_H_
