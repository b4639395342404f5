// What the two searches (frontier and depth first) have in common: they run in slices of steps, so
// that a deterministic scheduler can turn from one to the other.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SEARCH_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SEARCH_H_

#include <cstdint>

namespace lockstep::linearizability {

enum class Progress : uint8_t {
  kWorking,       // the slice is used up
  kLinearizable,  // final
  kViolation,     // final
  kGaveUp,        // final: no memory left
  kTooNarrow,     // final: no verdict, since configurations were left out
};

// Counts the steps of a slice: one step is one configuration or one operation looked at.
struct Steps {
  uint64_t used = 0;
  uint64_t max = 0;  // of this slice
  bool exhausted() const { return used >= max; }
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_SEARCH_H_
