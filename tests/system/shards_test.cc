// Groups that come and go while clients work and nodes die.
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/system/support/load.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

TEST(Shards, GroupsComeAndGoUnderLoad) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 31});
  for (int round = 0; round < 2; ++round) {
    cluster.Leave({kSecondGroup});
    load.ExpectProgress();
    cluster.ExpectSettled();
    cluster.Join({kSecondGroup});
    load.ExpectProgress();
    cluster.ExpectSettled();
  }
  for (uint32_t shard = 0; shard < cluster.options().shards; ++shard) {
    cluster.Move(shard, shard % 2 == 0 ? kSecondGroup : kFirstGroup);
  }
  load.ExpectProgress();
  cluster.ExpectSettled();
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// Who gives a shard away, who gets it and who decides it: each is killed in the middle.
TEST(Shards, ShardsArriveThoughLeadersDie) {
  // Three nodes for the controller and each group, as far apart as five nodes allow.
  RealCluster cluster({.nodes = 5,
                       .controller = {1, 2, 3},
                       .groups = {{kFirstGroup, {2, 3, 4}}, {kSecondGroup, {3, 4, 5}}}});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 32});
  load.ExpectProgress();
  for (const uint64_t victim : {kFirstGroup, kSecondGroup, kController}) {
    const uint64_t leader = cluster.AwaitLeader(victim);
    cluster.Leave({kSecondGroup});
    cluster.Kill(leader);
    cluster.Join({kSecondGroup});
    load.ExpectProgress();
    cluster.Start(leader);
    ASSERT_TRUE(cluster.AwaitServing());
    cluster.ExpectSettled();
  }
  load.StopAndJudge();
  cluster.ExpectLevel();
}

}  // namespace
}  // namespace lockstep::system
