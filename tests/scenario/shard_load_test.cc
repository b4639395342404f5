// Shards that move while clients write: the rows of the labs' part 4B with a load of clients.
// Asserted of every story: each word is there once, in order, and nothing else, or, on shared keys,
// the history is linearizable, which must be shown; when all is over every client is served.
#include <gtest/gtest.h>

#include <cstdint>

#include "sim/testing/seeds.h"
#include "tests/scenario/support/load.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPause = milliseconds(20);

ShardedOptions Loaded(uint64_t seed, uint64_t log_bytes_max = 0,
                      Weather weather = Weather::kReliable) {
  ShardedOptions options{.groups = 3, .clients = 10, .seed = seed, .weather = weather};
  if (log_bytes_max > 0) options.log_bytes_max = log_bytes_max;
  return options;
}

void End(ShardedCluster& cluster, Load& load, Keys keys = Keys::kOwn) {
  cluster.SetWeather(Weather::kReliable);
  const auto all_served = [&] { return load.executed_by_slowest() >= 20; };
  EXPECT_TRUE(cluster.RunUntil(all_served, seconds(60)) || cluster.broken());
  load.Stop();
  if (keys == Keys::kOwn) load.ExpectEveryWordOnce();
}

// Lab: TestConcurrent1.
TEST(ShardLoad, ChangesAndGroupsThatShutDown) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    ShardedCluster cluster(Loaded(seed, /*log_bytes_max=*/100));
    cluster.Join({k100});
    Load load(cluster, Keys::kOwn, kPause);
    cluster.RunFor(milliseconds(150));
    cluster.Join({k101});
    cluster.RunFor(milliseconds(500));
    cluster.Join({k102});
    cluster.RunFor(milliseconds(500));
    cluster.Leave({k100});
    cluster.ShutDown(k100);
    cluster.RunFor(milliseconds(100));
    cluster.ShutDown(k101);
    cluster.RunFor(milliseconds(100));
    cluster.ShutDown(k102);
    cluster.Leave({k102});
    cluster.RunFor(milliseconds(100));
    for (const GroupId gid : cluster.AllGroups()) cluster.Start(gid);
    cluster.RunFor(milliseconds(100));
    cluster.Join({k100});
    cluster.Leave({k101});
    cluster.RunFor(milliseconds(500));
    cluster.Join({k101});
    cluster.RunFor(seconds(1));
    End(cluster, load);
  });
}

// Lab: TestConcurrent2.
TEST(ShardLoad, ShardsComeFromEverywhere) {
  testing::ForEachSeed({.seeds = 3}, [](uint64_t seed) {
    ShardedCluster cluster(Loaded(seed));
    cluster.Join({k101});
    cluster.Join({k100});
    cluster.Join({k102});
    Load load(cluster, Keys::kOwn, kPause);
    cluster.Leave({k100});
    cluster.Leave({k102});
    cluster.RunFor(seconds(3));
    cluster.Join({k100});
    cluster.Join({k102});
    cluster.Leave({k101});
    cluster.RunFor(seconds(3));
    cluster.Join({k101});
    cluster.Leave({k100});
    cluster.Leave({k102});
    cluster.RunFor(seconds(3));
    cluster.ShutDown(k101);
    cluster.ShutDown(k102);
    cluster.RunFor(seconds(1));
    cluster.Start(k101);
    cluster.Start(k102);
    cluster.RunFor(seconds(2));
    End(cluster, load);
    for (const GroupId gid : cluster.AllGroups()) {
      for (const NodeId server : cluster.ServersOf(gid)) {
        EXPECT_EQ(cluster.ReplicaOn(server, gid).base, Index()) << "it was compacted";
      }
    }
  });
}

// Lab: TestConcurrent3, which is TestChallenge1Concurrent too.
TEST(ShardLoad, ChangesAndPowerFailuresOfAllGroups) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    ShardedCluster cluster(Loaded(seed, /*log_bytes_max=*/300));
    cluster.Join({k100});
    Load load(cluster, Keys::kOwn, kPause);
    const Instant until = cluster.now() + seconds(12);
    while (cluster.now() < until && !cluster.broken()) {
      cluster.Join({k102});
      cluster.Join({k101});
      const Duration first = cluster.rng().Between(Duration(0), Duration(milliseconds(900)));
      cluster.RunFor(first);
      for (const GroupId gid : cluster.AllGroups()) cluster.ShutDown(gid);
      for (const GroupId gid : cluster.AllGroups()) cluster.Start(gid);
      cluster.Leave({k101});
      cluster.Leave({k102});
      const Duration second = cluster.rng().Between(Duration(0), Duration(milliseconds(900)));
      cluster.RunFor(second);
    }
    cluster.RunFor(seconds(2));
    End(cluster, load);
  });
}

void ChangeOverABadNetwork(uint64_t seed, Keys keys) {
  ShardedCluster cluster(Loaded(seed, /*log_bytes_max=*/100, Weather::kUnreliable));
  cluster.Join({k100});
  Load load(cluster, keys, kPause);
  cluster.RunFor(milliseconds(150));
  cluster.Join({k101});
  cluster.RunFor(milliseconds(500));
  cluster.Join({k102});
  cluster.RunFor(milliseconds(500));
  cluster.Leave({k100});
  cluster.RunFor(milliseconds(500));
  cluster.Leave({k101});
  cluster.RunFor(milliseconds(500));
  cluster.Join({k101});
  cluster.Join({k100});
  cluster.RunFor(seconds(2));
  End(cluster, load, keys);
}

// Lab: TestUnreliable2.
TEST(ShardLoad, ChangesOverANetworkThatLosesMessages) {
  testing::ForEachSeed({.seeds = 10},
                       [](uint64_t seed) { ChangeOverABadNetwork(seed, Keys::kOwn); });
}

// Lab: TestUnreliable3.
TEST(ShardLoad, ChangesOverABadNetworkAreLinearizable) {
  testing::ForEachSeed({.seeds = 20},
                       [](uint64_t seed) { ChangeOverABadNetwork(seed, Keys::kShared); });
}

}  // namespace
}  // namespace lockstep::scenario
