#include "tests/scenario/support/sharded_cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/client/router.h"

namespace lockstep::scenario {
namespace {

constexpr uint64_t kFirstGid = 100;

Side ServersFrom(uint64_t first, uint16_t count) {
  Side servers;
  for (uint64_t id = first; id < first + count; ++id) servers.emplace_back(id);
  return servers;
}

std::vector<sim::GroupPlacement> GroupsOf(const ShardedOptions& options) {
  std::vector<sim::GroupPlacement> groups;
  groups.push_back({.group = kControllerGroup,
                    .role = node::GroupRole::kController,
                    .members = ServersFrom(1, options.controllers)});
  const size_t own = options.servers_per_group;
  for (size_t i = 0; i < options.groups; ++i) {
    const Side members = options.members.empty() ? ServersFrom(options.controllers + 1 + i * own,
                                                               options.servers_per_group)
                                                 : options.members[i];
    groups.push_back(
        {.group = GroupId(kFirstGid + i), .role = node::GroupRole::kShards, .members = members});
  }
  return groups;
}

uint16_t LastServerOf(const std::vector<sim::GroupPlacement>& groups) {
  NodeId last;
  for (const sim::GroupPlacement& group : groups) {
    for (const NodeId member : group.members) last = std::max(last, member);
  }
  return static_cast<uint16_t>(last.value());
}

StageOptions StageOptionsOf(node::NodeOptions node, storage::EngineOptions engine,
                            const ShardedOptions& options) {
  StageOptions stage;
  stage.seed = options.seed;
  stage.weather = options.weather;
  stage.hosts = static_cast<uint16_t>(options.clients + options.administrators);
  stage.groups = GroupsOf(options);
  stage.servers = LastServerOf(stage.groups);
  node.shards = options.shards;
  node.agent = options.agent;
  node.controllers = stage.groups.front().members;
  node.configurations_kept = options.configurations_kept;
  node.shard_groups.sweep_records_max = options.sweep_records_max;
  node.log_entries_max = options.log_entries_max;
  node.log_bytes_max = options.log_bytes_max;
  node.log_entries_kept = 0;
  stage.node = std::move(node);
  stage.engine = std::move(engine);
  return stage;
}

client::RouterOptions RouterOptionsOf(const Side& controllers) {
  client::RouterOptions router;
  router.controller_nodes = controllers;
  router.attempt_timeout = kAttemptTimeout;
  router.backoff_max = kBackoffMax;
  return router;
}

const controller::ControllerOptions& Allowed() {
  static const controller::ControllerOptions allowed;
  return allowed;
}

}  // namespace

ShardedCluster::ShardedCluster(const ShardedOptions& options)
    : Stage(StageOptionsOf(LabNode(), SmallEngine(), options), &Allowed()),
      shards_(options.shards) {
  for (const sim::GroupPlacement& group : options_.groups) servers_[group.group] = group.members;
  const client::RouterOptions router = RouterOptionsOf(ServersOf(kControllerGroup));
  for (uint16_t i = 0; i < options.clients; ++i) {
    AddClient(std::make_unique<client::Router>(router, root_.Split("client", i)), shards_);
  }
  for (uint16_t i = 0; i < options.administrators; ++i) {
    auto caller = std::make_unique<client::Router>(router, root_.Split("administrator", i));
    sim::ClientHost& host = world_.client(static_cast<uint16_t>(options.clients + i));
    administrations_.push_back(
        std::make_unique<Client>(std::move(caller), shards_, keys_, recorder_, Waits()));
    administrations_.back()->Bind(host);
    host.Attach(*administrations_.back());
    administrators_.push_back(std::make_unique<Administrator>(*administrations_.back(), shards_));
  }
  Begin();
}

ShardedCluster::~ShardedCluster() { Finish(); }

// --- Groups ---

Gids ShardedCluster::AllGroups() const {
  Gids gids;
  for (const auto& [gid, servers] : servers_) {
    if (gid != kControllerGroup) gids.push_back(gid);
  }
  return gids;
}

Side ShardedCluster::ServersBut(GroupId gid) const {
  const Side& its = ServersOf(gid);
  Side others;
  for (const NodeId server : Servers()) {
    if (std::find(its.begin(), its.end(), server) == its.end()) others.push_back(server);
  }
  return others;
}

controller::Group ShardedCluster::GroupOf(GroupId gid) const {
  controller::Group group{.gid = gid};
  for (const NodeId server : ServersOf(gid)) group.members.push_back({.node = server});
  return group;
}

NodeId ShardedCluster::ExpectLeaderOf(GroupId gid) {
  const bool led = RunUntil([&] { return bool{LeaderOf(gid)}; }, kElectionPatience);
  EXPECT_TRUE(led || broken()) << "nobody leads group " << gid.value();
  return led ? LeaderOf(gid) : ServersOf(gid).front();
}

NodeId ShardedCluster::FollowerOf(GroupId gid) {
  const NodeId leader = ExpectLeaderOf(gid);
  const Side& servers = ServersOf(gid);
  CheckLt(1u, servers.size());
  return servers.front() == leader ? servers.back() : servers.front();
}

void ShardedCluster::ShutDown(GroupId gid) {
  for (const NodeId server : ServersOf(gid)) Crash(server);
}

void ShardedCluster::Start(GroupId gid) {
  for (const NodeId server : ServersOf(gid)) Restart(server);
}

void ShardedCluster::CutOff(GroupId gid) { links_.CutBetween(ServersOf(gid), ServersBut(gid)); }

void ShardedCluster::CutOffFromController(GroupId gid) { CutBetween(gid, kControllerGroup); }

// --- Administration ---

void ShardedCluster::ExpectOk(proto::Code code, const std::string& what) {
  EXPECT_TRUE(code == proto::OK || broken()) << what << ": " << proto::Code_Name(code);
}

void ShardedCluster::Join(const Gids& gids) {
  std::vector<controller::Group> groups;
  for (const GroupId gid : gids) groups.push_back(GroupOf(gid));
  ExpectOk(administrator().Join(groups), "join");
}

void ShardedCluster::Leave(const Gids& gids) { ExpectOk(administrator().Leave(gids), "leave"); }

void ShardedCluster::LeaveByForce(const Gids& gids) {
  ExpectOk(administrator().Leave(gids, /*force=*/true), "leave by force");
}

void ShardedCluster::Move(uint32_t shard, GroupId gid) {
  ExpectOk(administrator().Move(shard, gid), absl::StrCat("move of ", shard));
}

void ShardedCluster::Unpin(uint32_t shard) {
  ExpectOk(administrator().Unpin(shard), absl::StrCat("unpin of ", shard));
}

controller::Configuration ShardedCluster::Query(uint64_t num) {
  const std::optional<controller::Configuration> answer = administrator().Query(num);
  EXPECT_TRUE(answer.has_value() || broken()) << "no configuration " << num;
  return answer.value_or(controller::Configuration());
}

}  // namespace lockstep::scenario
