// Waiting times in integers, the same on every machine.
#ifndef LOCKSTEP_SIM_NETWORK_LATENCY_H_
#define LOCKSTEP_SIM_NETWORK_LATENCY_H_

#include <bit>
#include <cstdint>

#include "core/base/rng.h"

namespace lockstep::sim {

// Close to exponential with this mean, never above 22 times the mean. -log2 of a uniform draw in
// (0, 1) is exponential; here it is the draw's number of leading zeros and a fraction, taken as
// linear between powers of two. Zeros have the mean 1, the fraction 1/2, so two thirds of it have
// the mean 1.
inline int64_t ExponentialTail(Rng& rng, int64_t mean) {
  const uint64_t draw = rng.Next() | (uint64_t{1} << 31);  // at most 32 leading zeros
  const int zeros = std::countl_zero(draw);
  const uint64_t mantissa = (draw << zeros << 1) >> 48;  // 16 bits below the leading one
  const uint64_t log2 = (static_cast<uint64_t>(zeros + 1) << 16) - mantissa;
  __extension__ using Wide = unsigned __int128;
  return static_cast<int64_t>((static_cast<Wide>(log2) * static_cast<uint64_t>(mean) * 2 / 3) >>
                              16);
}

// ns that so many bytes take. Per second 0: none.
inline int64_t TimeFor(uint64_t bytes, uint64_t per_second) {
  __extension__ using Wide = unsigned __int128;
  if (per_second == 0) return 0;
  return static_cast<int64_t>(static_cast<Wide>(bytes) * 1'000'000'000 / per_second);
}

// A waiting time: a floor, an exponential part, and now and then many times as much.
struct Latency {
  int64_t floor = 0;            // ns
  int64_t mean = 0;             // ns, of the exponential part
  Ratio tail{0, 1};             // how often the exponential part is multiplied
  uint32_t tail_doublings = 0;  // by up to 2^this; every power is equally likely

  int64_t Draw(Rng& rng) const {
    int64_t part = mean == 0 ? 0 : ExponentialTail(rng, mean);
    if (tail.numerator != 0 && rng.Chance(tail)) part <<= rng.Below(tail_doublings + 1);
    return floor + part;
  }
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_NETWORK_LATENCY_H_
