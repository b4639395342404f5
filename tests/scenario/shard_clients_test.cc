// What clients are told while shards move under them: each write takes effect once, batches are all
// or nothing, and listings miss nothing.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/expect.h"
#include "tests/scenario/support/known.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = client::Outcome::Kind;

constexpr uint32_t kShard = 3;

// Begins with all shards at the first group, where they stay unless moved.
void AllAtFirst(ShardedCluster& cluster) {
  cluster.Join({k100});
  for (uint32_t shard = 0; shard < cluster.shards(); ++shard) cluster.Move(shard, k100);
  cluster.Join({k101});
  cluster.ExpectSettled();
}

// An append is executed at the old owner, and the answer is lost. Its retry comes to the new owner,
// where the session has come with the shard: it is answered, and not executed again.
TEST(ShardClients, ARetryAtTheNewOwnerIsNotExecutedAgain) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) {
    ShardedCluster cluster({.groups = 2, .clients = 2, .seed = seed});
    AllAtFirst(cluster);
    const std::string key = cluster.KeyIn(kShard);
    cluster.client().Append(key, "a");
    const NodeId leader = cluster.ExpectLeaderOf(k100);
    const Index before = cluster.ReplicaOn(leader, k100).last;
    const Pending append = cluster.client().AppendSoon(key, "b");
    EXPECT_TRUE(cluster.RunUntil([&] { return cluster.ReplicaOn(leader, k100).last > before; },
                                 seconds(1)));
    cluster.LetReach(0, cluster.ServersBut(k100));
    cluster.RunFor(milliseconds(200));
    EXPECT_FALSE(append.done());
    EXPECT_EQ(cluster.client(1).Get(key), "ab") << "executed, unheard";
    cluster.Move(kShard, k101);
    Expect(cluster, append).CompletesWithin(seconds(10));
    EXPECT_EQ(cluster.ServerOf(kShard), k101);
    EXPECT_TRUE(append.outcome().result.replayed());
    cluster.client().Append(key, "c");
    EXPECT_EQ(cluster.client(1).Get(key), "abc");
  });
}

// The same over a chain of owners, with somebody else's appends in between.
TEST(ShardClients, SessionsFollowTheirShardFromOwnerToOwner) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    ShardedCluster cluster({.groups = 3, .clients = 2, .seed = seed});
    AllAtFirst(cluster);
    cluster.Join({k102});
    const std::string key = cluster.KeyIn(kShard);
    cluster.client(0).Append(key, "a");
    const NodeId leader = cluster.ExpectLeaderOf(k100);
    const Index before = cluster.ReplicaOn(leader, k100).last;
    const Pending append = cluster.client(0).AppendSoon(key, "b");
    EXPECT_TRUE(cluster.RunUntil([&] { return cluster.ReplicaOn(leader, k100).last > before; },
                                 seconds(1)));
    cluster.LetReach(0, {});
    cluster.RunFor(seconds(1));
    std::string written = "ab";
    for (const GroupId to : {k101, k102, k100, k102}) {
      cluster.Move(kShard, to);
      cluster.ExpectServedBy(kShard, to);
      const std::string word = absl::StrCat("[", to.value(), "]");
      cluster.client(1).Append(key, word);
      written += word;
    }
    cluster.LetReachAll(0);
    Expect(cluster, append).CompletesWithin(seconds(20));
    EXPECT_TRUE(append.outcome().result.replayed());
    EXPECT_EQ(cluster.client(0).Get(key), written);
  });
}

// A listing in pages, with a move between any two: every key once, in order, with its value.
TEST(ShardClients, AListingGoesOnOverMoves) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    ShardedCluster cluster({.groups = 3, .clients = 1, .seed = seed});
    cluster.Join({k100});
    Pairs written;
    for (int i = 100; i < 160; ++i) {
      const std::string key = absl::StrCat("item ", i);
      written[key] = absl::StrCat("value ", i);
      cluster.client().Put(key, written[key]);
    }
    cluster.client().Put("other", "not listed");
    // After all of them it is as at first.
    const std::vector<std::function<void()>> changes = {
        [&] { cluster.Join({k101}); },  [&] { cluster.Join({k102}); },
        [&] { cluster.Leave({k100}); }, [&] { cluster.Leave({k101}); },
        [&] { cluster.Join({k100}); },  [&] { cluster.Leave({k102}); }};
    Pairs listed;
    std::string continuation;
    size_t pages = 0;
    do {
      const Page page = cluster.client().List("item ", /*limit=*/7, continuation);
      EXPECT_LE(page.pairs.size(), 7u);
      for (const auto& [key, value] : page.pairs) {
        EXPECT_TRUE(listed.empty() || key > listed.rbegin()->first) << key;
        listed[key] = value;
      }
      continuation = page.continuation;
      changes[pages % changes.size()]();
    } while (!continuation.empty() && ++pages < 100 && !cluster.broken());
    EXPECT_EQ(listed, written);
    EXPECT_GE(pages, 8u);
  });
}

