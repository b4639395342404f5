#include "bin/lockstepd_composition.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "bin/lockstepd_reserve.h"
#include "bin/lockstepd_times.h"
#include "core/base/placement.h"

namespace lockstep::lockstepd {
namespace {

std::vector<NodeId> Nodes(const std::vector<uint64_t>& numbers) {
  std::vector<NodeId> nodes;
  for (const uint64_t number : numbers) nodes.emplace_back(number);
  return nodes;
}

bool Contains(const std::vector<uint64_t>& numbers, NodeId node) {
  return std::find(numbers.begin(), numbers.end(), node.value()) != numbers.end();
}

}  // namespace

node::NodeOptions NodeOptionsOf(const Options& options, NodeId self, uint64_t incarnation) {
  node::NodeOptions node;
  node.self = self;
  node.takes_replicas = true;
  node.raft = RaftTimesOf(options);
  node.raft.incarnation = IncarnationId(incarnation);
  node.raft.self = self;
  node.shards = options.shards;
  node.controllers = Nodes(options.controller);
  // Memory for the log: small values fill it by count, large ones by bytes.
  node.log_entries_max = 20000;
  node.log_entries_kept = 2000;
  node.log_bytes_max = uint64_t{16} << 20;
  node.space = SpaceLimitsOf(options.space_soft_limit);
  node.bulk_bytes_per_second_max = options.bulk_rate_max;
  node.leader_spread_every = std::chrono::milliseconds(options.leader_spread_ms);
  if (Contains(options.controller, self)) {
    node.groups.push_back({kControllerGroup, node::GroupRole::kController,
                           raft::Membership(Nodes(options.controller))});
  }
  for (const GroupSpec& group : options.groups) {
    if (!Contains(group.members, self)) continue;
    node.groups.push_back(
        {GroupId(group.gid), node::GroupRole::kShards, raft::Membership(Nodes(group.members))});
  }
  return node;
}

gateway::GatewayOptions GatewayOptionsOf(const Options& options, NodeId self, uint64_t life) {
  gateway::GatewayOptions gateway;
  gateway.life = life;
  gateway.cluster = options.cluster;
  gateway.patience = std::chrono::milliseconds(options.request_timeout_ms);
  gateway.router.controller_nodes = Nodes(options.controller);
  gateway.router.near = self;
  gateway.router.attempt_timeout = std::chrono::milliseconds(2 * options.election_timeout_ms);
  gateway.router.backoff_max = std::chrono::milliseconds(options.election_timeout_ms / 4 + 1);
  gateway.router.backoff_min =
      std::min<Duration>(gateway.router.backoff_max, std::chrono::milliseconds(10));
  gateway.router.unfinished_max = 16384;
  gateway.router.outstanding_max = 128;
  gateway.router.queue_max = 4096;
  return gateway;
}

storage::EngineOptions EngineOptionsOf(const Options& options, const node::NodeOptions& node,
                                       uint64_t incarnation) {
  storage::EngineOptions engine;
  engine.directory = options.data_dir + "/store";
  engine.wal_salt = incarnation;
  engine.wal_reserve_bytes = uint64_t{4} << 20;
  engine.table_block_cache_bytes = uint64_t{2} << 20;  // the kernel has the files, too
  engine.table_recent_bytes = uint64_t{5} << 20;
  for (const node::HostedGroup& group : node.groups) engine.groups.push_back(group.id);
  engine.more_groups = node.takes_replicas;
  engine.is_alone = [node](GroupId group, const Bytes& configuration) {
    return node::IsAlone(node, group, configuration);
  };
  return engine;
}

}  // namespace lockstep::lockstepd
