// A set of configurations of the frontier search: a state and the set of operations, among those
// now open, that have been linearized. The set is a mask of as many words as the history needs: one
// for 64 operations that are open at a time.
//
// The last words of a mask belong to operations that stay open for ever ("crashed" below). These
// need not take effect, so of two configurations that differ only there the one that used fewer
// can do whatever the other can: only minimal sets are kept.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_CONFIGURATIONS_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_CONFIGURATIONS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/check/linearizability/states.h"

namespace lockstep::linearizability {

using Mask = std::vector<uint64_t>;

inline bool HasBit(const uint64_t* mask, uint32_t bit) {
  return (mask[bit / 64] >> (bit % 64)) & 1;
}
inline void SetBit(uint64_t* mask, uint32_t bit) { mask[bit / 64] |= uint64_t{1} << (bit % 64); }
inline void ClearBit(uint64_t* mask, uint32_t bit) {
  mask[bit / 64] &= ~(uint64_t{1} << (bit % 64));
}

class Configurations {
 public:
  // Masks have `words` words; those from `crashed_begin` on are of crashed operations.
  Configurations(size_t crashed_begin, size_t words)
      : crashed_begin_(crashed_begin), words_(words) {}

  size_t size() const { return states_.size(); }
  StateId state(uint32_t i) const { return states_[i]; }
  const uint64_t* mask(uint32_t i) const { return &masks_[i * words_]; }
  uint64_t bytes() const;

  void Clear();
  // The number of the new configuration; nothing if it, or one that is at least as good, is there.
  std::optional<uint32_t> Add(StateId state, const uint64_t* mask);
  // Whether one that used strictly fewer crashed operations has come since `i` was added.
  bool Dominated(uint32_t i) const;

  uint32_t CrashedUsed(const uint64_t* mask) const {
    int count = 0;
    for (size_t w = crashed_begin_; w < words_; ++w) count += std::popcount(mask[w]);
    return static_cast<uint32_t>(count);
  }

 private:
  static constexpr uint32_t kEnd = UINT32_MAX;
  struct Slot {
    uint64_t generation = 0;  // stale unless generation_: clearing the table costs nothing
    uint32_t first = kEnd;    // of a list of configurations that agree but for crashed operations
  };

  uint64_t Hash(StateId state, const uint64_t* mask) const;
  size_t Find(StateId state, const uint64_t* mask) const;  // place in slots_
  bool SameGroup(uint32_t i, StateId state, const uint64_t* mask) const;
  bool CrashedWithin(const uint64_t* a, const uint64_t* b) const;  // a is a subset of b
  void Grow();

  const size_t crashed_begin_;
  const size_t words_;
  std::vector<StateId> states_;
  std::vector<uint64_t> masks_;
  std::vector<uint32_t> next_;  // in its group
  std::vector<Slot> slots_;
  size_t groups_ = 0;
  uint64_t generation_ = 1;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_CONFIGURATIONS_H_
