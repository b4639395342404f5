// Hand-overs that something strikes in their course: each part of the way that a shard goes from
// group to group is lost, late, twice, or interrupted.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
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
using std::chrono::minutes;
using std::chrono::seconds;

constexpr uint32_t kShard = 3;

// Two groups; all shards are with the first, and the one of the story holds `bytes` bytes in pieces
// of a kilobyte, which is one part each.
class OneShard {
 public:
  explicit OneShard(const ShardedOptions& options, uint64_t pieces = 20)
      : cluster(options), pieces_(pieces) {
    cluster.Join({k100});
    Writes writes;
    for (uint64_t i = 0; i < pieces_; ++i) {
      writes.push_back(PutOf(cluster.KeyIn(kShard, i), Piece(i)));
    }
    cluster.client().Bulk(writes);
    cluster.client().Put(cluster.KeyIn(kShard - 1), "before");
    cluster.client().Put(cluster.KeyIn(kShard + 1), "after");
    // Everybody else stays where it is.
    for (uint32_t shard = 0; shard < cluster.shards(); ++shard) cluster.Move(shard, k100);
    cluster.Join({k101});
    cluster.ExpectSettled();
  }
  ~OneShard() { ExpectAll(); }

  void ExpectAll() {
    std::vector<std::string> keys;
    for (uint64_t i = 0; i < pieces_; ++i) keys.push_back(cluster.KeyIn(kShard, i));
    const Pairs pairs = cluster.client().GetMany(keys);
    EXPECT_EQ(pairs.size(), pieces_);
    for (uint64_t i = 0; i < pieces_ && i < pairs.size(); ++i) {
      EXPECT_EQ(pairs.at(keys[i]), Piece(i));
    }
    EXPECT_EQ(cluster.client().Get(cluster.KeyIn(kShard - 1)), "before");
    EXPECT_EQ(cluster.client().Get(cluster.KeyIn(kShard + 1)), "after");
  }

  ShardedCluster cluster;

 private:
  static std::string Piece(uint64_t i) {
    return std::string(1000, static_cast<char>('a' + i % 26));
  }
  const uint64_t pieces_;
};

ShardedOptions InParts(uint64_t seed = 1) {
  ShardedOptions options{.groups = 3, .clients = 2, .seed = seed};
  options.agent.part_bytes_max = 1000;
  return options;
}

// The destination's leader dies in the middle of the pull: the next one goes on with the part that
// it lacks, and does not begin again.
TEST(ShardHandover, ANewLeaderGoesOnWhereTheOldOneStopped) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    OneShard story(InParts(seed));
    ShardedCluster& cluster = story.cluster;
    cluster.BeginMove(kShard, k101);
    cluster.RunUntilPartInstalled(k101, kShard, /*part=*/5);
    const uint64_t next = cluster.TenureOf(k101, kShard).next_sequence;
    const NodeId leader = cluster.ExpectLeaderOf(k101);
    cluster.Crash(leader);
    std::vector<uint64_t> asked;
    cluster.Listen([&](const ShardTalk& talk) {
      if (talk.message.has_read() && talk.message.shard() == kShard) {
        asked.push_back(talk.message.sequence());
      }
      return false;
    });
    cluster.ExpectServedBy(kShard, k101);
    cluster.Listen(nullptr);
    EXPECT_NE(cluster.ExpectLeaderOf(k101), leader);
    ASSERT_FALSE(asked.empty());
    EXPECT_GE(*std::min_element(asked.begin(), asked.end()), next) << "it began again";
    EXPECT_LE(asked.size(), 2 * 20u);
  });
}

// The same when every server of the destination loses power: what was installed is durable.
TEST(ShardHandover, ADestinationThatRestartsGoesOnWhereItStopped) {
  OneShard story(InParts());
  ShardedCluster& cluster = story.cluster;
  cluster.BeginMove(kShard, k101);
  cluster.RunUntilPartInstalled(k101, kShard, /*part=*/5);
  const uint64_t next = cluster.TenureOf(k101, kShard).next_sequence;
  cluster.ShutDown(k101);
  cluster.RunFor(seconds(5));
  cluster.Start(k101);
  uint64_t first = 0;
  cluster.Listen([&](const ShardTalk& talk) {
    if (talk.message.has_read() && first == 0) first = talk.message.sequence();
    return false;
  });
  cluster.ExpectServedBy(kShard, k101);
  cluster.Listen(nullptr);
  EXPECT_GE(first, next) << "it began again";
}

