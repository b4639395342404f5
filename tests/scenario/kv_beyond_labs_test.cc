// Scenarios that the labs lack: each is a defect that one of the systems before us has, told as a
// story that ends well.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/cluster.h"
#include "tests/scenario/support/expect.h"

namespace lockstep::scenario {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// A log that is replayed over data that survived appends everything twice. The key has never been
// Put, which would hide it.
TEST(KvBeyondLabs, AppendsAreNotRepeatedByARestart) {
  testing::ForEachSeed({.seeds = 30}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .clients = 1, .seed = seed, .log_entries_max = 4});
    std::string written;
    for (int round = 0; round < 5; ++round) {
      const uint64_t words = 1 + cluster.rng().Below(6);
      for (uint64_t i = 0; i < words; ++i) {
        cluster.client().Append("k", absl::StrCat(round, ".", i, " "));
        absl::StrAppend(&written, round, ".", i, " ");
      }
      const bool machine_dies = cluster.rng().Chance({1, 2});
      for (const NodeId server : cluster.Servers()) {
        machine_dies ? cluster.Crash(server) : cluster.Kill(server);
      }
      cluster.RestartAll();
      EXPECT_EQ(cluster.client().Get("k"), written);
    }
  });
}

// An idle cluster writes nothing, and says no more than its heartbeats.
TEST(KvBeyondLabs, AnIdleClusterDoesNotGrow) {
  Cluster cluster({.servers = 3, .clients = 1});
  cluster.client().Put("k", "v");
  const NodeId leader = cluster.ExpectOneLeader();
  cluster.RunFor(kElectionTimeout);
  const Index last = cluster.ReplicaOn(leader).last;
  const uint64_t log_bytes = cluster.BytesOnDisk(leader, Part::kLog);
  const uint64_t table_bytes = cluster.BytesOnDisk(leader, Part::kTable);
  const Traffic before = cluster.traffic();
  cluster.RunFor(minutes(10));
  EXPECT_EQ(cluster.ReplicaOn(leader).last, last);
  EXPECT_EQ(cluster.BytesOnDisk(leader, Part::kLog), log_bytes);
  EXPECT_EQ(cluster.BytesOnDisk(leader, Part::kTable), table_bytes);
  EXPECT_LE((cluster.traffic() - before).messages, 10u * 60 * 10 * 2 * 2 + 10);
}

// A peer that is down costs a heartbeat now and then: no hot loop, no log that grows for it.
TEST(KvBeyondLabs, OnePeerDownForLongCostsNothing) {
  Cluster cluster({.servers = 3, .clients = 1, .log_entries_max = 50});
  cluster.client().Put("k", "v");
  const NodeId leader = cluster.ExpectOneLeader();
  const NodeId dead = cluster.After(leader, 1);
  cluster.Crash(dead);
  cluster.RunFor(2 * kElectionTimeout);
  Traffic before = cluster.traffic();
  cluster.RunFor(minutes(1));
  // With both followers alive it would be 40 a second.
  EXPECT_LE((cluster.traffic() - before).messages, 60u * 30 + 10);

  before = cluster.traffic();
  const std::string kilobyte(1000, 'x');
  for (int i = 0; i < 500; ++i) cluster.client().Put(absl::StrCat("k", i % 10), kilobyte);
  EXPECT_LE((cluster.traffic() - before).bytes, 500u * 1500) << "sent to the dead, too";
  EXPECT_LE(cluster.LogEntriesOf(leader), 100u);
  EXPECT_LE(cluster.BytesOnDisk(leader, Part::kLog), 4u * (64 << 10));
  cluster.Restart(dead);
  cluster.Agree("all", 3);
  EXPECT_GE(cluster.ReplicaOn(dead).snapshots_installed, 1u);
}

