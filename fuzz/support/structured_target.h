// A target whose inputs have a structure, and so mutators of their own. It defines TheTarget;
// structured_target.cc makes libFuzzer's functions of it. Without libFuzzer nothing is mutated.
#ifndef LOCKSTEP_FUZZ_SUPPORT_STRUCTURED_TARGET_H_
#define LOCKSTEP_FUZZ_SUPPORT_STRUCTURED_TARGET_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace lockstep::fuzz {

class StructuredTarget {
 public:
  virtual ~StructuredTarget() = default;

  // False: it is no input of this target, and none for its corpus.
  virtual bool Run(absl::string_view input) = 0;
  // Another input, of `bytes_max` at most. What is none becomes one.
  virtual std::string Mutate(absl::string_view input, size_t bytes_max, unsigned seed) = 0;
  virtual std::string CrossOver(absl::string_view one, absl::string_view other, size_t bytes_max,
                                unsigned seed) = 0;
};

StructuredTarget& TheTarget();

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_STRUCTURED_TARGET_H_