// A group is down: no listing and no reading of many keys is answered by halves.
TEST(ShardClients, WhatCannotBeReadAsAWholeIsNotAnswered) {
  ShardedCluster cluster({.groups = 2, .clients = 1});
  cluster.Join({k100, k101});
  Known known(cluster, /*keys=*/10);
  known.PutAll();
  cluster.ExpectSettled();
  std::vector<std::string> keys;
  for (size_t i = 0; i < 10; ++i) keys.push_back(known.key(i));
  cluster.ShutDown(k101);
  const Pending list = cluster.client().ListSoon("", 0, "", seconds(5));
  const Pending get_many = cluster.client().GetManySoon(keys, seconds(5));
  ASSERT_TRUE(cluster.RunUntil([&] { return list.done() && get_many.done(); }, seconds(6)));
  EXPECT_EQ(list.outcome().kind, Kind::kNotExecuted);
  EXPECT_EQ(get_many.outcome().kind, Kind::kNotExecuted);
  cluster.Start(k101);
  EXPECT_EQ(cluster.client().List("", 0).pairs.size(), 10u);
  EXPECT_EQ(cluster.client().GetMany(keys).size(), 10u);
}

// Batches on keys with one tag, begun at every moment of a move: whoever reads sees all of a batch,
// or nothing of it. With each goes an append: executed once.
TEST(ShardClients, ABatchIsAllOrNothingWhileItsShardMoves) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) {
    ShardedOptions options{.groups = 3, .clients = 3, .seed = seed};
    options.weather = seed % 2 == 0 ? Weather::kUnreliable : Weather::kReliable;
    ShardedCluster cluster(options);
    AllAtFirst(cluster);
    const uint32_t shard = cluster.ShardOf("{tag} a");
    EXPECT_EQ(cluster.ShardOf("{tag} log"), shard);
    uint64_t begun = 0;
    std::vector<Pending> batches;
    std::vector<Pending> reads;
    const auto strike = [&] {
      const std::string value = absl::StrCat("v", ++begun);
      batches.push_back(cluster.client(0).BatchSoon(
          {PutOf("{tag} a", value), PutOf("{tag} b", value), AppendOf("{tag} log", value + " ")}));
      reads.push_back(cluster.client(1).GetManySoon({"{tag} a", "{tag} b"}));
      const Duration moment = cluster.rng().Between(Duration(0), Duration(milliseconds(5)));
      cluster.RunFor(moment);
    };
    for (int round = 0; round < 6; ++round) {
      const GroupId from = round % 2 == 0 ? k100 : k101;
      const GroupId to = round % 2 == 0 ? k101 : k100;
      strike();
      cluster.BeginMove(shard, to);
      cluster.RunUntilState(from, shard, proto::SHARD_FROZEN);
      strike();
      cluster.ExpectServedBy(shard, to);
      strike();
    }
    const auto all_done = [](const std::vector<Pending>& pendings) {
      for (const Pending& pending : pendings) {
        if (!pending.done()) return false;
      }
      return true;
    };
    ASSERT_TRUE(
        cluster.RunUntil([&] { return all_done(batches) && all_done(reads); }, seconds(60)));
    for (const Pending& batch : batches) EXPECT_TRUE(batch.ok()) << batch.outcome().status;
    for (const Pending& read : reads) {
      ASSERT_TRUE(read.ok()) << read.outcome().status;
      const auto& pairs = read.outcome().result.pairs();
      ASSERT_TRUE(pairs.empty() || pairs.size() == 2) << "half of a batch";
      EXPECT_TRUE(pairs.empty() || pairs.at(0).value() == pairs.at(1).value());
    }
    const std::string log = cluster.client(2).Get("{tag} log").value_or("");
    for (uint64_t i = 1; i <= begun; ++i) {
      const std::string word = absl::StrCat("v", i, " ");
      const size_t first = log.find(word);
      EXPECT_NE(first, std::string::npos) << word << "is missing";
      EXPECT_EQ(log.find(word, first + 1), std::string::npos) << word << "is there twice";
    }
  });
}

