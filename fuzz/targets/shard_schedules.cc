// Whole runs of the simulator (a controller and groups, between which shards move). The input is a
// decision log: a seed, and in which draws the run differs from that of the seed; latencies,
// losses, faults and what clients do are all draws. New edges of the code are worth keeping, and so
// are new states of the cluster (sim/trace/abstract_state.h).
//
// A crash file is a run: lockstep-sim replay --decisions FILE.
#include "fuzz/support/schedule_target.h"

namespace lockstep::fuzz {

StructuredTarget& TheTarget() {
  static ScheduleTarget target(sim::Profile::kShard);
  return target;
}

}  // namespace lockstep::fuzz
