// What can be seen of shards from outside: by the logs of the controller and of the groups.
#include <gtest/gtest.h>

#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {

std::string ShardedCluster::KeyIn(uint32_t shard, uint64_t number) const {
  for (uint64_t i = 0;; ++i) {
    std::string key = absl::StrCat("key ", i);
    if (ShardOf(key) != shard) continue;
    if (number-- == 0) return key;
  }
}

GroupId ShardedCluster::ServerOf(uint32_t shard) {
  const std::vector<GroupId> serving = watch_.shards().model().Serving(shard);
  return serving.empty() ? GroupId() : serving.front();
}

bool ShardedCluster::ExpectServedBy(uint32_t shard, GroupId gid, Duration within) {
  const bool served = RunUntil([&] { return ServerOf(shard) == gid; }, within);
  EXPECT_TRUE(served || broken()) << "shard " << shard << " is served by group "
                                  << ServerOf(shard).value() << ", not " << gid.value();
  return served;
}

uint64_t ShardedCluster::ConfigurationOf(GroupId gid) {
  const auto& groups = watch_.shards().model().groups();
  const auto group = groups.find(gid);
  return group == groups.end() ? 0 : group->second.num;
}

sim::ModelTenure ShardedCluster::TenureOf(GroupId gid, uint32_t shard) {
  const auto& groups = watch_.shards().model().groups();
  const auto group = groups.find(gid);
  if (group == groups.end()) return {};
  const auto after = group->second.tenures.lower_bound({shard + 1, 0});
  if (after == group->second.tenures.begin()) return {};
  const auto& [id, tenure] = *std::prev(after);
  return id.shard == shard ? tenure : sim::ModelTenure();
}

bool ShardedCluster::ExpectSettled(Duration within) {
  const bool settled = RunUntil([&] { return StillMoving().empty(); }, within);
  EXPECT_TRUE(settled || broken()) << StillMoving();
  return settled;
}

void ShardedCluster::RunUntilState(GroupId gid, uint32_t shard, proto::ShardState state) {
  const bool reached =
      RunUntil([&] { return TenureOf(gid, shard).state == state; }, kSettlePatience);
  EXPECT_TRUE(reached || broken()) << "shard " << shard << " at group " << gid.value() << " is "
                                   << proto::ShardState_Name(TenureOf(gid, shard).state)
                                   << ", and will not be " << proto::ShardState_Name(state);
}

void ShardedCluster::RunUntilPartInstalled(GroupId gid, uint32_t shard, uint64_t part) {
  const bool reached = RunUntil(
      [&] {
        const sim::ModelTenure tenure = TenureOf(gid, shard);
        return tenure.state == proto::SHARD_PULLING && tenure.next_sequence > part;
      },
      kSettlePatience);
  EXPECT_TRUE(reached || broken())
      << "part " << part << " of shard " << shard << " does not come to group " << gid.value();
}

uint64_t ShardedCluster::TableBytesOf(NodeId server, GroupId gid) {
  uint64_t bytes = 0;
  const bool read =
      HostOf(server).VisitTable(gid, [&](absl::string_view key, absl::string_view value) {
        bytes += key.size() + value.size();
        return true;
      });
  EXPECT_TRUE(read) << "the table of group " << gid.value() << " cannot be read";
  return bytes;
}

}  // namespace lockstep::scenario
