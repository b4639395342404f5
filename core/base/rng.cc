#include "core/base/rng.h"

#include <bit>

namespace lockstep {

uint64_t Rng::Magnitude(uint64_t first, uint64_t final) {
  CheckLt(uint64_t{0}, first);
  CheckLe(first, final);
  const uint64_t low = static_cast<uint64_t>(std::bit_width(first) - 1);
  const uint64_t high = static_cast<uint64_t>(std::bit_width(final) - 1);
  const uint64_t power = Between(low, high);
  const uint64_t from = power == low ? first : uint64_t{1} << power;
  const uint64_t until = power == high ? final : (uint64_t{1} << (power + 1)) - 1;
  return Between(from, until);
}

}  // namespace lockstep
