// Disks that are full, fail or linger under a node that works.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "bin/lockstepd_exit.h"
#include "tests/system/support/load.h"
#include "tests/system/support/real_cluster.h"
#include "tests/system/support/small_disk.h"

namespace lockstep::system {
namespace {

using std::chrono::milliseconds;

// The node ends with the code for a failed disk, and its last line says so.
void ExpectEndsForItsDisk(RealCluster& cluster, uint64_t node) {
  const std::optional<ChildEnd> end = cluster.AwaitEnd(node);
  ASSERT_TRUE(end.has_value()) << "node " << node << " goes on as if nothing were";
  EXPECT_EQ(end->signal, 0) << Describe(*end);
  EXPECT_EQ(end->code, static_cast<int>(lockstepd::ExitCode::kDiskFailed)) << Describe(*end);
  const std::string last = TailOf(cluster.LogFileOf(node), /*lines=*/1);
  EXPECT_TRUE(absl::StartsWith(last, "lockstepd: the disk failed")) << last;
}

TEST(Disks, ASyncThatFailsEndsTheLeaderAndNothingIsLost) {
  RealCluster cluster({.nodes = 3, .faulty_disks = true});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 11});
  load.ExpectProgress();
  for (int round = 0; round < 2; ++round) {
    const uint64_t leader = cluster.AwaitLeader(kFirstGroup);
    cluster.disk(leader).FailSyncs(EIO);
    ExpectEndsForItsDisk(cluster, leader);
    load.ExpectProgress();
    cluster.disk(leader).Heal();
    cluster.Start(leader);
    ASSERT_TRUE(cluster.AwaitServing());
  }
  load.StopAndJudge();
  cluster.ExpectLevel();
}

TEST(Disks, AWriteThatFailsEndsTheNode) {
  RealCluster cluster({.nodes = 3, .faulty_disks = true});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 12});
  load.ExpectProgress();
  const uint64_t leader = cluster.AwaitLeader(kFirstGroup);
  cluster.disk(leader).FailWrites(EIO);
  ExpectEndsForItsDisk(cluster, leader);
  load.ExpectProgress();
  cluster.disk(leader).Heal();
  cluster.Start(leader);
  ASSERT_TRUE(cluster.AwaitServing());
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// A disk that is slow is a slow node, no lost node: others go on without it, and it catches up.
TEST(Disks, AFollowerWithASlowDiskHoldsNobodyUp) {
  RealCluster cluster({.nodes = 3, .faulty_disks = true});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 13});
  const uint64_t leader = cluster.AwaitLeader(kFirstGroup);
  const uint64_t follower = 1 + leader % cluster.options().nodes;
  cluster.disk(follower).SlowSyncs(milliseconds(200));
  load.ExpectProgress(200);
  cluster.disk(follower).Heal();
  load.ExpectProgress();
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// A leader whose disk stands still gives up leadership, and takes part again when it moves on.
TEST(Disks, ALeaderWithAStalledDiskIsReplaced) {
  RealCluster cluster({.nodes = 3, .faulty_disks = true});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 14});
  load.ExpectProgress();
  const uint64_t leader = cluster.AwaitLeader(kFirstGroup);
  cluster.disk(leader).SlowSyncs(std::chrono::minutes(10));
  cluster.AwaitLeader(kFirstGroup, leader);
  load.ExpectProgress();
  cluster.disk(leader).Heal();
  ASSERT_TRUE(cluster.AwaitServing());
  load.ExpectProgress();
  load.StopAndJudge();
  cluster.ExpectLevel();
}

TEST(Disks, ANodeWithAFullDiskStopsAndComesBackWhenThereIsSpace) {
  constexpr uint64_t kBytes = uint64_t{64} << 20;
  Workspace mounts;
  const auto disk = SmallDisk::Mount(mounts / "small", kBytes);
  if (!disk.ok()) GTEST_SKIP() << disk.status();
  constexpr uint64_t kNode = 2;
  RealCluster cluster({.nodes = 3, .data = {{kNode, (*disk)->path() + "/data"}}});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 15});
  load.ExpectProgress();
  (*disk)->Fill();
  // What the log has taken ahead lasts for a while.
  const std::string value(256 << 10, 'x');
  int written = 0;
  for (; written < 200 && cluster.IsRunning(kNode); ++written) {
    static_cast<void>(cluster.store().Put("filler", value));
  }
  ExpectEndsForItsDisk(cluster, kNode);
  EXPECT_TRUE(absl::StrContains(TailOf(cluster.LogFileOf(kNode), 1), "o space left"))
      << TailOf(cluster.LogFileOf(kNode), 1);
  load.ExpectProgress();
  (*disk)->Free();
  cluster.Start(kNode);
  ASSERT_TRUE(cluster.AwaitServing());
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// What touches a disk may wait for it, and the loop thread waits for nothing: values of many sizes
// are written, read and compacted away, and it never makes such a call.
TEST(Disks, TheLoopThreadNeverTouchesThem) {
  RealCluster cluster({.nodes = 3, .faulty_disks = true});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  std::vector<uint64_t> before;
  for (const uint64_t node : cluster.Nodes()) {
    before.push_back(cluster.disk(node).reports().by_main_thread);
  }
  Load load(cluster, {.seed = 16, .pause_max = milliseconds(1)});
  for (int i = 0; i < 40; ++i) {
    const std::string value(size_t{1} << (i % 21), 'v');
    const auto put = cluster.store().Put("large", value);
    EXPECT_TRUE(put.ok()) << put.status();
  }
  load.ExpectProgress(1000);
  load.StopAndJudge();
  for (const uint64_t node : cluster.Nodes()) {
    const FaultyDiskControl& reports = cluster.disk(node).reports();
    EXPECT_EQ(reports.by_main_thread, before[node - 1]) << "of node " << node;
    EXPECT_GT(reports.syncs, 0u);
    EXPECT_GT(reports.writes, 0u);
  }
}

}  // namespace
}  // namespace lockstep::system