// A server that has lost the others does not know what is new, and so does not say what is old.
TEST(KvBeyondLabs, AnIsolatedServerAnswersNoRead) {
  Cluster cluster({.servers = 3, .clients = 4});
  cluster.client(0).Put("k", "old");
  const NodeId leader = cluster.ExpectOneLeader();
  cluster.Agree("all", 3);
  cluster.Disconnect(leader);
  cluster.LetReach(0, {cluster.After(leader, 1), cluster.After(leader, 2)});
  cluster.LetReach(1, {leader});
  const Pending at_once = cluster.client(1).GetSoon("k", seconds(2));
  cluster.client(0).Put("k", "new");
  cluster.RunFor(seconds(3));
  EXPECT_FALSE(at_once.ok());
  const Pending later = cluster.client(1).GetSoon("k", seconds(20));
  Expect(cluster, later).DoesNotCompleteWithin(seconds(10));

  // A follower that is left alone with the old value does not answer either: the others are dead.
  cluster.Connect(leader);
  cluster.Agree("all", 3);
  const NodeId second = cluster.ExpectOneLeader();
  const NodeId follower = cluster.After(second, 1);
  cluster.Disconnect(follower);
  cluster.LetReach(2, {follower});
  cluster.client(0).Put("k", "newest");
  cluster.Crash(second);
  cluster.Crash(cluster.After(second, 2));
  const Pending stale = cluster.client(2).GetSoon("k", seconds(20));
  Expect(cluster, stale).DoesNotCompleteWithin(seconds(15));
  cluster.RestartAll();
  cluster.Connect(follower);
  EXPECT_EQ(cluster.client(3).Get("k"), "newest");
}

// A missing key is not an empty one, on the way in and out, across a restart and in a snapshot.
TEST(KvBeyondLabs, MissingIsNotEmpty) {
  Cluster cluster({.servers = 3, .clients = 1, .log_entries_max = 5});
  Client& client = cluster.client();
  EXPECT_EQ(client.Get("k"), std::nullopt);
  EXPECT_FALSE(client.Cas("k", "", "x"));
  client.Put("k", "");
  EXPECT_EQ(client.Get("k"), "");
  EXPECT_FALSE(client.Cas("k", std::nullopt, "x"));
  cluster.CrashAll();
  cluster.RestartAll();
  EXPECT_EQ(client.Get("k"), "");
  EXPECT_EQ(client.Get("other"), std::nullopt);
  EXPECT_TRUE(client.Cas("k", "", std::nullopt));
  EXPECT_EQ(client.Get("k"), std::nullopt);
  client.Append("k", "");
  EXPECT_EQ(client.Get("k"), "");
  client.Delete("k");
  EXPECT_EQ(client.Get("k"), std::nullopt);
  EXPECT_TRUE(client.Cas("k", std::nullopt, ""));
  EXPECT_EQ(client.Get("k"), "");
}

// Nothing ends at 4 MB: not a value, not an entry, not a snapshot; and a power failure in the
// middle of a snapshot's installation is only a delay.
TEST(KvBeyondLabs, ValuesAndSnapshotsMayBeLargerThanFourMegabytes) {
  Cluster cluster({.servers = 3, .clients = 1, .log_entries_max = 5});
  Client& client = cluster.client();
  client.Put("small", "s");
  const NodeId leader = cluster.ExpectOneLeader();
  const NodeId away = cluster.After(leader, 1);
  cluster.Disconnect(away);
  cluster.RunFor(2 * kElectionTimeout);
  const std::string five_megabytes(5 << 20, 'v');
  client.Put("large", five_megabytes);
  for (int i = 0; i < 10; ++i) client.Put(absl::StrCat("k", i), std::string(1 << 20, 'w'));
  cluster.LosePowerInNextSnapshotPart(away, /*change=*/1);
  cluster.Connect(away);
  cluster.ExpectTrapSprings(away);
  EXPECT_FALSE(cluster.IsUp(away));
  cluster.Restart(away);
  cluster.Agree("all", 3);
  EXPECT_GE(cluster.ReplicaOn(away).snapshots_installed, 1u);

  // The one that got it by a snapshot has it: it is one of the two that are left.
  cluster.Crash(cluster.After(leader, 2));
  EXPECT_EQ(client.Get("large"), five_megabytes);
  EXPECT_EQ(client.Get("small"), "s");
}

}  // namespace
}  // namespace lockstep::scenario
