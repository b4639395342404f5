// After the last change every shard arrives where it belongs, with all that was written, and
// nothing is left behind.
#include "core/shardkv/agent.h"

#include <gtest/gtest.h>

#include "tests/unit/shardkv/agent_world.h"

namespace lockstep::shardkv {
namespace {

using std::chrono::milliseconds;

TEST(Agent, ShardsGoWhereTheControllerSaysAndNothingIsLeft) {
  World world(1, {});
  world.Administer(controller::JoinOf({1, 2}, kShards));
  world.RunFor(milliseconds(1000));
  ASSERT_TRUE(world.Settled());
  for (uint32_t shard = 0; shard < kShards; ++shard) EXPECT_TRUE(world.Append(shard));
  world.Administer(controller::JoinOf({3}));
  world.Administer(controller::LeaveOf({1}));
  world.Administer(controller::MakeMove(ShardId(0), GroupId(3)));
  world.RunFor(milliseconds(5000));
  ASSERT_TRUE(world.Settled());
  world.CheckContents();
  for (uint32_t shard = 0; shard < kShards; ++shard) EXPECT_TRUE(world.Append(shard));
}

TEST(Agent, AnIdleGroupWritesNothing) {
  World world(1, {});
  world.Administer(controller::JoinOf({1, 2}, kShards));
  world.RunFor(milliseconds(2000));
  ASSERT_TRUE(world.Settled());
  const Index before = world.host(1).group.index();
  const uint64_t messages = world.messages;
  world.RunFor(std::chrono::minutes(5));
  EXPECT_EQ(world.host(1).group.index(), before);
  EXPECT_EQ(world.messages, messages);
}

// Group 2 has everything that group 1 must give, and is out of reach.
TEST(Agent, ADeadSourceStallsItsOwnShardsOnly) {
  World world(1, {});
  world.Administer(controller::JoinOf({1, 2}, kShards));
  world.RunFor(milliseconds(2000));
  for (uint32_t shard = 0; shard < kShards; ++shard) world.Append(shard);
  world.host(2).cut_off = true;
  world.Administer(controller::JoinOf({3}));
  world.Administer(controller::LeaveOf({1, 2}));
  const uint64_t messages = world.messages;
  world.RunFor(std::chrono::seconds(60));
  EXPECT_LT(world.messages - messages, 300u) << "asks now and then, not all the time";
  const controller::Configuration newest = world.newest();
  EXPECT_EQ(world.host(3).group.machine().num(), newest.num.value());
  int served = 0;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    served += world.host(3).group.Get(KeyOf(shard)).code() == proto::OK;
  }
  EXPECT_EQ(served, 2) << "those of group 1";
  world.host(2).cut_off = false;
  world.RunFor(std::chrono::seconds(20));
  EXPECT_TRUE(world.Settled());
  world.CheckContents();
}

// A group that was no member for long does not go through what it has missed.
TEST(Agent, ASourceWhoseMembersHaveAllBeenReplacedHandsOver) {
  World world(8, AgentOptions());
  world.Administer(controller::JoinOf({1}, kShards));
  world.RunFor(std::chrono::seconds(2));
  for (uint32_t shard = 0; shard < kShards; ++shard) ASSERT_TRUE(world.Append(shard));
  world.host(1).cut_off = true;
  world.Administer(controller::JoinOf({2}, kShards));
  world.RunFor(std::chrono::seconds(5));
  EXPECT_FALSE(world.Settled()) << "the source is silent";
  world.Relocate(1, /*membership=*/7);
  world.host(1).cut_off = false;
  world.host(2).Lead(world.now());  // A new leader there knows no more than the log.
  world.RunFor(std::chrono::seconds(20));
  EXPECT_TRUE(world.Settled());
  world.CheckContents();
}

// It has left the cluster, and joins again as another group; what it was is known as well.
TEST(Agent, ADepartedSourceWhoseMembersHaveAllBeenReplacedHandsOver) {
  for (const bool again : {false, true}) {
    World world(8, AgentOptions());
    world.Administer(controller::JoinOf({1}, kShards));
    world.RunFor(std::chrono::seconds(2));
    for (uint32_t shard = 0; shard < kShards; ++shard) ASSERT_TRUE(world.Append(shard));
    world.host(2).cut_off = true;
    world.Administer(controller::JoinOf({2}));
    world.Administer(controller::LeaveOf({1}));
    world.RunFor(std::chrono::seconds(5));
    EXPECT_FALSE(world.Settled()) << "the destination hears nothing";
    if (again) world.Administer(controller::JoinOf({1}));
    world.Relocate(1, /*membership=*/7, /*joined=*/1);
    world.host(2).cut_off = false;
    world.RunFor(std::chrono::seconds(60));
    EXPECT_TRUE(world.Settled());
    world.CheckContents();
  }
}

TEST(Agent, ANewGroupBeginsWhereItJoins) {
  World world(1, {});
  world.Administer(controller::JoinOf({1}, kShards));
  for (int i = 0; i < 20; ++i) {
    world.Administer(controller::MakeMove(ShardId(0), GroupId(1)));
    world.Administer(controller::MakeUnpin(ShardId(0)));
  }
  world.Administer(controller::JoinOf({2}));
  world.RunFor(std::chrono::seconds(30));
  EXPECT_TRUE(world.Settled());
  EXPECT_LT(world.host(2).group.index().value(), 30u);
}

TEST(Agent, DataOutlivesATimeWithoutGroups) {
  for (const uint64_t gid : {3u, 1u}) {  // another group, and the same one again
    World world(1, {});
    world.Administer(controller::JoinOf({1}, kShards));
    world.RunFor(milliseconds(1000));
    for (uint32_t shard = 0; shard < kShards; ++shard) EXPECT_TRUE(world.Append(shard));
    world.Administer(controller::LeaveOf({1}, /*force=*/true));
    world.RunFor(milliseconds(1000));
    EXPECT_FALSE(world.Append(0)) << "nobody serves it";
    world.Administer(controller::JoinOf({gid}));
    world.RunFor(std::chrono::seconds(10));
    EXPECT_TRUE(world.Settled()) << "group " << gid;
    world.CheckContents();
  }
}

// What is fetched keeps to the rate: 4 shards of 50 KB at 20 KB a second take ten seconds.
TEST(Agent, TheRateOfPullingIsLimited) {
  AgentOptions options;
  options.part_bytes_max = 1000;
  World world(1, options, {0, 1}, /*bytes_per_second_max=*/20'000);
  world.Administer(controller::JoinOf({1}, kShards));
  world.RunFor(milliseconds(1000));
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    Session session(world.host(1).group, shard);
    for (int i = 0; i < 50; ++i) {
      session.Do(world.host(1).group,
                 kv::MakePut(KeyOf(shard, absl::StrCat("k", i, "-")), std::string(1000, 'v')));
    }
  }
  world.Administer(controller::JoinOf({2}));
  world.Administer(controller::LeaveOf({1}));
  world.RunFor(std::chrono::seconds(8));
  EXPECT_FALSE(world.Settled());
  world.RunFor(std::chrono::seconds(8));
  EXPECT_TRUE(world.Settled());
}

TEST(Agent, StormsSettle) {
  uint64_t installs = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Rng rng(seed);
    AgentOptions options;
    options.part_bytes_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{200}));
    options.pulls_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{3}));
    World world(seed, options, {static_cast<uint32_t>(rng.Below(30)), 100});
    world.Administer(controller::JoinOf({1}, kShards));
    for (int i = 0; i < 120; ++i) {
      world.RunFor(rng.Between(Duration(0), Duration(milliseconds(200))));
      const uint64_t gid = 1 + rng.Below(kGroups);
      switch (rng.Below(12)) {
        case 0:
          world.Administer(controller::JoinOf({gid}));
          break;
        case 1:
          world.Administer(controller::LeaveOf({gid}));
          break;
        case 2:
          world.Administer(controller::MakeMove(ShardId(rng.Below(kShards)), GroupId(gid)));
          break;
        case 3:  // Another leader.
          world.host(gid).agent.Rest();
          world.host(gid).group.Reload();
          world.host(gid).Lead(world.now());
          break;
        case 4:
          world.host(gid).cut_off = !world.host(gid).cut_off;
          break;
        default:
          world.Append(static_cast<uint32_t>(rng.Below(kShards)));
      }
    }
    for (uint64_t gid = 1; gid <= kGroups; ++gid) world.host(gid).cut_off = false;
    world.RunFor(std::chrono::minutes(5));
    ASSERT_TRUE(world.Settled());
    world.CheckContents();
    if (testing::Test::HasFailure()) return;
    installs += world.installs;
  }
  EXPECT_GT(installs, 500u);
}

}  // namespace
}  // namespace lockstep::shardkv
