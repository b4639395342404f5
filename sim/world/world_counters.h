// What the parts of a world have counted: disks, network, faults.
#ifndef LOCKSTEP_SIM_WORLD_WORLD_COUNTERS_H_
#define LOCKSTEP_SIM_WORLD_WORLD_COUNTERS_H_

#include "sim/world/simulation.h"
#include "sim/world/world.h"

namespace lockstep::sim {

// In a fixed order. `possible`: the faults that can happen to what is simulated.
void AppendWorldCounters(World& world, FaultSet possible, Counters* counters);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_WORLD_COUNTERS_H_
