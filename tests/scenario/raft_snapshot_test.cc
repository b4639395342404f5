// Compaction and snapshots: the labs' part 2D, where the tests take a snapshot of every tenth
// entry. Here the servers do it themselves when their log reaches ten entries.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/cluster.h"

namespace lockstep::scenario {
namespace {

constexpr uint64_t kEntriesBetweenSnapshots = 10;
// The labs' MAXLOGSIZE.
constexpr uint64_t kLogBytesMax = 2000;

ClusterOptions Snapshotting(uint64_t seed, Weather weather) {
  return {
      .servers = 3, .seed = seed, .weather = weather, .log_entries_max = kEntriesBetweenSnapshots};
}

enum class Victim : uint8_t { kNobody, kDisconnected, kCrashed };

uint64_t SnapshotsInstalled(Cluster& cluster) {
  uint64_t sum = 0;
  for (const NodeId server : cluster.Servers()) {
    sum += cluster.ReplicaOn(server).snapshots_installed;
  }
  return sum;
}

void ExpectShortLogs(Cluster& cluster) {
  for (const NodeId server : cluster.RunningServers()) {
    EXPECT_LT(cluster.LogBytesOf(server), kLogBytesMax);
    EXPECT_LE(cluster.LogEntriesOf(server), 3 * kEntriesBetweenSnapshots);
  }
}

// Every round somebody is away, in every third round the leader, while more than a snapshot's worth
// of entries goes by; then it returns, and has what the others have. It is away for long: logs are
// kept for a little while for who was getting a snapshot only just now.
void SnapshotStory(const ClusterOptions& options, Victim kind) {
  Cluster cluster(options);
  cluster.Agree("first", 3);
  int rounds_with_snapshots = 0;
  for (int round = 0; round < 30 && !cluster.broken(); ++round) {
    const NodeId leader = cluster.ExpectOneLeader();
    const NodeId victim = round % 3 == 1 ? leader : cluster.After(leader, 1);
    const size_t others = kind == Victim::kNobody ? 3 : 2;
    if (kind == Victim::kDisconnected) cluster.Disconnect(victim);
    if (kind == Victim::kCrashed) cluster.Crash(victim);
    cluster.RunFor(2 * kElectionTimeout);
    const uint64_t installed = SnapshotsInstalled(cluster);
    const uint64_t entries = kEntriesBetweenSnapshots + 1 + cluster.rng().Below(10);
    for (uint64_t i = 0; i < entries; ++i) cluster.Agree(absl::StrCat(round, " ", i), others);
    if (options.weather == Weather::kReliable) ExpectShortLogs(cluster);
    if (kind == Victim::kCrashed) cluster.Restart(victim);
    cluster.Connect(victim);
    cluster.Agree(absl::StrCat("all ", round), 3);
    if (SnapshotsInstalled(cluster) > installed) ++rounds_with_snapshots;
  }
  // Where messages are lost, it is now and then somebody else for whom the log was kept.
  const int rounds_min = options.weather == Weather::kReliable ? 30 : 25;
  EXPECT_GE(rounds_with_snapshots, kind == Victim::kNobody ? 0 : rounds_min);
  ExpectShortLogs(cluster);
}

// Lab: TestSnapshotBasic2D, which bounds the log's bytes. Stronger: its entries too.
TEST(RaftSnapshot, LogsStayShort) {
  SnapshotStory(Snapshotting(/*seed=*/1, Weather::kReliable), Victim::kNobody);
}

// Lab: TestSnapshotInstall2D. Stronger: in each round a snapshot was really installed, and tables
// are compared all along.
TEST(RaftSnapshot, WhoWasCutOffForLongGetsASnapshot) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    SnapshotStory(Snapshotting(seed, Weather::kReliable), Victim::kDisconnected);
  });
}

// Lab: TestSnapshotInstallUnreliable2D. Stronger: in nearly every round.
TEST(RaftSnapshot, WhoWasCutOffForLongGetsASnapshotOverANetworkThatLosesMessages) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    SnapshotStory(Snapshotting(seed, Weather::kUnreliable), Victim::kDisconnected);
  });
}

// Lab: TestSnapshotInstallCrash2D.
TEST(RaftSnapshot, WhoWasDeadForLongGetsASnapshot) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    SnapshotStory(Snapshotting(seed, Weather::kReliable), Victim::kCrashed);
  });
}

// Lab: TestSnapshotInstallUnCrash2D.
TEST(RaftSnapshot, WhoWasDeadForLongGetsASnapshotOverANetworkThatLosesMessages) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    SnapshotStory(Snapshotting(seed, Weather::kUnreliable), Victim::kCrashed);
  });
}

// Lab: TestSnapshotAllCrash2D, "the index never decreases". Stronger: no server's table goes back
// behind what it had made durable, and over many seeds.
TEST(RaftSnapshot, IndexesGoOnWhenAllCrash) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster(Snapshotting(seed, Weather::kReliable));
    cluster.Agree("first", 3);
    for (int round = 0; round < 5 && !cluster.broken(); ++round) {
      const uint64_t entries = 5 + cluster.rng().Below(10);
      Index last;
      for (uint64_t i = 0; i < entries; ++i) last = cluster.Agree(absl::StrCat(i), 3);
      const Index base = cluster.ReplicaOn(NodeId(1)).base;
      cluster.CrashAll();
      cluster.RestartAll();
      EXPECT_GE(cluster.ReplicaOn(NodeId(1)).base, base);
      EXPECT_GE(cluster.AppliedOf(NodeId(1)), base);
      EXPECT_GT(cluster.Agree("again", 3), last);
    }
  });
}

// Lab: TestSnapshotInit2D: a snapshot that was only read back must be as good as one that was
// taken, also when there is next to nothing behind it in the log.
TEST(RaftSnapshot, NothingIsLostWhenAllCrashTwiceRoundOneCommand) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster(Snapshotting(seed, Weather::kReliable));
    for (int i = 0; i < 15; ++i) cluster.Agree(absl::StrCat(i), 3);
    EXPECT_GT(cluster.ReplicaOn(NodeId(1)).base, Index());
    cluster.CrashAll();
    cluster.RestartAll();
    const Index before = cluster.Agree("one", 3);
    cluster.CrashAll();
    cluster.RestartAll();
    EXPECT_GT(cluster.Agree("two", 3), before);
  });
}

}  // namespace
}  // namespace lockstep::scenario
