// Groups that go, come back, are away for long, or have only each other.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/expect.h"
#include "tests/scenario/support/known.h"
#include "tests/scenario/support/load.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The last group leaves, another one joins: it has all the data. (Shards pass through nobody's
// hands elsewhere, and begin empty.)
TEST(ShardGroups, AllLeaveAndAnotherJoins) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    ShardedCluster cluster({.groups = 3, .clients = 1, .seed = seed});
    cluster.Join({k100, k101});
    Known known(cluster, /*keys=*/20);
    known.PutAll();
    EXPECT_EQ(cluster.administrator().Leave({k100, k101}), proto::FAILED_PRECONDITION);
    cluster.LeaveByForce({k100, k101});
    for (uint32_t shard = 0; shard < 10; ++shard) {
      cluster.ExpectServedBy(shard, GroupId(), seconds(2));
    }
    const Pending get = cluster.client().GetSoon(known.key(0));
    Expect(cluster, get).DoesNotCompleteWithin(seconds(5));
    cluster.Join({k102});
    Expect(cluster, get).CompletesWithin(seconds(10));
    EXPECT_EQ(get.value(), known.value(0));
    known.ExpectAndAppendAll();
    cluster.ExpectSettled();
    cluster.ShutDown(k100);
    cluster.ShutDown(k101);
    known.ExpectAll();
  });
}

// The same, with the old groups down when the new one joins: it waits for them, and makes nothing
// up.
TEST(ShardGroups, NothingBeginsEmptyThatHasAnOwner) {
  ShardedCluster cluster({.groups = 2, .clients = 1});
  cluster.Join({k100});
  Known known(cluster, /*keys=*/10);
  known.PutAll();
  cluster.LeaveByForce({k100});
  cluster.ShutDown(k100);
  cluster.Join({k101});
  const Pending get = cluster.client().GetSoon(known.key(4));
  const Pending cas = cluster.client().CasSoon(known.key(5), std::nullopt, "as if it were new");
  Expect(cluster, get).DoesNotCompleteWithin(seconds(20));
  EXPECT_FALSE(cas.done());
  cluster.Start(k100);
  Expect(cluster, get).CompletesWithin(seconds(10));
  Expect(cluster, cas).CompletesWithin(seconds(10));
  EXPECT_EQ(get.value(), known.value(4));
  EXPECT_EQ(cas.outcome().result.code(), proto::CONFLICT);
  known.ExpectAll();
}

// A gid that leaves and comes back while its old shards have not been fetched yet: they are fetched
// from what it was, and not taken for what it is.
TEST(ShardGroups, AGidThatComesBackIsAnotherGroup) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    ShardedCluster cluster({.groups = 3, .clients = 1, .seed = seed});
    cluster.Join({k100});
    Known known(cluster, /*keys=*/10);
    known.PutAll();
    cluster.CutBetween(k100, k101);
    cluster.Join({k101});
    cluster.Leave({k100});
    const uint64_t gone = cluster.newest_num();
    cluster.ExpectHasComeTo(k100, gone);
    cluster.Join({k100});
    cluster.ExpectHasComeTo(k100, cluster.newest_num());
    EXPECT_EQ(cluster.newest().Find(k100)->joined.value(), cluster.newest_num());
    // It was given shards that it had: they are with itself, and yet they come by way of the other.
    const Pending get = cluster.client().GetSoon(known.key(0));
    Expect(cluster, get).DoesNotCompleteWithin(seconds(5));
    cluster.EndCuts();
    Expect(cluster, get).CompletesWithin(seconds(10));
    known.ExpectAndAppendAll();
    // And once more at once, without a pause in between.
    cluster.Leave({k100});
    cluster.Join({k100});
    cluster.Leave({k101});
    cluster.Join({k101});
    known.ExpectAndAppendAll();
    cluster.ExpectSettled();
    known.ExpectAll();
  });
}

