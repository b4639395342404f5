// Chance as a value. One 64-bit seed, split by name into independent streams, so that a draw added
// in one place moves no draw in another. Integers only, our own code throughout: the standard
// library's distributions differ between implementations. House rule: one draw per statement.
#ifndef LOCKSTEP_CORE_BASE_RNG_H_
#define LOCKSTEP_CORE_BASE_RNG_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/types.h"

namespace lockstep {

// A probability or a proportion without floating point.
struct Ratio {
  uint32_t numerator = 0;    // above the denominator: certain
  uint32_t denominator = 1;  // above zero
};

// SplitMix64 (Steele, Lea and Flood 2014): small state, passes BigCrush, every seed is a good seed.
class Rng {
 public:
  // Equal seeds give equal streams, in every build.
  explicit constexpr Rng(uint64_t seed) : state_(seed) {}

  // An independent stream for one consumer. Does not advance this one.
  Rng Split(absl::string_view name) const { return Rng(Mix64(state_ ^ StableHash(name))); }
  // One for each of many consumers of a kind.
  Rng Split(absl::string_view name, uint64_t number) const {
    return Rng(Mix64(Split(name).state_ + number * kGolden));
  }

  // 64 bits, all of them fair.
  uint64_t Next() {
    state_ += kGolden;
    return Mix64(state_);
  }
  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t Below(uint64_t bound) {
    CheckLt(uint64_t{0}, bound);
    return static_cast<uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
  }
  // Uniform in [first, final], both ends included. REQUIRES: first <= final.
  uint64_t Between(uint64_t first, uint64_t final) {
    CheckLe(first, final);
    const uint64_t span = final - first;
    return span == UINT64_MAX ? Next() : first + Below(span + 1);
  }
  // The same for times, to the nanosecond.
  Duration Between(Duration first, Duration final) {
    CheckLe(first.count(), final.count());
    return Duration(first.count() + static_cast<int64_t>(Below(
                                        static_cast<uint64_t>(final.count() - first.count()) + 1)));
  }
  // Log-uniform in [first, final]: every order of magnitude is equally likely, so that small and
  // large settings both occur. REQUIRES: 0 < first <= final.
  uint64_t Magnitude(uint64_t first, uint64_t final);
  // True with this probability.
  bool Chance(Ratio p) { return Below(p.denominator) < p.numerator; }

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;
  uint64_t state_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_RNG_H_
