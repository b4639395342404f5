// What can be seen of a cluster from outside.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

constexpr Duration kProbePatience = std::chrono::seconds(1) * kSlowness;

const v1::ReplicaStatus* ReplicaOf(const v1::NodeStatus& node, uint64_t group) {
  for (const v1::ReplicaStatus& replica : node.replicas()) {
    if (replica.group() == group) return &replica;
  }
  return nullptr;
}

}  // namespace

std::optional<v1::NodeStatus> RealCluster::StatusOf(uint64_t node, bool shards) {
  if (!IsRunning(node) || IsPaused(node)) return std::nullopt;
  absl::StatusOr<v1::NodeStatus> status = probe_.Ask(nodes_.at(node).grpc, shards, kProbePatience);
  if (!status.ok()) return std::nullopt;
  return *std::move(status);
}

std::optional<uint64_t> RealCluster::LeaderOf(uint64_t group) {
  std::optional<uint64_t> leader;
  uint64_t term = 0;
  for (const uint64_t id : Nodes()) {
    const std::optional<v1::NodeStatus> status = StatusOf(id);
    const v1::ReplicaStatus* replica = status.has_value() ? ReplicaOf(*status, group) : nullptr;
    if (replica == nullptr || replica->role() != v1::LEADER || replica->term() <= term) continue;
    leader = id;
    term = replica->term();
  }
  return leader;
}

uint64_t RealCluster::AwaitLeader(uint64_t group, uint64_t but, Duration within) {
  uint64_t found = 0;
  WaitUntil(
      [&] {
        const std::optional<uint64_t> leader = LeaderOf(group);
        if (!leader.has_value() || *leader == but) return false;
        found = *leader;
        return true;
      },
      within);
  EXPECT_NE(found, 0u) << "nobody but node " << but << " leads group " << group;
  return found;
}

std::vector<v1::NodeStatus> RealCluster::StatusesOfMembers() {
  std::vector<v1::NodeStatus> statuses;
  std::map<uint64_t, v1::ReplicaStatus> leading;
  for (const uint64_t id : RunningNodes()) {
    std::optional<v1::NodeStatus> status = StatusOf(id);
    if (!status.has_value()) continue;
    for (const v1::ReplicaStatus& replica : status->replicas()) {
      if (replica.role() != v1::LEADER) continue;
      v1::ReplicaStatus& best = leading[replica.group()];
      if (best.term() <= replica.term()) best = replica;
    }
    statuses.push_back(*std::move(status));
  }
  for (v1::NodeStatus& status : statuses) {
    auto& replicas = *status.mutable_replicas();
    const auto gone =
        std::remove_if(replicas.begin(), replicas.end(), [&](const v1::ReplicaStatus& replica) {
          const auto leader = leading.find(replica.group());
          if (leader == leading.end()) return false;
          const auto& members = leader->second.members();
          return std::find(members.begin(), members.end(), status.node()) == members.end();
        });
    replicas.erase(gone, replicas.end());
  }
  return statuses;
}

bool RealCluster::AwaitServing(Duration within) {
  const auto led = [&] {
    std::map<uint64_t, uint64_t> leaders;
    const std::vector<v1::NodeStatus> statuses = StatusesOfMembers();
    if (statuses.size() < RunningNodes().size()) return false;
    for (const v1::NodeStatus& status : statuses) {
      for (const v1::ReplicaStatus& replica : status.replicas()) {
        const uint64_t leader =
            leaders.try_emplace(replica.group(), replica.leader()).first->second;
        if (leader == 0 || leader != replica.leader()) return false;
      }
    }
    return !leaders.empty();
  };
  if (!WaitUntil(led, within)) return false;
  std::optional<v1::Configuration> configuration;
  const bool answered = WaitUntil(
      [&] {
        configuration = Configuration();
        return configuration.has_value();
      },
      within);
  if (!answered) return false;
  if (configuration->groups().empty()) Join(AllGroups());
  return true;
}

std::string RealCluster::WhyNotSettled() {
  const std::optional<v1::Configuration> newest = Configuration();
  if (!newest.has_value()) return "the controller does not answer";
  std::vector<uint64_t> served(static_cast<size_t>(newest->owners_size()), 0);
  for (const uint64_t gid : AllGroups()) {
    const std::optional<uint64_t> leader = LeaderOf(gid);
    if (!leader.has_value()) return absl::StrCat("group ", gid, " has no leader");
    const std::optional<v1::NodeStatus> status = StatusOf(*leader, /*shards=*/true);
    const v1::ReplicaStatus* replica = status.has_value() ? ReplicaOf(*status, gid) : nullptr;
    if (replica == nullptr) return absl::StrCat("the leader of group ", gid, " does not answer");
    if (replica->configuration_num() != newest->num()) {
      return absl::StrCat("group ", gid, " has come to configuration ",
                          replica->configuration_num(), " of ", newest->num());
    }
    for (const v1::ShardStatus& shard : replica->shards()) {
      if (shard.state() != "SERVING") {
        return absl::StrCat("shard ", shard.shard(), " is ", shard.state(), " at group ", gid);
      }
      served[shard.shard()] = gid;
    }
  }
  for (size_t shard = 0; shard < served.size(); ++shard) {
    const uint64_t owner = newest->owners(static_cast<int>(shard));
    if (served[shard] != owner) {
      return absl::StrCat("shard ", shard, " is served by ", served[shard], ", not by ", owner);
    }
  }
  return "";
}

bool RealCluster::ExpectSettled(Duration within) {
  std::string why;
  const bool settled = WaitUntil([&] { return (why = WhyNotSettled()).empty(); }, within);
  EXPECT_TRUE(settled) << why;
  return settled;
}

std::string RealCluster::WhyNotLevel() {
  std::map<uint64_t, uint64_t> last;  // of each group's longest log
  const std::vector<v1::NodeStatus> statuses = StatusesOfMembers();
  if (statuses.size() < RunningNodes().size()) return "a node does not answer";
  for (const v1::NodeStatus& status : statuses) {
    for (const v1::ReplicaStatus& replica : status.replicas()) {
      uint64_t& longest = last[replica.group()];
      longest = std::max(longest, replica.last());
    }
  }
  for (const v1::NodeStatus& status : statuses) {
    for (const v1::ReplicaStatus& replica : status.replicas()) {
      if (replica.applied() == last[replica.group()]) continue;
      return absl::StrCat("node ", status.node(), " has applied ", replica.applied(), " of ",
                          last[replica.group()], " in group ", replica.group());
    }
  }
  return "";
}

bool RealCluster::ExpectLevel(Duration within) {
  std::string why;
  const bool level = WaitUntil([&] { return (why = WhyNotLevel()).empty(); }, within);
  EXPECT_TRUE(level) << why;
  return level;
}

}  // namespace lockstep::system