// One whole group is down, over many configurations. The others go on, with every shard that is not
// stuck in it, and never wait; it comes back, and its shards go all of their way.
TEST(ShardGroups, OneGroupIsDownForLong) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    ShardedCluster cluster({.groups = 3, .clients = 1, .seed = seed});
    cluster.Join({k100, k101, k102});
    Known known(cluster, /*keys=*/10);
    known.PutAll();
    cluster.ExpectSettled();
    std::vector<uint32_t> stuck;
    std::vector<uint32_t> free;
    for (uint32_t shard = 0; shard < 10; ++shard) {
      (cluster.OwnerOf(shard) == k102 ? stuck : free).push_back(shard);
    }
    cluster.ShutDown(k102);
    cluster.Leave({k102});
    std::vector<Pending> waiting;
    for (const uint32_t shard : stuck) waiting.push_back(known.AppendSoon(shard, "[while down]"));
    for (int round = 0; round < 15; ++round) {
      const GroupId to = round % 2 == 0 ? k100 : k101;
      for (uint32_t shard = 0; shard < 10; ++shard) {
        const bool moves = cluster.rng().Chance({1, 3});
        if (moves) cluster.Move(shard, to);
      }
      for (const uint32_t shard : free) {
        cluster.ExpectServedBy(shard, cluster.OwnerOf(shard), seconds(3));
        known.Append(shard);
      }
      cluster.ExpectHasComeTo(k100, cluster.newest_num());
      cluster.ExpectHasComeTo(k101, cluster.newest_num());
    }
    EXPECT_GE(cluster.newest_num(), 15u);
    for (const Pending& append : waiting) EXPECT_FALSE(append.done()) << append.what();
    cluster.RunFor(seconds(30));
    // Who waits for a shard asks for it once a second at most, and is answered.
    const uint64_t arriving = cluster.TenuresOnTheirWay();
    uint64_t said = 0;
    cluster.Listen([&](const ShardTalk&) { return ++said == 0; });
    cluster.RunFor(seconds(60));
    cluster.Listen(nullptr);
    EXPECT_LE(said, 60 * 2 * arriving);
    EXPECT_GE(said, 5u) << "nobody asks any more";
    cluster.Start(k102);
    for (const uint32_t shard : stuck) cluster.ExpectServedBy(shard, cluster.OwnerOf(shard));
    for (const Pending& append : waiting) EXPECT_NE(append.ok(), !append.done());
    cluster.ExpectSettled();
  });
}

// A group that hears nobody but its own: its shards go on being served, by the configuration that
// it knows; what it has lost meanwhile is served by nobody until it hears of it.
TEST(ShardGroups, AGroupThatIsCutOffServesWhatItHas) {
  ShardedCluster cluster({.groups = 2, .clients = 1});
  cluster.Join({k100});
  Known known(cluster, /*keys=*/10);
  known.PutAll();
  cluster.ExpectSettled();
  cluster.CutOff(k100);
  known.ExpectAndAppendAll();
  cluster.Join({k101});
  cluster.RunFor(seconds(10));
  for (uint32_t shard = 0; shard < 10; ++shard) EXPECT_EQ(cluster.ServerOf(shard), k100);
  EXPECT_EQ(cluster.ConfigurationOf(k101), 2u);
  EXPECT_EQ(cluster.ConfigurationOf(k100), 1u);
  cluster.EndCuts();
  cluster.ExpectSettled();
  EXPECT_EQ(cluster.ConfigurationOf(k100), 2u);
  known.ExpectAll();
}

