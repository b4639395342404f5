// A target of whole runs, of one profile of the simulator: its input is a decision log.
#ifndef LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_TARGET_H_
#define LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "fuzz/support/schedule_mutator.h"
#include "fuzz/support/structured_target.h"
#include "sim/world/simulation.h"

namespace lockstep::fuzz {

class ScheduleTarget final : public StructuredTarget {
 public:
  explicit ScheduleTarget(sim::Profile profile) : profile_(profile) {}

  // False, too: a log of another kind of run. Aborts when a checker objects, and says at which
  // event and why.
  bool Run(absl::string_view input) override;
  std::string Mutate(absl::string_view input, size_t bytes_max, unsigned seed) override;
  std::string CrossOver(absl::string_view one, absl::string_view other, size_t bytes_max,
                        unsigned seed) override;

 private:
  sim::DecisionLog LogOf(absl::string_view bytes, uint64_t seed) const;

  const sim::Profile profile_;
  Streams streams_;  // what the runs of this process have drawn: the mutator's choice
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_TARGET_H_
