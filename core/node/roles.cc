#include "core/node/roles.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/controller/controller_machine.h"
#include "core/kv/kv_machine.h"
#include "core/node/node.h"
#include "core/raft/group_configuration.h"
#include "core/shardkv/shard_machine.h"

namespace lockstep::node {
namespace {

class Machines final : public MachineFactory {
 public:
  explicit Machines(const NodeOptions& options) : options_(options) {
    options_.shard_groups.kv = options_.kv;
  }

  std::unique_ptr<StateMachine> Make(GroupId group) const override {
    switch (RoleOf(options_, group)) {
      case GroupRole::kStore:
        return std::make_unique<kv::KvMachine>(options_.kv);
      case GroupRole::kController:
        return std::make_unique<controller::ControllerMachine>(options_.controller);
      case GroupRole::kShards:
        return std::make_unique<shardkv::ShardMachine>(options_.shard_groups);
    }
    Check(false, "a group without a role");
    return nullptr;
  }

 private:
  NodeOptions options_;
};

}  // namespace

HostedGroup HostedGroupOf(const NodeOptions& options, GroupId group) {
  for (const HostedGroup& hosted : options.groups) {
    if (hosted.id == group) return hosted;
  }
  Check(options.takes_replicas, "a group that is not hosted here");
  return {.id = group,
          .role = group == kControllerGroup ? GroupRole::kController : GroupRole::kShards,
          .membership = raft::Membership()};
}

GroupRole RoleOf(const NodeOptions& options, GroupId group) {
  return HostedGroupOf(options, group).role;
}

bool IsAlone(const NodeOptions& options, GroupId group, const Bytes& configuration) {
  const HostedGroup hosted = HostedGroupOf(options, group);
  const raft::Membership beginning = hosted.membership.value_or(options.raft.membership);
  const bool readable = raft::DecodeConfiguration(configuration.view()).ok();
  const raft::GroupConfiguration newest =
      raft::ConfigurationOf(readable ? configuration : Bytes(), beginning);
  return !newest.members.empty() &&
         std::all_of(newest.members.begin(), newest.members.end(),
                     [&](const raft::GroupMember& member) { return member.node == options.self; });
}

std::unique_ptr<MachineFactory> MakeMachines(const NodeOptions& options) {
  return std::make_unique<Machines>(options);
}

std::unique_ptr<Process> MakeNode(const NodeOptions& options, std::vector<ReplicaImage> images,
                                  Rng rng, const Host& host) {
  return std::make_unique<Node>(options, std::move(images), rng, host);
}

}  // namespace lockstep::node
