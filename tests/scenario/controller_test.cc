// The controller of shards: every row of the labs' part 4A, and what the labs lack. The groups of
// these stories are names only; nobody serves a shard.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/expect.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {
namespace {

using controller::Configuration;
using controller::Group;
using std::chrono::seconds;

ShardedOptions ControllerAlone(uint64_t seed = 1, uint16_t administrators = 1) {
  return {
      .controllers = 3, .groups = 0, .clients = 0, .administrators = administrators, .seed = seed};
}

// A group of three servers, with names that nobody else has.
Group Named(uint64_t gid) {
  Group group{.gid = GroupId(gid)};
  for (uint64_t i = 1; i <= 3; ++i) {
    group.members.push_back(
        {.node = NodeId(10 * gid + i), .address = absl::StrCat("server ", i, " of ", gid)});
  }
  return group;
}

std::vector<Group> AllNamed(const std::vector<uint64_t>& gids) {
  std::vector<Group> groups;
  for (const uint64_t gid : gids) groups.push_back(Named(gid));
  return groups;
}

Gids GidsOf(const std::vector<uint64_t>& numbers) { return Gids(numbers.begin(), numbers.end()); }

// The labs' check(): these groups and no other, with their servers; every shard is with one of
// them; and nobody has two more than another.
void ExpectGroups(const Configuration& configuration, const std::vector<uint64_t>& gids) {
  std::map<GroupId, size_t> counts;
  ASSERT_EQ(configuration.groups.size(), gids.size()) << controller::Describe(configuration);
  for (size_t i = 0; i < gids.size(); ++i) {
    const Group& group = configuration.groups[i];
    EXPECT_EQ(group.gid, GroupId(gids[i]));
    EXPECT_EQ(group.members, Named(gids[i]).members);
    counts[group.gid] = 0;
  }
  EXPECT_EQ(configuration.shards(), 10u);
  for (const GroupId owner : configuration.owners) {
    if (gids.empty()) {
      EXPECT_EQ(owner, GroupId());
    } else {
      ASSERT_TRUE(counts.contains(owner)) << "owned by " << owner.value() << ", which is away";
      ++counts[owner];
    }
  }
  if (gids.empty()) return;
  const auto [least, most] =
      std::minmax_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; });
  EXPECT_LE(most->second, least->second + 1);
}

void JoinNamed(ShardedCluster& cluster, const std::vector<uint64_t>& gids) {
  EXPECT_EQ(cluster.administrator().Join(AllNamed(gids)), proto::OK);
}

std::vector<Configuration> AllConfigurations(ShardedCluster& cluster) {
  std::vector<Configuration> all;
  const Configuration newest = cluster.Query();
  for (uint64_t num = 1; num <= newest.num.value(); ++num) all.push_back(cluster.Query(num));
  EXPECT_EQ(all.back(), newest);
  return all;
}

// Who stays keeps its shards, or gives them to somebody new.
void ExpectNoMoveBetweenOld(const Configuration& before, const Configuration& after) {
  for (size_t shard = 0; shard < before.owners.size(); ++shard) {
    const GroupId old_owner = before.owners[shard];
    const GroupId new_owner = after.owners[shard];
    if (after.Find(old_owner) == nullptr || before.Find(new_owner) == nullptr) continue;
    EXPECT_EQ(new_owner, old_owner) << "shard " << shard << " moved between two that stay";
  }
}

// Clerks who each do a list of deeds, all at the same time.
using Deed = std::function<Pending(Administrator&)>;
void LetClerksWork(ShardedCluster& cluster, uint16_t clerks,
                   const std::function<std::vector<Deed>(uint16_t)>& deeds_of) {
  std::vector<std::vector<Deed>> left;
  std::vector<std::optional<Pending>> current(clerks);
  for (uint16_t i = 0; i < clerks; ++i) left.push_back(deeds_of(i));
  const auto advance = [&] {
    bool done = true;
    for (uint16_t i = 0; i < clerks; ++i) {
      if (current[i].has_value() && !current[i]->done()) {
        done = false;
      } else if (!left[i].empty()) {
        current[i] = left[i].front()(cluster.administrator(i));
        left[i].erase(left[i].begin());
        done = false;
      }
      if (current[i].has_value() && current[i]->done()) {
        EXPECT_EQ(current[i]->outcome().result.code(), proto::OK) << current[i]->what();
      }
    }
    return done;
  };
  EXPECT_TRUE(cluster.RunUntil(advance, seconds(60)) || cluster.broken());
}

