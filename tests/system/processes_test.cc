// Nodes that die, stand still and are restarted while clients work.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/system/support/load.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using std::chrono::seconds;

TEST(Processes, LeadersAreKilledUnderLoad) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 1});
  load.ExpectProgress();
  for (const uint64_t group : {kFirstGroup, kSecondGroup, kController}) {
    const uint64_t leader = cluster.AwaitLeader(group);
    cluster.Kill(leader);
    load.ExpectProgress();
    cluster.AwaitLeader(group, leader);
    cluster.Start(leader);
    load.ExpectProgress();
  }
  ASSERT_TRUE(cluster.AwaitServing());
  load.StopAndJudge();
  cluster.ExpectLevel();
}

TEST(Processes, FollowersAreKilledUnderLoad) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 2});
  for (int round = 0; round < 3; ++round) {
    const uint64_t leader = cluster.AwaitLeader(kFirstGroup);
    const uint64_t follower = 1 + leader % cluster.options().nodes;
    cluster.Kill(follower);
    load.ExpectProgress(100);
    cluster.Start(follower);
    ASSERT_TRUE(cluster.AwaitServing());
  }
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// Whatever was acknowledged is on disk: nobody is left who has it in memory.
TEST(Processes, AllAreKilledAtOnce) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 3});
  for (int round = 0; round < 3; ++round) {
    load.ExpectProgress(100);
    cluster.KillAll();
    cluster.StartAll();
    ASSERT_TRUE(cluster.AwaitServing());
  }
  load.ExpectProgress();
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// A process that stands still is alive again at any moment, and must not believe what it believed.
TEST(Processes, LeadersStandStillAndGoOn) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 4});
  for (const uint64_t group : {kFirstGroup, kSecondGroup, kFirstGroup}) {
    const uint64_t leader = cluster.AwaitLeader(group);
    cluster.Pause(leader);
    cluster.AwaitLeader(group, leader);
    load.ExpectProgress();
    cluster.Resume(leader);
    load.ExpectProgress();
  }
  ASSERT_TRUE(cluster.AwaitServing());
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// An upgrade: one node after the other is asked to stop, ends with 0, and comes back.
TEST(Processes, NodesAreRestartedOneAfterTheOther) {
  RealCluster cluster({.nodes = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 5});
  for (int round = 0; round < 2; ++round) {
    for (const uint64_t node : cluster.Nodes()) {
      load.ExpectProgress();
      cluster.Terminate(node);
      load.ExpectProgress();
      cluster.Start(node);
      ASSERT_TRUE(cluster.AwaitServing());
    }
  }
  load.StopAndJudge();
  cluster.ExpectLevel();
}

}  // namespace
}  // namespace lockstep::system