// The source loses power the moment it has frozen the shard: frozen it stays.
TEST(ShardHandover, ASourceThatRestartsHasFrozenWhatItFroze) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    OneShard story(InParts(seed));
    ShardedCluster& cluster = story.cluster;
    cluster.BeginMove(kShard, k101);
    cluster.RunUntilState(k100, kShard, proto::SHARD_FROZEN);
    cluster.ShutDown(k100);
    const Pending get = cluster.client().GetSoon(cluster.KeyIn(kShard));
    Expect(cluster, get).DoesNotCompleteWithin(seconds(5));
    cluster.Start(k100);
    Expect(cluster, get).CompletesWithin(seconds(10));
    EXPECT_EQ(cluster.ServerOf(kShard), k101);
  });
}

// Cut apart when the shard is frozen: nobody serves it, everything else is served, and it arrives
// as soon as they hear each other again.
TEST(ShardHandover, CutApartWhenTheShardIsFrozen) {
  OneShard story(InParts());
  ShardedCluster& cluster = story.cluster;
  cluster.BeginMove(kShard, k101);
  cluster.RunUntilState(k100, kShard, proto::SHARD_FROZEN);
  cluster.CutBetween(k100, k101);
  const Pending put = cluster.client().PutSoon(cluster.KeyIn(kShard, 30), "late");
  Expect(cluster, put).DoesNotCompleteWithin(seconds(20));
  EXPECT_EQ(cluster.ServerOf(kShard), GroupId());
  for (uint32_t shard = 0; shard < cluster.shards(); ++shard) {
    if (shard == kShard) continue;
    const Pending other = cluster.client(1).PutSoon(cluster.KeyIn(shard, 30), "at once");
    Expect(cluster, other).CompletesWithin(milliseconds(500));
  }
  cluster.MendBetween(k100, k101);
  Expect(cluster, put).CompletesWithin(seconds(5));
}

// A replica of the source that has not heard of the freeze is asked, cannot answer, and holds
// nobody up: another one is asked.
TEST(ShardHandover, ASourceReplicaThatLagsHoldsNobodyUp) {
  uint64_t asked_in_all = 0;
  testing::ForEachSeed({.seeds = 10}, [&](uint64_t seed) {
    OneShard story(InParts(seed));
    ShardedCluster& cluster = story.cluster;
    const NodeId laggard = cluster.FollowerOf(k100);
    for (const NodeId other : cluster.ServersOf(k100)) {
      if (other == laggard) continue;
      cluster.CutOneWay(other, laggard);
      cluster.CutOneWay(laggard, other);
    }
    cluster.Move(kShard, k101);
    uint64_t asked = 0;
    cluster.Listen([&](const ShardTalk& talk) {
      if (talk.message.has_read() && talk.to == laggard) ++asked;
      return false;
    });
    cluster.ExpectServedBy(kShard, k101, seconds(10));
    EXPECT_LE(asked, 5u) << "asked the one that lags again and again";
    asked_in_all += asked;
    cluster.Listen(nullptr);
    EXPECT_LT(cluster.AppliedOf(laggard, k100),
              cluster.AppliedOf(cluster.ExpectLeaderOf(k100), k100));
  });
  EXPECT_GT(asked_in_all, 0u) << "it was never asked, so nothing was shown";
}

// "I have it, delete it" of an earlier hand-over comes again, late, when the shard waits at the
// same group for the next one: nothing is deleted. (It names the shard alone in another system,
// which so loses it.)
TEST(ShardHandover, ALateConfirmationDeletesNothing) {
  OneShard story(InParts());
  ShardedCluster& cluster = story.cluster;
  std::vector<ShardTalk> confirmations;
  cluster.Listen([&](const ShardTalk& talk) {
    if (talk.message.has_drop()) confirmations.push_back(talk);
    return false;
  });
  cluster.Move(kShard, k101);
  cluster.ExpectSettled();
  ASSERT_FALSE(confirmations.empty());
  cluster.Listen(nullptr);
  cluster.Move(kShard, k100);
  cluster.ExpectSettled();
  cluster.CutBetween(k100, k101);
  cluster.BeginMove(kShard, k101);
  cluster.RunUntilState(k100, kShard, proto::SHARD_FROZEN);
  cluster.MendBetween(k100, k101);
  // Until the destination has read anything, it would not have been read if it were gone.
  cluster.Listen([](const ShardTalk& talk) { return talk.message.has_read(); });
  for (const ShardTalk& talk : confirmations) {
    for (const NodeId server : cluster.ServersOf(k100)) {
      ShardTalk again = talk;
      again.to = server;
      cluster.Repeat(again);
    }
  }
  cluster.RunFor(seconds(5));
  EXPECT_EQ(cluster.TenureOf(k100, kShard).state, proto::SHARD_FROZEN);
  cluster.Listen(nullptr);
  cluster.ExpectServedBy(kShard, k101);
}

