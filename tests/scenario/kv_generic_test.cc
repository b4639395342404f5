// The store under load and faults: every row of the labs' GenericTest, parts 3A and 3B.
//
// Clients append numbered words to keys of their own and read them back, for three times 5 s, while
// the servers fall apart and lose power. The labs stop their clients before they crash the servers;
// here they go on. Asserted of every story: each word is there once, in order, and nothing else;
// each read gave what the client had written; the whole history is linearizable, which must be
// shown and not merely not refuted; when the faults are over every client is served; logs stay
// short, or are never compacted where no limit was set.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "sim/testing/seeds.h"
#include "tests/scenario/support/cluster.h"
#include "tests/scenario/support/load.h"

namespace lockstep::scenario {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Network : uint8_t { kWhole, kPartitioned };
enum class Power : uint8_t { kSteady, kFailing };

struct Story {
  uint16_t clients = 1;
  uint16_t servers = 5;
  Weather weather = Weather::kReliable;
  Power power = Power::kSteady;
  Network network = Network::kWhole;
  uint64_t log_bytes_max = 0;  // the labs' maxraftstate; 0: none
  Keys keys = Keys::kOwn;
  uint64_t seeds = 10;
};

ClusterOptions OptionsOf(const Story& story, uint64_t seed) {
  ClusterOptions options{
      .servers = story.servers, .clients = story.clients, .seed = seed, .weather = story.weather};
  if (story.log_bytes_max > 0) options.log_bytes_max = story.log_bytes_max;
  return options;
}

// Any server falls on either side.
void PartitionAtRandom(Cluster& cluster) {
  std::vector<Side> sides(2);
  for (const NodeId server : cluster.Servers()) {
    const uint64_t side = cluster.rng().Below(2);
    sides[side].push_back(server);
  }
  cluster.Partition(sides);
}

// 5 s, with another partition every 1 to 1.2 s.
void LetFiveSecondsPass(Cluster& cluster, Network network) {
  const Instant until = cluster.now() + seconds(5);
  while (cluster.now() < until && !cluster.broken()) {
    if (network == Network::kPartitioned) PartitionAtRandom(cluster);
    const Duration span = cluster.rng().Between(Duration(seconds(1)), Duration(milliseconds(1200)));
    cluster.RunFor(span);
  }
  cluster.EndPartition();
}

void ExpectLogsAsLongAsAllowed(Cluster& cluster, const Story& story) {
  for (const NodeId server : cluster.Servers()) {
    if (story.log_bytes_max > 0) {
      EXPECT_LE(cluster.LogBytesOf(server), 8 * story.log_bytes_max);
      EXPECT_GT(cluster.ReplicaOn(server).base, Index()) << "it was never compacted";
    } else {
      EXPECT_EQ(cluster.ReplicaOn(server).base, Index()) << "it was compacted";
    }
  }
}

void Tell(const Story& story, uint64_t seed) {
  Cluster cluster(OptionsOf(story, seed));
  Load load(cluster, story.keys);
  for (int round = 0; round < 3 && !cluster.broken(); ++round) {
    LetFiveSecondsPass(cluster, story.network);
    if (story.power == Power::kSteady) continue;
    cluster.CrashAll();
    cluster.RunFor(seconds(1));
    cluster.RestartAll();
  }
  cluster.SetWeather(Weather::kReliable);
  const auto all_served = [&] { return load.executed_by_slowest() >= 50; };
  EXPECT_TRUE(cluster.RunUntil(all_served, seconds(60)) || cluster.broken());
  load.Stop();
  if (story.keys == Keys::kOwn) load.ExpectEveryWordOnce();
  cluster.RunFor(kElectionTimeout);
  ExpectLogsAsLongAsAllowed(cluster, story);
}

void Tell(const Story& story) {
  testing::ForEachSeed({.seeds = story.seeds}, [&](uint64_t seed) { Tell(story, seed); });
}

// --- Part 3A: no snapshots ---

// Lab: TestBasic3A.
TEST(KvGeneric, OneClient) { Tell({.clients = 1}); }

// Lab: TestConcurrent3A.
TEST(KvGeneric, ManyClients) { Tell({.clients = 5}); }

// Lab: TestUnreliable3A.
TEST(KvGeneric, ANetworkThatLosesMessages) {
  Tell({.clients = 5, .weather = Weather::kUnreliable});
}

// Lab: TestManyPartitionsOneClient3A.
TEST(KvGeneric, ManyPartitionsAndOneClient) {
  Tell({.clients = 1, .network = Network::kPartitioned});
}

// Lab: TestManyPartitionsManyClients3A.
TEST(KvGeneric, ManyPartitionsAndManyClients) {
  Tell({.clients = 5, .network = Network::kPartitioned});
}

// Lab: TestPersistOneClient3A.
TEST(KvGeneric, PowerFailuresAndOneClient) { Tell({.clients = 1, .power = Power::kFailing}); }

// Lab: TestPersistConcurrent3A.
TEST(KvGeneric, PowerFailuresAndManyClients) { Tell({.clients = 5, .power = Power::kFailing}); }

// Lab: TestPersistConcurrentUnreliable3A.
TEST(KvGeneric, PowerFailuresAndANetworkThatLosesMessages) {
  Tell({.clients = 5, .weather = Weather::kUnreliable, .power = Power::kFailing});
}

// Lab: TestPersistPartition3A.
TEST(KvGeneric, PowerFailuresAndPartitions) {
  Tell({.clients = 5, .power = Power::kFailing, .network = Network::kPartitioned});
}

// Lab: TestPersistPartitionUnreliable3A.
TEST(KvGeneric, PowerFailuresPartitionsAndANetworkThatLosesMessages) {
  Tell({.clients = 5,
        .weather = Weather::kUnreliable,
        .power = Power::kFailing,
        .network = Network::kPartitioned});
}

// Lab: TestPersistPartitionUnreliableLinearizable3A, whose checker passes what it cannot decide in
// a second. The one that eRaft's store fails.
TEST(KvGeneric, EverythingAtOnceOnSharedKeysIsLinearizable) {
  Tell({.clients = 15,
        .servers = 7,
        .weather = Weather::kUnreliable,
        .power = Power::kFailing,
        .network = Network::kPartitioned,
        .keys = Keys::kShared,
        .seeds = 30});
}

// --- Part 3B: a log of 1000 bytes, then a snapshot ---

// Lab: TestSnapshotRecover3B.
TEST(KvGeneric, SnapshotsAndPowerFailures) {
  Tell({.clients = 1, .power = Power::kFailing, .log_bytes_max = 1000});
}

// Lab: TestSnapshotRecoverManyClients3B.
TEST(KvGeneric, SnapshotsPowerFailuresAndManyClients) {
  Tell({.clients = 20, .power = Power::kFailing, .log_bytes_max = 1000, .seeds = 3});
}

// Lab: TestSnapshotUnreliable3B.
TEST(KvGeneric, SnapshotsAndANetworkThatLosesMessages) {
  Tell({.clients = 5, .weather = Weather::kUnreliable, .log_bytes_max = 1000});
}

// Lab: TestSnapshotUnreliableRecover3B.
TEST(KvGeneric, SnapshotsPowerFailuresAndANetworkThatLosesMessages) {
  Tell({.clients = 5,
        .weather = Weather::kUnreliable,
        .power = Power::kFailing,
        .log_bytes_max = 1000});
}

// Lab: TestSnapshotUnreliableRecoverConcurrentPartition3B.
TEST(KvGeneric, SnapshotsAndEverythingAtOnce) {
  Tell({.clients = 5,
        .weather = Weather::kUnreliable,
        .power = Power::kFailing,
        .network = Network::kPartitioned,
        .log_bytes_max = 1000});
}

// Lab: TestSnapshotUnreliableRecoverConcurrentPartitionLinearizable3B.
TEST(KvGeneric, SnapshotsAndEverythingAtOnceOnSharedKeysIsLinearizable) {
  Tell({.clients = 15,
        .servers = 7,
        .weather = Weather::kUnreliable,
        .power = Power::kFailing,
        .network = Network::kPartitioned,
        .log_bytes_max = 1000,
        .keys = Keys::kShared,
        .seeds = 30});
}

}  // namespace
}  // namespace lockstep::scenario
