// Whole runs of the simulator (a controller and groups, between which shards move). The input is a
// decision log: a seed, and in which draws the run differs from that of the seed; latencies,
// losses, faults and what clients do are all draws. New edges of the code are worth keeping, and so
// are new states of the cluster (sim/trace/abstract_state.h).
//
// A crash file is a run: lockstep-sim replay --decisions FILE.
#include "fuzz/support/schedule_target.h"

namespace {

constexpr auto kProfile = lockstep::sim::Profile::kShard;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return lockstep::fuzz::RunSchedule(kProfile, data, size);
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t bytes_max,
                                          unsigned seed) {
  return lockstep::fuzz::MutateSchedule(kProfile, data, size, bytes_max, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* one, size_t one_size,
                                            const uint8_t* other, size_t other_size, uint8_t* out,
                                            size_t bytes_max, unsigned seed) {
  return lockstep::fuzz::CrossSchedules(kProfile, {reinterpret_cast<const char*>(one), one_size},
                                        {reinterpret_cast<const char*>(other), other_size}, out,
                                        bytes_max, seed);
}