// Lab: TestBasic, "Basic leave/join".
TEST(Controller, GroupsJoinAndLeave) {
  ShardedCluster cluster(ControllerAlone());
  EXPECT_EQ(cluster.administrator().Query(1), std::nullopt);
  JoinNamed(cluster, {1});
  ExpectGroups(cluster.Query(), {1});
  JoinNamed(cluster, {2});
  ExpectGroups(cluster.Query(), {1, 2});
  cluster.Leave({GroupId(1)});
  ExpectGroups(cluster.Query(), {2});
  cluster.LeaveByForce({GroupId(2)});
  ExpectGroups(cluster.Query(), {});
  EXPECT_EQ(cluster.Query().num.value(), 4u);
}

// Lab: TestBasic, "Historical queries".
TEST(Controller, OldConfigurationsAreTheSameWhoeverIsDown) {
  ShardedCluster cluster(ControllerAlone());
  JoinNamed(cluster, {1});
  JoinNamed(cluster, {2});
  cluster.Leave({GroupId(1)});
  JoinNamed(cluster, {5, 6});
  cluster.LeaveByForce({GroupId(2), GroupId(5), GroupId(6)});
  const std::vector<Configuration> before = AllConfigurations(cluster);
  EXPECT_EQ(before.size(), 5u);
  for (const NodeId server : cluster.ServersOf(kControllerGroup)) {
    cluster.Crash(server);
    EXPECT_EQ(AllConfigurations(cluster), before) << "without server " << server.value();
    cluster.Restart(server);
  }
}

// Lab: TestBasic, "Move".
TEST(Controller, ShardsMoveWhereTheyAreTold) {
  ShardedCluster cluster(ControllerAlone());
  JoinNamed(cluster, {503, 504});
  for (uint32_t shard = 0; shard < 10; ++shard) {
    const uint64_t before = cluster.Query().num.value();
    const GroupId gid(shard < 5 ? 503 : 504);
    cluster.Move(shard, gid);
    const Configuration now = cluster.Query();
    EXPECT_EQ(now.owners[shard], gid);
    EXPECT_GT(now.num.value(), before);
  }
  const Configuration placed = cluster.Query();
  for (uint32_t shard = 0; shard < 10; ++shard) {
    EXPECT_EQ(placed.owners[shard], GroupId(shard < 5 ? 503 : 504));
  }
  // What was placed by hand stays, until it is unpinned.
  JoinNamed(cluster, {505});
  EXPECT_EQ(cluster.Query().owners, placed.owners);
  for (uint32_t shard = 0; shard < 10; ++shard) cluster.Unpin(shard);
  cluster.Leave({GroupId(504)});
  ExpectGroups(cluster.Query(), {503, 505});
}

// Lab: TestBasic, "Concurrent leave/join".
TEST(Controller, ManyClerksAtOnce) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) {
    ShardedCluster cluster(ControllerAlone(seed, /*administrators=*/10));
    std::vector<uint64_t> gids;
    for (uint64_t i = 0; i < 10; ++i) gids.push_back(100 + 10 * i);
    LetClerksWork(cluster, 10, [&](uint16_t i) -> std::vector<Deed> {
      const uint64_t gid = gids[i];
      return {[gid](Administrator& clerk) { return clerk.JoinSoon({Named(gid + 1000)}); },
              [gid](Administrator& clerk) { return clerk.JoinSoon({Named(gid)}); },
              [gid](Administrator& clerk) {
                return clerk.LeaveSoon({GroupId(gid + 1000)}, /*force=*/false);
              }};
    });
    ExpectGroups(cluster.Query(), gids);
    EXPECT_EQ(cluster.Query().num.value(), 30u);
  });
}

