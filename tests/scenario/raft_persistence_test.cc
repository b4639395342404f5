// What survives crashes: the labs' part 2C. A crash is a power failure: memory is gone, and of the
// disk whatever had not been synced, perhaps. Every scenario ends with all servers holding equal
// tables and every command being read back (Cluster::Finish).
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/cluster.h"
#include "tests/scenario/support/expect.h"
#include "tests/scenario/support/load.h"

namespace lockstep::scenario {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Lab: TestPersist12C. Stronger: over many seeds, because a power failure leaves something else of
// the disk in each.
TEST(RaftPersistence, TheLogGoesOnAfterAnyCrash) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .seed = seed});
    Index last = cluster.Agree("11", 3);
    const auto agree = [&](const char* value, size_t servers) {
      const Index index = cluster.Agree(value, servers);
      EXPECT_GT(index, last);
      last = index;
    };
    cluster.CrashAll();
    cluster.RestartAll();
    agree("12", 3);
    const NodeId first = cluster.ExpectOneLeader();
    cluster.Crash(first);
    cluster.Restart(first);
    agree("13", 3);
    const NodeId second = cluster.ExpectOneLeader();
    cluster.Crash(second);
    agree("14", 2);
    cluster.Restart(second);
    cluster.ExpectExecutedBy(last, cluster.Servers());
    const NodeId follower = cluster.After(cluster.ExpectOneLeader(), 1);
    cluster.Crash(follower);
    agree("15", 2);
    cluster.Restart(follower);
    agree("16", 3);
  });
}

// Lab: TestPersist22C. Stronger: over many seeds.
TEST(RaftPersistence, MajoritiesThatShareOneServerPassTheLogOn) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 5, .seed = seed});
    for (int round = 0; round < 5; ++round) {
      cluster.Agree(absl::StrCat("all ", round), 5);
      const NodeId leader = cluster.ExpectOneLeader();
      const Side two = {cluster.After(leader, 1), cluster.After(leader, 2)};
      for (const NodeId server : two) cluster.Disconnect(server);
      cluster.Agree(absl::StrCat("three ", round), 3);
      const Side three = {leader, cluster.After(leader, 3), cluster.After(leader, 4)};
      for (const NodeId server : three) cluster.Disconnect(server);
      for (const NodeId server : two) {
        cluster.Crash(server);
        cluster.Restart(server);
        cluster.Connect(server);
      }
      cluster.RunFor(kElectionTimeout);
      // The one that knows more than these two makes a majority with them.
      cluster.Crash(three[1]);
      cluster.Restart(three[1]);
      cluster.Connect(three[1]);
      cluster.Agree(absl::StrCat("other three ", round), 3);
      for (const NodeId server : {three[0], three[2]}) {
        cluster.Crash(server);
        cluster.Restart(server);
        cluster.Connect(server);
      }
    }
    cluster.Agree("1000", 5);
  });
}

// Lab: TestPersist32C. Stronger: over many seeds.
TEST(RaftPersistence, ALeaderThatRestartsBringsTheOneThatWasAwayUpToDate) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .seed = seed});
    cluster.Agree("101", 3);
    const NodeId leader = cluster.ExpectOneLeader();
    const NodeId away = cluster.After(leader, 2);
    cluster.Disconnect(away);
    cluster.Agree("102", 2);
    cluster.Crash(leader);
    cluster.Crash(cluster.After(leader, 1));
    cluster.Connect(away);
    cluster.Restart(leader);
    EXPECT_GT(cluster.Agree("103", 2), Index());
    cluster.Restart(cluster.After(leader, 1));
    cluster.Agree("104", 3);
  });
}

// Raft, Fig. 8, step by step: an entry of an old term that a majority holds is not committed by
// that, because a server with a later term can still overwrite it. The labs hope to come by it.
TEST(RaftPersistence, AnOldEntryIsNotCommittedByCounting) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 5, .seed = seed, .append_entries_max = 1});
    const Index before = cluster.Agree("first", 5);
    // (a) S1 has an entry that only S2 gets.
    const NodeId s1 = cluster.ExpectOneLeader();
    const NodeId s2 = cluster.After(s1, 1);
    const Side rest = {cluster.After(s1, 2), cluster.After(s1, 3), cluster.After(s1, 4)};
    cluster.Partition({{s1, s2}, rest});
    const Proposal old = cluster.ProposeSoon(s1, "old");
    cluster.RunFor(kHeartbeat);
    ASSERT_EQ(cluster.ReplicaOn(s2).last, before.Next());
    // (b) S5 becomes leader and is cut off before anybody gets its first entry.
    EXPECT_TRUE(cluster.RunUntil([&] { return bool{cluster.LeaderAmong(rest)}; }, seconds(20)));
    const NodeId s5 = cluster.LeaderAmong(rest);
    cluster.Partition({{s1, s2}});
    cluster.RunFor(2 * kElectionTimeout);
    // (c) S1 or S2 leads again. It brings the old entry to S3, and a majority has it.
    const NodeId s3 = rest[0] == s5 ? rest[1] : rest[0];
    const NodeId s4 = rest[2] == s5 ? rest[1] : rest[2];
    cluster.Partition({{s1, s2, s3}});
    const auto reached = [&] { return cluster.ReplicaOn(s3).last == old.index(); };
    EXPECT_TRUE(cluster.RunUntil(reached, seconds(20)));
    const NodeId leader = cluster.LeaderAmong({s1, s2});
    ASSERT_TRUE(leader);
    cluster.CutOneWay(leader, s3);
    cluster.RunFor(kHeartbeat);
    EXPECT_LT(cluster.CommitOf(leader), old.index());
    // (d) S5 leads again, and overwrites it.
    cluster.Crash(s1);
    cluster.Crash(s2);
    cluster.Partition({{s3, s4, s5}});
    EXPECT_EQ(cluster.ExpectOneLeader(), s5);
    cluster.Agree("new", 3);
    EXPECT_EQ(cluster.CommittedAt(old), Index());
  });
}

