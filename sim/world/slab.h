// Values with small numbers for names, reused through a free list: what an event carries, without
// an allocation for each.
#ifndef LOCKSTEP_SIM_WORLD_SLAB_H_
#define LOCKSTEP_SIM_WORLD_SLAB_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/check.h"

namespace lockstep::sim {

// References into it end with the next Add.
template <class T>
class Slab {
 public:
  uint32_t Add(T value) {
    ++live_;
    if (free_.empty()) {
      values_.push_back(std::move(value));
      return static_cast<uint32_t>(values_.size() - 1);
    }
    const uint32_t slot = free_.back();
    free_.pop_back();
    values_[slot] = std::move(value);
    return slot;
  }
  T& operator[](uint32_t slot) { return values_[slot]; }
  // Moves the value out and frees its slot.
  T Take(uint32_t slot) {
    CheckLt(slot, values_.size());
    --live_;
    free_.push_back(slot);
    return std::move(values_[slot]);
  }
  size_t live() const { return live_; }

 private:
  std::vector<T> values_;
  std::vector<uint32_t> free_;  // the last one freed is used first: it is in the cache
  size_t live_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_SLAB_H_
