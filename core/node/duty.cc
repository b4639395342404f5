#include "core/node/duty.h"

#include "core/node/controller_duty.h"
#include "core/node/shard_duty.h"

namespace lockstep::node {

proto::SetMembers SayMembers(uint64_t gid, uint64_t joined,
                             const raft::GroupConfiguration& members) {
  proto::SetMembers said;
  said.set_gid(gid);
  said.set_joined(joined);
  said.set_membership(members.id.value());
  for (const raft::GroupMember& member : members.members) {
    if (member.after == raft::Standing::kVoter) said.add_nodes(member.node.value());
  }
  return said;
}

std::unique_ptr<Duty> MakeDuty(const NodeOptions& options, GroupId group, Rng rng, Courier& courier,
                               Pace& bulk) {
  switch (RoleOf(options, group)) {
    case GroupRole::kStore:
      return nullptr;
    case GroupRole::kController:
      return std::make_unique<ControllerDuty>(options, courier);
    case GroupRole::kShards:
      return std::make_unique<ShardDuty>(options, group, rng, courier, bulk);
  }
  return nullptr;
}

}  // namespace lockstep::node