// Lab: TestBasic, "Minimal transfers after joins" and "... after leaves". The labs look at gids
// that do not exist there, and so at nothing.
TEST(Controller, NoMoreThanNeededMoves) {
  ShardedCluster cluster(ControllerAlone());
  const std::vector<uint64_t> old = {100, 110, 120};
  for (const uint64_t gid : old) JoinNamed(cluster, {gid});
  Configuration before = cluster.Query();
  for (uint64_t gid = 130; gid < 180; gid += 10) {
    JoinNamed(cluster, {gid});
    const Configuration after = cluster.Query();
    ExpectNoMoveBetweenOld(before, after);
    EXPECT_LE(after.handovers.size(), 10 / after.groups.size()) << "more than the new one's share";
    before = after;
  }
  for (uint64_t gid = 130; gid < 180; gid += 10) {
    cluster.Leave({GroupId(gid)});
    const Configuration after = cluster.Query();
    ExpectNoMoveBetweenOld(before, after);
    EXPECT_LE(after.handovers.size(), 10 / after.groups.size()) << "more than what it had";
    before = after;
  }
  ExpectGroups(before, old);
}

// Lab: TestMulti: several groups a call.
TEST(Controller, SeveralGroupsJoinAndLeaveAtOnce) {
  ShardedCluster cluster(ControllerAlone());
  JoinNamed(cluster, {1, 2});
  ExpectGroups(cluster.Query(), {1, 2});
  JoinNamed(cluster, {3});
  ExpectGroups(cluster.Query(), {1, 2, 3});
  cluster.Leave({GroupId(1), GroupId(3)});
  ExpectGroups(cluster.Query(), {2});
  cluster.LeaveByForce({GroupId(2)});
  ExpectGroups(cluster.Query(), {});

  JoinNamed(cluster, {100, 110, 120});
  Configuration before = cluster.Query();
  JoinNamed(cluster, {130, 140, 150, 160, 170});
  ExpectNoMoveBetweenOld(before, cluster.Query());
  before = cluster.Query();
  cluster.Leave(GidsOf({130, 140, 150, 160, 170}));
  ExpectNoMoveBetweenOld(before, cluster.Query());
  ExpectGroups(cluster.Query(), {100, 110, 120});
}

// Lab: TestMulti, "Concurrent multi leave/join".
TEST(Controller, ManyClerksWithSeveralGroupsEach) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) {
    ShardedCluster cluster(ControllerAlone(seed, /*administrators=*/10));
    std::vector<uint64_t> gids;
    for (uint64_t i = 0; i < 10; ++i) gids.push_back(1000 + i);
    LetClerksWork(cluster, 10, [&](uint16_t i) -> std::vector<Deed> {
      const uint64_t gid = gids[i];
      return {[gid](Administrator& clerk) {
                return clerk.JoinSoon(AllNamed({gid, gid + 1000, gid + 2000}));
              },
              [gid](Administrator& clerk) {
                return clerk.LeaveSoon(GidsOf({gid + 1000, gid + 2000}), /*force=*/false);
              }};
    });
    ExpectGroups(cluster.Query(), gids);
  });
}

// Lab: "Check Same config on servers" (002): whoever leads next has made the same choices.
TEST(Controller, TheNextLeaderHasTheSameConfigurations) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) {
    ShardedCluster cluster(ControllerAlone(seed));
    for (uint64_t gid = 1; gid <= 6; ++gid) JoinNamed(cluster, {gid * 7});
    cluster.Leave(GidsOf({7, 28}));
    std::vector<Configuration> before = AllConfigurations(cluster);
    for (int round = 0; round < 3; ++round) {
      const NodeId leader = cluster.ExpectLeaderOf(kControllerGroup);
      cluster.Crash(leader);
      const NodeId next = cluster.ExpectLeaderOf(kControllerGroup);
      EXPECT_NE(next, leader);
      EXPECT_EQ(AllConfigurations(cluster), before);
      cluster.Restart(leader);
    }
  });
}

}  // namespace
}  // namespace lockstep::scenario
