// Everything that is drawn once per run. Printed, it explains a seed.
#ifndef LOCKSTEP_SIM_WORLD_CLIMATE_H_
#define LOCKSTEP_SIM_WORLD_CLIMATE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/gateway/options.h"
#include "core/node/roles.h"
#include "sim/faults/fault_options.h"
#include "sim/workload/shard_administrator.h"
#include "sim/workload/workload_options.h"
#include "sim/world/group_placement.h"
#include "sim/world/membership_administrator.h"
#include "sim/world/simulation.h"
#include "sim/world/world.h"
#include "storage/engine.h"

namespace lockstep::sim {

// Of a run in which shards move.
struct ShardedClimate {
  ShardAdministration administration;
  gateway::GatewayOptions gateway;  // of every server
};

struct Climate {
  WorldOptions world;
  // Together all servers are their members. Clients use the first one, and through it, if it is a
  // controller, all others.
  std::vector<GroupPlacement> groups;
  node::NodeOptions node;         // without its groups
  storage::EngineOptions engine;  // without its groups
  FaultOptions faults;
  WorkloadOptions workload;
  std::optional<ShardedClimate> sharded;
  std::optional<MembershipChanges> changes;  // of the first group's members; none: they stay
  Duration transfer_gap{0};    // an administrator moves leadership so often; zero: never
  Duration safety_time{0};     // of the safety phase, at most
  uint32_t digest_every = 32;  // one in so many apply jobs has its table compared; 0: none
  // In the liveness phase only a majority comes back; the others are dead or cut off for ever.
  bool minority_abandoned = false;

  // The time scale of the protocol: its longest election time-out.
  Duration unit() const { return node.raft.election_max; }
};

// Makes some servers spare at first, and lets an administrator change the members.
void DrawChanges(Rng rng, Climate& climate);

// Makes a controller and shard groups of it, with all that this draws.
void DrawSharded(const RunOptions& options, const Rng& streams, Climate& climate);

// `root` is the run's seed; each part has its own stream.
Climate DrawClimate(const RunOptions& options, const Rng& root);

// A few lines.
std::string Describe(const Climate& climate);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_CLIMATE_H_
