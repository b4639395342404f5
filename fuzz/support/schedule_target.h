// What a fuzz target of whole runs consists of, for one profile of the simulator.
#ifndef LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_TARGET_H_
#define LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_TARGET_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "sim/world/simulation.h"

namespace lockstep::fuzz {

// Runs the decision log. -1: it is none, or one of another kind of run. Aborts when a checker
// objects, and says at which event and why.
int RunSchedule(sim::Profile profile, const uint8_t* data, size_t size);

// As libFuzzer's LLVMFuzzerCustomMutator and LLVMFuzzerCustomCrossOver. What is no log becomes one.
size_t MutateSchedule(sim::Profile profile, uint8_t* data, size_t size, size_t bytes_max,
                      unsigned seed);
size_t CrossSchedules(sim::Profile profile, absl::string_view one, absl::string_view other,
                      uint8_t* out, size_t bytes_max, unsigned seed);

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_TARGET_H_
