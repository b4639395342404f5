#include "sim/world/group_placement.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/faults/targets.h"

namespace lockstep::sim {

GroupPlacement StoreOnAll(GroupId group, uint16_t servers) {
  GroupPlacement placement{.group = group};
  for (uint16_t id = 1; id <= servers; ++id) placement.members.emplace_back(id);
  return placement;
}

raft::Membership GroupPlacement::Beginning() const {
  std::vector<NodeId> voters;
  for (const NodeId member : members) {
    if (std::find(spare.begin(), spare.end(), member) == spare.end()) voters.push_back(member);
  }
  return raft::Membership(std::move(voters));
}

Quorums QuorumsOf(const std::vector<GroupPlacement>& groups) {
  absl::btree_map<GroupId, uint64_t> sets;
  for (const GroupPlacement& placement : groups) {
    uint64_t members = 0;
    for (const NodeId member : placement.members) {
      members |= One(static_cast<uint16_t>(member.value()));
    }
    Check(sets.emplace(placement.group, members).second, "each group once");
  }
  return Quorums(std::move(sets));
}

std::vector<node::HostedGroup> HostedBy(NodeId server, const std::vector<GroupPlacement>& groups) {
  std::vector<node::HostedGroup> hosted;
  for (const GroupPlacement& placement : groups) {
    const std::vector<NodeId>& members = placement.members;
    if (std::find(members.begin(), members.end(), server) == members.end()) continue;
    raft::Membership membership = placement.Beginning();
    const bool spare = !membership.IsMember(server);
    if (spare && placement.role != node::GroupRole::kStore) continue;
    if (spare) membership = raft::Membership();
    hosted.push_back(
        {.id = placement.group, .role = placement.role, .membership = std::move(membership)});
  }
  return hosted;
}

}  // namespace lockstep::sim