// A batch whose comparison fails changes nothing, at the new owner as at the old one; a batch over
// several shards is refused.
TEST(ShardClients, ABatchThatFailsChangesNothing) {
  ShardedCluster cluster({.groups = 2, .clients = 1});
  AllAtFirst(cluster);
  const uint32_t shard = cluster.ShardOf("{tag}");
  proto::BatchOperation swap;
  swap.mutable_compare_and_swap()->set_key("{tag} guard");
  swap.mutable_compare_and_swap()->set_expected("open");
  swap.mutable_compare_and_swap()->set_value("closed");
  const Writes writes = {PutOf("{tag} a", "1"), swap};
  for (const GroupId owner : {k101, k100}) {
    const Pending batch = cluster.client().BatchSoon(writes);
    cluster.Move(shard, owner);
    Expect(cluster, batch).CompletesWithin(seconds(10));
    EXPECT_EQ(batch.outcome().result.code(), proto::CONFLICT);
    EXPECT_EQ(batch.outcome().result.failed_operation(), 1u);
    EXPECT_EQ(cluster.client().Get("{tag} a"), std::nullopt);
    cluster.ExpectServedBy(shard, owner);
  }
  cluster.client().Put("{tag} guard", "open");
  cluster.client().Batch(writes);
  EXPECT_EQ(cluster.client().Get("{tag} guard"), "closed");
  EXPECT_EQ(cluster.client().Get("{tag} a"), "1");

  const Pending over_two =
      cluster.client().BatchSoon({PutOf(cluster.KeyIn(1), "x"), PutOf(cluster.KeyIn(2), "x")});
  ASSERT_TRUE(cluster.RunUntil([&] { return over_two.done(); }, seconds(5)));
  EXPECT_EQ(over_two.outcome().kind, Kind::kNotExecuted);
  EXPECT_EQ(cluster.client().Get(cluster.KeyIn(1)), std::nullopt);
}

// Bulks while shards move, and one group's while it is down: each write is told what became of it.
TEST(ShardClients, ABulkTellsOfEachOfItsWrites) {
  ShardedCluster cluster({.groups = 2, .clients = 1});
  cluster.Join({k100});
  const auto bulk_of = [&](const std::string& word) {
    Writes writes;
    for (uint32_t i = 0; i < 40; ++i) {
      writes.push_back(AppendOf(cluster.KeyIn(i % 10, i / 10), word));
    }
    return writes;
  };
  std::string written;
  for (int round = 0; round < 6; ++round) {
    const Pending bulk = cluster.client().BulkSoon(bulk_of(absl::StrCat(round, " ")));
    written += absl::StrCat(round, " ");
    round % 2 == 0 ? cluster.Join({k101}) : cluster.Leave({k101});
    Expect(cluster, bulk).CompletesWithin(seconds(10));
    EXPECT_EQ(bulk.outcome().each.size(), 40u);
  }
  for (uint32_t i = 0; i < 40; ++i) {
    EXPECT_EQ(cluster.client().Get(cluster.KeyIn(i % 10, i / 10)), written);
  }
  cluster.Join({k101});
  cluster.ExpectSettled();
  cluster.ShutDown(k101);
  const Pending half = cluster.client().BulkSoon(bulk_of("half"), seconds(3));
  ASSERT_TRUE(cluster.RunUntil([&] { return half.done(); }, seconds(4)));
  ASSERT_EQ(half.outcome().each.size(), 40u);
  for (uint32_t i = 0; i < 40; ++i) {
    const bool served = cluster.OwnerOf(i % 10) == k100;
    EXPECT_EQ(half.outcome().each[i].kind == Kind::kOk, served) << "write " << i;
  }
  EXPECT_EQ(half.outcome().kind, Kind::kUnknown);
}

// Without groups, operations wait for one; beyond their deadline they are told that nothing was
// done.
TEST(ShardClients, WithoutGroupsOperationsWait) {
  ShardedCluster cluster({.groups = 1, .clients = 1});
  const Pending short_lived = cluster.client().PutSoon("k", "too early", seconds(2));
  const Pending put = cluster.client().PutSoon("k", "v", seconds(60));
  cluster.RunFor(seconds(10));
  ASSERT_TRUE(short_lived.done());
  EXPECT_EQ(short_lived.outcome().kind, Kind::kNotExecuted);
  EXPECT_FALSE(put.done());
  cluster.Join({k100});
  Expect(cluster, put).CompletesWithin(seconds(5));
  EXPECT_EQ(cluster.client().Get("k"), "v");
}

}  // namespace
}  // namespace lockstep::scenario