// The same for a group that misses the controller's news alone, from which another one should
// fetch: nobody takes a shard that its owner does not know to have lost.
TEST(ShardGroups, NothingIsTakenFromWhoHasNotHeardOfIt) {
  ShardedCluster cluster({.groups = 2, .clients = 2});
  cluster.Join({k100});
  Known known(cluster, /*keys=*/10);
  known.PutAll();
  cluster.CutOffFromController(k100);
  cluster.Join({k101});
  cluster.ExpectHasComeTo(k101, 2);
  cluster.RunFor(seconds(10));
  for (uint32_t shard = 0; shard < 10; ++shard) EXPECT_EQ(cluster.ServerOf(shard), k100);
  EXPECT_EQ(cluster.moves(), 0u);
  uint32_t given = 0;
  while (cluster.OwnerOf(given) != k101) ++given;
  // Clients who have not heard of it either are served; those who have wait for the new owner.
  const Pending append = known.AppendSoon(given, "!");
  Expect(cluster, append).CompletesWithin(seconds(1));
  const Pending get = cluster.client(1).GetSoon(known.key(given));
  Expect(cluster, get).DoesNotCompleteWithin(seconds(5));
  cluster.EndCuts();
  cluster.ExpectSettled();
  Expect(cluster, get).CompletesWithin(seconds(5));
  EXPECT_EQ(get.value(), known.value(given));
  known.ExpectAll();
}

// Without its controller a group goes on, and so does a hand-over between groups that know of it.
TEST(ShardGroups, TheControllerIsNeededForNewsAlone) {
  ShardedOptions options{.groups = 2, .clients = 1};
  options.agent.part_bytes_max = 100;
  ShardedCluster cluster(options);
  cluster.Join({k100});
  Known known(cluster, /*keys=*/40, /*value_bytes=*/500);
  known.PutAll();
  cluster.Join({k101});
  cluster.ExpectHasComeTo(k100, 2);
  cluster.ExpectHasComeTo(k101, 2);
  cluster.ShutDown(kControllerGroup);
  EXPECT_FALSE(cluster.StillMoving().empty());
  cluster.ExpectSettled();
  cluster.Start(kControllerGroup);
  known.ExpectAll();
}

// Groups that share their servers, and a controller that shares them, too: three servers are all
// there is, and each of them crashes.
TEST(ShardGroups, AllGroupsOnTheSameServers) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    const Side all = {NodeId(1), NodeId(2), NodeId(3)};
    ShardedOptions options{.groups = 3, .members = {all, all, all}, .clients = 5, .seed = seed};
    options.log_bytes_max = 1000;
    ShardedCluster cluster(options);
    cluster.Join({k100, k101, k102});
    Load load(cluster, Keys::kOwn);
    for (int round = 0; round < 6; ++round) {
      const GroupId gid = cluster.AllGroups()[static_cast<size_t>(round) % 3];
      cluster.Leave({gid});
      const uint64_t which = cluster.rng().Below(3);
      cluster.Crash(all[which]);
      cluster.RunFor(milliseconds(700));
      cluster.Join({gid});
      cluster.Restart(all[which]);
      cluster.RunFor(milliseconds(300));
    }
    load.Stop();
    load.ExpectEveryWordOnce();
  });
}

// Old configurations are forgotten, but none that a group still needs: one that was away for longer
// than they are kept finds its way.
TEST(ShardGroups, AGroupFindsItsWayThroughForgottenConfigurations) {
  ShardedOptions options{.groups = 3, .clients = 1};
  options.configurations_kept = 3;
  ShardedCluster cluster(options);
  cluster.Join({k100, k101, k102});
  Known known(cluster, /*keys=*/10);
  known.PutAll();
  cluster.ExpectSettled();
  cluster.ShutDown(k102);
  for (uint32_t i = 0; i < 30; ++i) {
    cluster.Move(i % 10, i % 2 == 0 ? k100 : k101);
    cluster.RunFor(seconds(2));
  }
  cluster.Start(k102);
  cluster.ExpectSettled();
  known.ExpectAll();
  cluster.RunFor(minutes(1));
  EXPECT_EQ(cluster.administrator().Query(1), std::nullopt) << "nobody needs it any more";
  EXPECT_TRUE(cluster.administrator().Query(cluster.newest_num()).has_value());
}

}  // namespace
}  // namespace lockstep::scenario
