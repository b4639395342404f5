// Which servers hold replicas of which groups: data, the same for all servers of a run.
#ifndef LOCKSTEP_SIM_WORLD_GROUP_PLACEMENT_H_
#define LOCKSTEP_SIM_WORLD_GROUP_PLACEMENT_H_

#include <cstdint>
#include <vector>

#include "core/base/types.h"
#include "core/node/roles.h"
#include "sim/faults/quorums.h"

namespace lockstep::sim {

struct GroupPlacement {
  GroupId group;
  node::GroupRole role = node::GroupRole::kStore;
  std::vector<NodeId> members = {};  // of some configuration, perhaps
  std::vector<NodeId> spare = {};    // of the members: in no configuration at first
  // The others.
  raft::Membership Beginning() const;
};

// A store that lives on the servers 1 to `servers`.
GroupPlacement StoreOnAll(GroupId group, uint16_t servers);

// REQUIRES: there is a group, each has another id and has members.
Quorums QuorumsOf(const std::vector<GroupPlacement>& groups);

// The groups of which the server is a member, in their order. Where it is spare, it has a replica
// of a store that knows no members; of other groups none, until a leader sends it the log.
std::vector<node::HostedGroup> HostedBy(NodeId server, const std::vector<GroupPlacement>& groups);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_GROUP_PLACEMENT_H_
