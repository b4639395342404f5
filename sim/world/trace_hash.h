// The 128-bit fingerprint of a run: equal runs have equal ones, in every build and on every
// machine.
//
// Two lanes of 64 bits take every word through different rotations, operations and multipliers, so
// that one lane's collision is not the other's. Integers only.
#ifndef LOCKSTEP_SIM_WORLD_TRACE_HASH_H_
#define LOCKSTEP_SIM_WORLD_TRACE_HASH_H_

#include <bit>
#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"

namespace lockstep::sim {

class TraceHash {
 public:
  void Add(uint64_t word) {
    a_ = (std::rotl(a_, 23) ^ word) * 0x9E3779B97F4A7C15;
    b_ = (std::rotl(b_, 41) + (word ^ 0xA0761D6478BD642F)) * 0xE7037ED1A0B428DB;
    a_ ^= a_ >> 29;
    b_ ^= b_ >> 32;
  }
  uint64_t low() const { return a_; }
  uint64_t high() const { return b_; }
  // 32 hexadecimal digits.
  std::string ToString() const { return absl::StrFormat("%016x%016x", b_, a_); }
  friend bool operator==(const TraceHash&, const TraceHash&) = default;

 private:
  uint64_t a_ = 0x243F6A8885A308D3;  // pi
  uint64_t b_ = 0x13198A2E03707344;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_TRACE_HASH_H_
