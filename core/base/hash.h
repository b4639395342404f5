// Hashes that are the same in every build and for ever: they name random streams, place keys on
// shards and fingerprint runs. Not for defence against a hostile choice of keys.
#ifndef LOCKSTEP_CORE_BASE_HASH_H_
#define LOCKSTEP_CORE_BASE_HASH_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace lockstep {

// XXH3, 64 bits. Part of the on-disk and on-wire format: never change it.
uint64_t StableHash(absl::string_view bytes);

// A bijection that spreads every input bit over the whole word (SplitMix64's finaliser).
constexpr uint64_t Mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Chains `next` onto `hash`: order matters. Used for log chains.
constexpr uint64_t HashChain(uint64_t hash, uint64_t next) {
  return Mix64(hash * 0x9E3779B97F4A7C15 + Mix64(next + 0x2545F4914F6CDD1D));
}

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_HASH_H_
