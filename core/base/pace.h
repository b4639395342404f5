// A limit on bytes per second: whoever has moved some waits for as long as they should have taken.
#ifndef LOCKSTEP_CORE_BASE_PACE_H_
#define LOCKSTEP_CORE_BASE_PACE_H_

#include <algorithm>
#include <cstdint>

#include "core/base/types.h"

namespace lockstep {

class Pace {
 public:
  // Zero: there is no limit.
  explicit Pace(uint64_t bytes_per_second_max) : rate_(bytes_per_second_max) {}

  // Not before.
  Instant next() const { return next_; }
  bool MayGoOn(Instant now) const { return now >= next_; }
  // What was idle time is not saved up: there are no bursts.
  void Moved(Instant now, uint64_t bytes) {
    if (rate_ == 0) return;
    constexpr uint64_t kNanosPerSecond = 1'000'000'000;
    const uint64_t nanos = std::min(bytes, uint64_t{1} << 32) * kNanosPerSecond / rate_;
    next_ = std::max(next_, now) + Duration(static_cast<int64_t>(nanos));
  }

 private:
  const uint64_t rate_;
  Instant next_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_PACE_H_
