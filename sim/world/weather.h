// How a run's network, disks and hosts behave when nothing is wrong with them: drawn once per run,
// so that over many seeds fast and slow ones, even and jittery ones all occur.
#ifndef LOCKSTEP_SIM_WORLD_WEATHER_H_
#define LOCKSTEP_SIM_WORLD_WEATHER_H_

#include <string>

#include "core/base/rng.h"
#include "sim/world/world.h"

namespace lockstep::sim {

NetworkOptions DrawNetwork(Rng rng);
HostOptions DrawHost(Rng rng);
// `unit`: the time scale of the protocol.
PctOptions DrawPct(Rng rng, const NetworkOptions& network, Duration unit);

// Network, disks, crashes and turns, a line each.
std::string Describe(const WorldOptions& world);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_WEATHER_H_
