// What the parts of a world have counted: disks, network, faults.
#ifndef LOCKSTEP_SIM_WORLD_WORLD_COUNTERS_H_
#define LOCKSTEP_SIM_WORLD_WORLD_COUNTERS_H_

#include "sim/world/simulation.h"
#include "sim/world/world.h"

namespace lockstep::sim {

// In a fixed order.
void AppendWorldCounters(World& world, Counters* counters);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_WORLD_COUNTERS_H_
