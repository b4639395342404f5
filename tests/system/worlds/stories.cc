#include "tests/system/worlds/stories.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace lockstep::system {
namespace {

constexpr uint64_t k100 = 100;
constexpr uint64_t k101 = 101;

std::string KeyNumber(size_t i) { return absl::StrCat("key-", i); }

// --- Nodes that die

void WhatWasAcknowledgedSurvivesTheLeader(World& world) {
  for (int round = 0; round < 3; ++round) {
    const std::string value = absl::StrCat("value ", round);
    world.Put(0, "key", value);
    const uint64_t leader = world.AwaitLeader(k100);
    world.Kill(leader);
    EXPECT_EQ(world.Get(1, "key"), value);
    world.AwaitLeader(k100, leader);
    world.Restart(leader);
  }
}

void AMinorityMayBeDown(World& world) {
  for (int round = 0; round < 3; ++round) {
    const uint64_t follower = world.FollowerOf(k100);
    world.Kill(follower);
    for (size_t i = 0; i < 5; ++i) world.Append(0, KeyNumber(i), absl::StrCat(round, ";"));
    world.Restart(follower);
  }
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(world.Get(1, KeyNumber(i)), "0;1;2;");
}

void NothingIsAcknowledgedWithoutAMajority(World& world) {
  world.Put(0, "key", "before");
  const uint64_t leader = world.AwaitLeader(k100);
  for (uint64_t node = 1; node <= world.spec().nodes; ++node) {
    if (node != leader) world.Kill(node);
  }
  const World::CallId call = world.AppendSoon(0, "key", "+after");
  world.Advance(3 * world.election_timeout());
  EXPECT_EQ(world.FateOf(call), Fate::kOpen);
  for (uint64_t node = 1; node <= world.spec().nodes; ++node) {
    if (node != leader) world.Restart(node);
  }
  EXPECT_TRUE(world.AwaitDone(call));
  EXPECT_EQ(world.FateOf(call), Fate::kExecuted);
  EXPECT_EQ(world.Get(1, "key"), "before+after");
}

void AllMayDieAtOnce(World& world) {
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 10; ++i) world.Append(0, KeyNumber(i), absl::StrCat(round, ";"));
    world.KillAll();
    world.RestartAll();
  }
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(world.Get(1, KeyNumber(i)), "0;1;2;");
}

// Answers get lost, and clients ask again: each append is executed once all the same.
void AppendsAreExecutedOnceWhileLeadersDie(World& world) {
  std::string expected;
  for (int round = 0; round < 4; ++round) {
    const std::string word = absl::StrCat("word ", round, ";");
    const World::CallId call = world.AppendSoon(0, "key", word);
    const uint64_t leader = world.AwaitLeader(k100);
    world.Kill(leader);
    EXPECT_TRUE(world.AwaitDone(call));
    EXPECT_EQ(world.FateOf(call), Fate::kExecuted);
    world.Restart(leader);
    expected += word;
  }
  EXPECT_EQ(world.Get(1, "key"), expected);
}

// --- Nodes that stand still

void ALeaderThatStoodStillServesNothingOld(World& world) {
  world.Put(0, "key", "old");
  const uint64_t leader = world.AwaitLeader(k100);
  world.Pause(leader);
  world.AwaitLeader(k100, leader);
  world.Put(0, "key", "new");
  world.Resume(leader);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(world.Get(0, "key"), "new");
    EXPECT_EQ(world.Get(1, "key"), "new");
  }
}

// --- Leadership that is handed over

void LeadershipMovesWhenAsked(World& world) {
  world.Put(0, "key", "");
  std::string expected;
  for (int round = 0; round < 4; ++round) {
    const uint64_t heir = world.FollowerOf(k100);
    const bool moved = world.Await(
        [&] {
          if (world.LeaderOf(k100) == heir) return true;
          world.TransferLeader(k100, heir);
          world.Advance(world.election_timeout() / 4);
          return world.LeaderOf(k100) == heir;
        },
        world.patience());
    EXPECT_TRUE(moved) << "node " << heir << " does not become leader";
    const std::string word = absl::StrCat(round, ";");
    world.Append(0, "key", word);
    expected += word;
  }
  EXPECT_EQ(world.Get(1, "key"), expected);
}

// --- Networks

void ALeaderThatIsCutOffServesNothingOld(World& world) {
  world.Put(0, "key", "old");
  const uint64_t leader = world.AwaitLeader(k100);
  world.Isolate(leader);
  world.AwaitLeader(k100, leader);
  world.Put(0, "key", "new");
  EXPECT_EQ(world.Get(1, "key"), "new");
  world.MendAll();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(world.Get(1, "key"), "new");
}

void ALeaderThatHearsNobodyIsReplaced(World& world) {
  world.Put(0, "key", "old");
  const uint64_t leader = world.AwaitLeader(k100);
  for (uint64_t other = 1; other <= world.spec().nodes; ++other) {
    if (other != leader) world.CutOneWay(other, leader);
  }
  world.AwaitLeader(k100, leader);
  world.Append(0, "key", "+new");
  EXPECT_EQ(world.Get(1, "key"), "old+new");
}

void TwoThatDoNotHearEachOtherStopNobody(World& world) {
  std::string expected;
  for (uint64_t hub = 1; hub <= 3; ++hub) {
    const uint64_t a = 1 + hub % 3;
    const uint64_t b = 1 + a % 3;
    world.CutOneWay(a, b);
    world.CutOneWay(b, a);
    world.Advance(3 * world.election_timeout());
    const std::string word = absl::StrCat(hub, ";");
    world.Append(0, "key", word);
    expected += word;
    world.MendAll();
  }
  EXPECT_EQ(world.Get(1, "key"), expected);
}

