// The only place that composes a node. The simulator, lockstepd and the tests all call it.
#ifndef LOCKSTEP_CORE_NODE_ROLES_H_
#define LOCKSTEP_CORE_NODE_ROLES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/controller/options.h"
#include "core/kv/options.h"
#include "core/node/space_gauge.h"
#include "core/raft/io.h"
#include "core/runtime/host.h"
#include "core/runtime/log.h"
#include "core/runtime/process.h"
#include "core/runtime/state_machine.h"
#include "core/shardkv/agent.h"
#include "core/shardkv/options.h"

namespace lockstep::node {

// What a group replicates.
enum class GroupRole : uint8_t {
  kStore,       // one key-value store
  kController,  // the configurations of a sharded one
  kShards,      // a part of a sharded one
};

// A group of which this node hosts a replica.
struct HostedGroup {
  GroupId id;
  GroupRole role = GroupRole::kStore;
  std::optional<raft::Membership> membership = {};  // none: that of NodeOptions::raft
};

// One node of a key-value cluster. All limits are data.
struct NodeOptions {
  NodeId self;
  std::vector<HostedGroup> groups;
  // A replica is made of any other group whose leader sends its log here: of the controller's or a
  // shard group by its id. It knows no members but those that the log names.
  bool takes_replicas = false;
  raft::Config raft;  // for each of them
  kv::KvOptions kv;   // of stores, and of each shard
  controller::ControllerOptions controller;
  uint32_t shards = 64;  // of a cluster that begins with this controller: 1 to kShardsMax
  shardkv::ShardOptions shard_groups;    // its `kv` is not looked at
  shardkv::AgentOptions agent;           // of shard groups
  std::vector<NodeId> controllers = {};  // whom shard groups ask for configurations
  // The controller forgets what no group needs any more, but keeps so many of the newest ones; it
  // looks so often.
  uint64_t configurations_kept = 100;
  Duration prune_every = std::chrono::seconds(10);
  // So often it looks whether what groups say of their members is news.
  Duration members_look_every = std::chrono::milliseconds(200);
  uint64_t apply_entries_max = 1024;             // in one job
  uint64_t apply_bytes_max = uint64_t{8} << 20;  // in one job (one entry always fits)
  // So often, on average, a node that leads several groups sees whether others lead fewer, and lets
  // them have one; zero: never.
  Duration leader_spread_every = Duration(0);
  // Of snapshots sent and shards fetched, together; zero: without limit.
  uint64_t bulk_bytes_per_second_max = 0;
  uint64_t requests_max = 65536;  // client calls not yet answered; beyond: OVERLOADED
  SpaceLimits space = {};         // beyond: NO_SPACE
  // The log is compacted when the entries that it holds reach this many bytes, or this many
  // entries...
  uint64_t log_bytes_max = uint64_t{64} << 20;
  uint64_t log_entries_max = 100000;
  // ...and keeps this many applied entries for followers that are a little behind.
  uint64_t log_entries_kept = 5000;
};

// REQUIRES: the node hosts the group, or takes replicas.
HostedGroup HostedGroupOf(const NodeOptions& options, GroupId group);
GroupRole RoleOf(const NodeOptions& options, GroupId group);

// Whether this node is the only member of the group, by `configuration`: the data of the newest
// kConfiguration entry that is known, or empty for the group's beginning. Total: what cannot be
// read counts as the beginning. REQUIRES: as for HostedGroupOf.
bool IsAlone(const NodeOptions& options, GroupId group, const Bytes& configuration);

// Makes the state machines of a node's groups. Give it to storage::Engine::Open.
std::unique_ptr<MachineFactory> MakeMachines(const NodeOptions& options);

// Makes one incarnation of a node, without a gateway, from what its disk holds. `host` outlives it.
std::unique_ptr<Process> MakeNode(const NodeOptions& options, std::vector<ReplicaImage> images,
                                  Rng rng, const Host& host);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_ROLES_H_