// Confirmations that are lost are made again, and the source is free of the shard in the end; that
// they are lost keeps nobody from being served.
TEST(ShardHandover, ALostConfirmationIsMadeAgain) {
  OneShard story(InParts());
  ShardedCluster& cluster = story.cluster;
  const NodeId source = cluster.ExpectLeaderOf(k100);
  const uint64_t bytes_before = cluster.TableBytesOf(source, k100);
  uint64_t lost = 0;
  cluster.Listen([&](const ShardTalk& talk) {
    if (!talk.message.has_drop() && !talk.message.has_drop_answer()) return false;
    return ++lost <= 5;
  });
  cluster.Move(kShard, k101);
  cluster.ExpectServedBy(kShard, k101, seconds(5));
  EXPECT_EQ(cluster.client().Get(cluster.KeyIn(kShard)), std::string(1000, 'a'));
  cluster.ExpectSettled();
  EXPECT_GT(lost, 5u);
  cluster.Listen(nullptr);
  cluster.RunFor(seconds(1));
  EXPECT_LE(cluster.TableBytesOf(source, k100) + 20'000, bytes_before);
}

// Every message of a hand-over is said twice, and again a second later.
TEST(ShardHandover, WhatIsSaidTwiceIsDoneOnce) {
  testing::ForEachSeed({.seeds = 5}, [](uint64_t seed) {
    OneShard story(InParts(seed));
    ShardedCluster& cluster = story.cluster;
    std::vector<ShardTalk> said;
    cluster.Listen([&](const ShardTalk& talk) {
      cluster.Repeat(talk);
      said.push_back(talk);
      return false;
    });
    for (int round = 0; round < 3; ++round) {
      cluster.Move(kShard, round % 2 == 0 ? k101 : k100);
      cluster.ExpectSettled();
      cluster.RunFor(seconds(1));
      for (const ShardTalk& talk : said) cluster.Repeat(talk);
      cluster.RunFor(seconds(1));
      cluster.ExpectSettled();
    }
    EXPECT_EQ(cluster.moves(), 3u);
    cluster.Listen(nullptr);
  });
}

// Nothing ends at 4 MB: neither a value nor a shard.
TEST(ShardHandover, AShardMayBeLargerThanFourMegabytes) {
  ShardedCluster cluster({.groups = 2, .clients = 1});
  cluster.Join({k100});
  Client& client = cluster.client();
  const std::string large(5 << 20, 'v');
  client.Put(cluster.KeyIn(kShard, 0), large);
  for (uint64_t i = 1; i <= 5; ++i) client.Put(cluster.KeyIn(kShard, i), std::string(1 << 20, 'w'));
  cluster.Move(kShard, k100);
  cluster.Join({k101});
  cluster.ExpectSettled();
  cluster.Move(kShard, k101);
  cluster.ExpectServedBy(kShard, k101);
  EXPECT_TRUE(client.Get(cluster.KeyIn(kShard, 0)) == large);
  cluster.ShutDown(k100);
  EXPECT_TRUE(client.Get(cluster.KeyIn(kShard, 0)) == large);
  EXPECT_EQ(client.Get(cluster.KeyIn(kShard, 5))->size(), size_t{1} << 20);
}

// What is deleted is the shard that has gone, and nothing beside it: the shards before and after it
// stay, also where their numbers end a byte. (Another system deletes all that follow.)
TEST(ShardHandover, TheNeighboursOfAShardThatGoesStay) {
  ShardedCluster cluster({.groups = 2, .shards = 300, .clients = 1});
  cluster.Join({k100});
  const std::vector<uint32_t> shards = {0, 1, 2, 254, 255, 256, 257, 298, 299};
  for (const uint32_t shard : shards) {
    cluster.client().Put(cluster.KeyIn(shard), absl::StrCat("of ", shard));
    cluster.Move(shard, k100);
  }
  cluster.Join({k101});
  cluster.ExpectSettled();
  for (const uint32_t leaving : {0u, 255u, 256u, 299u, 1u}) {
    cluster.Move(leaving, k101);
    cluster.ExpectSettled();
    cluster.RunFor(seconds(1));
    for (const uint32_t shard : shards) {
      EXPECT_EQ(cluster.client().Get(cluster.KeyIn(shard)), absl::StrCat("of ", shard))
          << "after shard " << leaving << " has gone";
    }
  }
  EXPECT_EQ(cluster.ServerOf(2), k100);
  EXPECT_EQ(cluster.ServerOf(257), k100);
}

}  // namespace
}  // namespace lockstep::scenario
