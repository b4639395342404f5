// Disks that are full, fail or linger under a node that works.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "bin/lockstepd_exit.h"
#include "net/client/failure.h"
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
// Writes do not wait for a leader's own disk, as long as those of two others are there; but when
// one of these is gone they do. So it leads on only until it is found to be slow.
TEST(Disks, ALeaderWithASlowDiskHandsOver) {
  RealCluster cluster({.nodes = 3, .groups = {{kFirstGroup, {1, 2, 3}}}, .faulty_disks = true});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 17});
  load.ExpectProgress();
  const uint64_t slow = cluster.AwaitLeader(kFirstGroup);
  cluster.disk(slow).SlowSyncs(milliseconds(cluster.options().heartbeat_ms) * 3);
  const uint64_t next = cluster.AwaitLeader(kFirstGroup, /*but=*/slow, kSettlePatience);
  EXPECT_NE(next, slow);
  load.ExpectProgress();
  EXPECT_NE(cluster.AwaitLeader(kFirstGroup), slow) << "and it stays away";
  cluster.disk(slow).Heal();
  load.StopAndJudge();
  cluster.ExpectLevel();
}

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
  RealCluster cluster({.nodes = 3,
                       .data = {{kNode, (*disk)->path() + "/data"}},
                       .arguments = {"--space-soft-limit", "0"}});
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

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

// The limits of these tests: hard is a quarter of soft. Between them lies what is under way on a
// fast disk, a compaction of LevelDB above all: with a quarter of this the nodes now and then end.
constexpr uint64_t kSoftLimit = 128 * kMebibyte;
std::vector<std::string> WithSoftLimit() {
  return {"--space-soft-limit", std::to_string(kSoftLimit)};
}

// Writes keys "fill0", "fill1", ... until one is refused, and says how.
absl::Status FillByPuts(RealCluster& cluster, int* written) {
  const std::string value(64 << 10, 'x');
  for (*written = 0; *written < 4000; ++*written) {
    const auto put = cluster.store().Put("fill" + std::to_string(*written), value);
    if (!put.ok()) return put.status();
  }
  return absl::OkStatus();
}

// Whoever fills the disks of a cluster is refused, before anybody runs out of space. What makes
// space goes on, and so do reads; when there is space again, so do writes.
TEST(Disks, WritesAreRefusedInTimeAndGoOnWithoutARestart) {
  Workspace mounts;
  std::vector<std::unique_ptr<SmallDisk>> disks;
  std::map<uint64_t, std::string> data;
  for (uint64_t node = 1; node <= 3; ++node) {
    auto disk = SmallDisk::Mount(mounts / ("small" + std::to_string(node)), 640 * kMebibyte);
    if (!disk.ok()) GTEST_SKIP() << disk.status();
    data[node] = (*disk)->path() + "/data";
    disks.push_back(*std::move(disk));
  }
  RealCluster cluster({.nodes = 3, .data = data, .arguments = WithSoftLimit()});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  for (const auto& disk : disks) disk->Fill(192 * kMebibyte);
  int written = 0;
  const absl::Status refused = FillByPuts(cluster, &written);
  const std::optional<v1::Failure> failure = client::FailureOf(refused);
  ASSERT_TRUE(failure.has_value()) << written << " puts, then " << refused;
  EXPECT_EQ(failure->reason(), "NO_SPACE") << refused;
  EXPECT_EQ(failure->need_bytes(), kSoftLimit + kSoftLimit / 8);
  // That one may have been tried before at a leader who handed over for want of space, and nobody
  // knows what became of it there. Soon one is refused at once, wherever it goes.
  absl::Status next;
  const auto certainly_refused = [&] {
    next = cluster.store().Put("more", "x").status();
    const std::optional<v1::Failure> why = client::FailureOf(next);
    return why.has_value() && why->reason() == "NO_SPACE" && why->effect() == v1::EFFECT_NONE;
  };
  ASSERT_TRUE(WaitUntil(certainly_refused, kElectionPatience)) << next;
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_GT(written, 10);
  for (const auto& disk : disks) EXPECT_GT(disk->free_bytes(), kSoftLimit / 4);
  // As long as nobody makes space, it stays so.
  for (int i = 0; i < 20; ++i) {
    const auto got = cluster.store().Get("fill" + std::to_string(i % written));
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_TRUE(got->value.has_value());
  }
  const auto removed = cluster.store().Delete("fill0");
  EXPECT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(cluster.RunningNodes().size(), 3u);
  for (const auto& disk : disks) disk->Free();
  ASSERT_TRUE(WaitUntil([&] { return cluster.store().Put("again", "v").ok(); }, kElectionPatience));
  const auto gone = cluster.store().Get("fill0");
  ASSERT_TRUE(gone.ok()) << gone.status();
  EXPECT_FALSE(gone->value.has_value());
  cluster.ExpectNoneEnded();
  cluster.ExpectLevel();
}

// One node without space holds nobody up: it leads nothing, takes nothing more, and does not end.
TEST(Disks, ANodeWithoutSpaceWaitsForItAndCatchesUp) {
  constexpr uint64_t kNode = 2;
  Workspace mounts;
  const auto disk = SmallDisk::Mount(mounts / "small", 640 * kMebibyte);
  if (!disk.ok()) GTEST_SKIP() << disk.status();
  RealCluster cluster(
      {.nodes = 3, .data = {{kNode, (*disk)->path() + "/data"}}, .arguments = WithSoftLimit()});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 17});
  load.ExpectProgress();
  (*disk)->Fill(kSoftLimit / 8);
  ASSERT_TRUE(WaitUntil(
      [&] {
        const std::optional<v1::NodeStatus> status = cluster.StatusOf(kNode);
        return status.has_value() && status->disk_room() == v1::DISK_NONE;
      },
      kElectionPatience));
  const uint64_t free_before = (*disk)->free_bytes();
  const std::string value(256 << 10, 'x');
  int refused = 0;
  for (int i = 0; i < 200; ++i) refused += cluster.store().Put("filler", value).ok() ? 0 : 1;
  EXPECT_LT(refused, 5) << "two of three nodes have space";
  load.ExpectProgress();
  EXPECT_GT((*disk)->free_bytes() + kMebibyte, free_before) << "it went on writing";
  for (const uint64_t group : cluster.AllGroups()) {
    EXPECT_NE(cluster.AwaitLeader(group), kNode) << "it leads group " << group;
  }
  (*disk)->Free();
  load.ExpectProgress();
  load.StopAndJudge();
  cluster.ExpectNoneEnded();
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