// --- Shards

void ShardsFollowGroupsThatJoinAndLeave(World& world) {
  constexpr size_t kKeys = 30;
  World::Pairs expected;
  for (size_t i = 0; i < kKeys; ++i) {
    world.Put(0, KeyNumber(i), absl::StrCat(i));
    expected[KeyNumber(i)] = absl::StrCat(i);
  }
  world.Join({k101});
  world.ExpectSettled();
  EXPECT_EQ(world.List(1, "key-"), expected);
  world.Leave({k100});
  for (auto& [key, value] : expected) {
    world.Append(0, key, "+");
    value += "+";
  }
  world.ExpectSettled();
  EXPECT_EQ(world.List(1, "key-"), expected);
  world.Join({k100});
  world.ExpectSettled();
  for (const auto& [key, value] : expected) EXPECT_EQ(world.Get(1, key), value);
}

void ShardsMoveThoughLeadersDie(World& world) {
  constexpr size_t kKeys = 16;
  for (size_t i = 0; i < kKeys; ++i) world.Put(0, KeyNumber(i), "0");
  world.Join({k101});
  uint64_t to = k101;
  for (const uint64_t victim : {k100, k101, kControllerGroup}) {
    const uint64_t leader = world.AwaitLeader(victim);
    for (uint32_t shard = 0; shard < world.spec().shards; ++shard) world.Move(shard, to);
    world.Kill(leader);
    for (size_t i = 0; i < kKeys; ++i) world.Append(0, KeyNumber(i), "+");
    world.Restart(leader);
    world.ExpectSettled();
    to = to == k101 ? k100 : k101;
  }
  for (size_t i = 0; i < kKeys; ++i) EXPECT_EQ(world.Get(1, KeyNumber(i)), "0+++");
}

// --- Operations

void SwapsOfTwoClientsAreAtomic(World& world) {
  world.Put(0, "counter", "0");
  int value = 0;
  for (int round = 0; round < 20; ++round) {
    if (round % 5 == 2) world.Kill(world.FollowerOf(k100));
    if (round % 5 == 4) world.RestartAll();
    const std::string now = absl::StrCat(value);
    const std::string next = absl::StrCat(value + 1);
    const auto first = static_cast<uint16_t>(round % 2);
    EXPECT_TRUE(world.Cas(first, "counter", now, next));
    EXPECT_FALSE(world.Cas(static_cast<uint16_t>(1 - first), "counter", now, next));
    ++value;
  }
  EXPECT_EQ(world.Get(1, "counter"), absl::StrCat(value));
}

void AMissingKeyIsNotAnEmptyOne(World& world) {
  EXPECT_EQ(world.Get(0, "key"), std::nullopt);
  world.Put(0, "key", "");
  EXPECT_EQ(world.Get(1, "key"), "");
  world.Kill(world.AwaitLeader(k100));
  world.Delete(0, "key");
  EXPECT_EQ(world.Get(1, "key"), std::nullopt);
  EXPECT_FALSE(world.Cas(0, "key", "", "value"));
  EXPECT_TRUE(world.Cas(0, "key", std::nullopt, "value"));
  world.RestartAll();
  EXPECT_EQ(world.Get(1, "key"), "value");
  EXPECT_TRUE(world.Cas(1, "key", "value", std::nullopt));
  EXPECT_EQ(world.Get(0, "key"), std::nullopt);
}

// Functions, since tests are registered before constants of other files are there.
WorldSpec OneGroup() { return {}; }
WorldSpec OneGroupWithCuts() { return {.cuts = true}; }
WorldSpec TwoGroups() { return {.groups = {{1, 2, 3}, {1, 2, 3}}}; }

}  // namespace

absl::Span<const Story> Stories() {
  static const std::vector<Story> stories = {
      {"WhatWasAcknowledgedSurvivesTheLeader", OneGroup(), WhatWasAcknowledgedSurvivesTheLeader},
      {"AMinorityMayBeDown", OneGroup(), AMinorityMayBeDown},
      {"NothingIsAcknowledgedWithoutAMajority", OneGroup(), NothingIsAcknowledgedWithoutAMajority},
      {"AllMayDieAtOnce", OneGroup(), AllMayDieAtOnce},
      {"AppendsAreExecutedOnceWhileLeadersDie", OneGroup(), AppendsAreExecutedOnceWhileLeadersDie},
      {"ALeaderThatStoodStillServesNothingOld", OneGroup(), ALeaderThatStoodStillServesNothingOld},
      {"LeadershipMovesWhenAsked", OneGroup(), LeadershipMovesWhenAsked},
      {"ALeaderThatIsCutOffServesNothingOld", OneGroupWithCuts(),
       ALeaderThatIsCutOffServesNothingOld},
      {"ALeaderThatHearsNobodyIsReplaced", OneGroupWithCuts(), ALeaderThatHearsNobodyIsReplaced},
      {"TwoThatDoNotHearEachOtherStopNobody", OneGroupWithCuts(),
       TwoThatDoNotHearEachOtherStopNobody},
      {"ShardsFollowGroupsThatJoinAndLeave", TwoGroups(), ShardsFollowGroupsThatJoinAndLeave},
      {"ShardsMoveThoughLeadersDie", TwoGroups(), ShardsMoveThoughLeadersDie},
      {"SwapsOfTwoClientsAreAtomic", OneGroup(), SwapsOfTwoClientsAreAtomic},
      {"AMissingKeyIsNotAnEmptyOne", OneGroup(), AMissingKeyIsNotAnEmptyOne},
  };
  return stories;
}

}  // namespace lockstep::system