// One step of Figure 8: whoever takes itself for a leader gets a command, and a little later
// becomes its victim, if there is one.
NodeId ProposeAndWait(Cluster& cluster, int step) {
  NodeId leader;
  for (const NodeId server : cluster.RunningServers()) {
    if (cluster.ReplicaOn(server).role != raft::Role::kLeader) continue;
    cluster.ProposeSoon(server, absl::StrCat(step));
    leader = server;
  }
  const bool long_wait = cluster.rng().Chance({1, 10});
  const Duration wait = cluster.rng().Between(
      Duration(0), long_wait ? Duration(milliseconds(500)) : milliseconds(13));
  cluster.RunFor(wait);
  return leader;
}

NodeId DrawServer(Cluster& cluster) {
  const Side servers = cluster.Servers();
  const uint64_t drawn = cluster.rng().Below(servers.size());
  return servers[drawn];
}

// Lab: TestFigure82C (Raft, Fig. 8). Stronger: that no committed entry is ever lost is checked all
// along and not only by an agreement at the end, and over several seeds.
TEST(RaftPersistence, NoCommittedEntryIsLostWhenLeadersCrash) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) {
    Cluster cluster({.servers = 5, .seed = seed});
    cluster.Agree("first", 5);
    for (int step = 0; step < 1000 && !cluster.broken(); ++step) {
      const NodeId leader = ProposeAndWait(cluster, step);
      if (leader) cluster.Crash(leader);
      if (cluster.RunningServers().size() >= 3) continue;
      const NodeId lucky = DrawServer(cluster);
      if (!cluster.IsUp(lucky)) cluster.Restart(lucky);
    }
    EXPECT_GE(cluster.elections(), 3u);
    cluster.RestartAll();
    cluster.Agree("last", 5);
  });
}

// Lab: TestUnreliableAgree2C. Stronger: over several seeds, and every answer counts once.
TEST(RaftPersistence, CommandsAreExecutedOverANetworkThatLosesMessages) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    Cluster cluster({.servers = 5, .clients = 5, .seed = seed, .weather = Weather::kUnreliable});
    for (int round = 1; round < 50 && !cluster.broken(); ++round) {
      std::vector<Pending> writes;
      for (uint16_t i = 0; i < 5; ++i) {
        writes.push_back(cluster.client(i).PutSoon(absl::StrCat(round, " ", i), "done"));
      }
      for (uint16_t i = 0; i < 5; ++i) {
        Expect(cluster, writes[i]).CompletesWithin(seconds(30));
      }
    }
    cluster.SetWeather(Weather::kReliable);
    cluster.Agree("100", 5);
  });
}

// Lab: TestFigure8Unreliable2C. Stronger: as for Figure 8, over several seeds.
TEST(RaftPersistence, NoCommittedEntryIsLostWhenLeadersAreCutOffAndMessagesAreLate) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    Cluster cluster({.servers = 5, .seed = seed, .weather = Weather::kUnreliable});
    cluster.Agree("first", 1);
    for (int step = 0; step < 1000 && !cluster.broken(); ++step) {
      if (step == 200) cluster.SetWeather(Weather::kLongReordering);
      const NodeId leader = ProposeAndWait(cluster, step);
      const bool cut_off = cluster.rng().Chance({1, 2});
      if (leader && cut_off) cluster.Disconnect(leader);
      if (cluster.Present().size() >= 3) continue;
      cluster.Connect(DrawServer(cluster));
    }
    EXPECT_GE(cluster.elections(), 3u);
    for (const NodeId server : cluster.Servers()) cluster.Connect(server);
    cluster.SetWeather(Weather::kUnreliable);
    cluster.Agree("last", 5);
  });
}

// Servers come and go at random while three clients write.
void Churn(Weather weather, uint64_t seed) {
  Cluster cluster({.servers = 5, .clients = 3, .seed = seed, .weather = weather});
  Load load(cluster, Keys::kOwn);
  for (int round = 0; round < 20 && !cluster.broken(); ++round) {
    const bool cut_off = cluster.rng().Chance({1, 5});
    if (cut_off) cluster.Disconnect(DrawServer(cluster));
    const bool comes_back = cluster.rng().Chance({1, 2});
    const NodeId lucky = DrawServer(cluster);
    if (comes_back && !cluster.IsUp(lucky)) cluster.Restart(lucky);
    if (comes_back) cluster.Connect(lucky);
    const bool crashes = cluster.rng().Chance({1, 5});
    if (crashes) cluster.Crash(DrawServer(cluster));
    cluster.RunFor(kElectionTimeout * 7 / 10);
  }
  cluster.RestartAll();
  for (const NodeId server : cluster.Servers()) cluster.Connect(server);
  const auto all_served = [&] { return load.executed_by_slowest() >= 20; };
  EXPECT_TRUE(cluster.RunUntil(all_served, kPatience) || cluster.broken());
  load.Stop();
  load.ExpectEveryWordOnce();
}

// Lab: TestReliableChurn2C, "every value a client saw committed is in the final log". Stronger:
// exactly once and in order, over several seeds.
TEST(RaftPersistence, WhatWasAnsweredSurvivesChurn) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) { Churn(Weather::kReliable, seed); });
}

// Lab: TestUnreliableChurn2C.
TEST(RaftPersistence, WhatWasAnsweredSurvivesChurnOverANetworkThatLosesMessages) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) { Churn(Weather::kUnreliable, seed); });
}

}  // namespace
}  // namespace lockstep::scenario
