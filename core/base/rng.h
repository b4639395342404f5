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

// Who is told of every draw of a run, and may replace it: a recording, or one that is played back.
//
// A place names a draw, whatever the seed: the stream, by the names that it was split by, and the
// how-manieth of the stream. Places that follow each other in a stream are kDrawStep apart.
class DrawTape {
 public:
  virtual ~DrawTape() = default;
  // The draw at `place` came out as `drawn`; the consumer gets what this returns.
  virtual uint64_t Draw(uint64_t place, uint64_t drawn) = 0;
};
inline constexpr uint64_t kDrawStep = 0x9E3779B97F4A7C15;  // from a place to the next

// SplitMix64 (Steele, Lea and Flood 2014): small state, passes BigCrush, every seed is a good seed.
class Rng {
 public:
  // Equal seeds give equal streams, in every build.
  // `tape`, if any, outlives it and all that is split from it.
  explicit constexpr Rng(uint64_t seed, DrawTape* tape = nullptr) : state_(seed), tape_(tape) {}

  // An independent stream for one consumer. Does not advance this one.
  Rng Split(absl::string_view name) const {
    const uint64_t hash = StableHash(name);
    return Rng(Mix64(state_ ^ hash), Mix64(place_ ^ hash), tape_);
  }
  // One for each of many consumers of a kind.
  Rng Split(absl::string_view name, uint64_t number) const {
    const Rng kind = Split(name);
    return Rng(Mix64(kind.state_ + number * kDrawStep), Mix64(kind.place_ + number * kDrawStep),
               tape_);
  }

  // 64 bits, all of them fair.
  uint64_t Next() {
    state_ += kDrawStep;
    place_ += kDrawStep;
    const uint64_t drawn = Mix64(state_);
    return tape_ == nullptr ? drawn : tape_->Draw(place_, drawn);
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
  constexpr Rng(uint64_t state, uint64_t place, DrawTape* tape)
      : state_(state), place_(place), tape_(tape) {}

  uint64_t state_;
  uint64_t place_ = 0;  // what the state would be, had the seed been 0
  DrawTape* tape_;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_RNG_H_
