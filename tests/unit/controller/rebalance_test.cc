// Balance and minimality, against all assignments there are where they are few, and against the
// formula where they are many.
#include "core/controller/rebalance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

using Owners = std::vector<GroupId>;

Owners Ids(const std::vector<uint64_t>& numbers) {
  Owners ids;
  for (const uint64_t number : numbers) ids.push_back(GroupId(number));
  return ids;
}

size_t Moves(const Owners& before, const Owners& after) {
  size_t moves = 0;
  for (size_t shard = 0; shard < before.size(); ++shard) moves += before[shard] != after[shard];
  return moves;
}

bool RespectsPins(const Owners& owners, const Owners& gids, const std::vector<Pin>& pins) {
  return std::all_of(pins.begin(), pins.end(), [&](const Pin& pin) {
    return !std::binary_search(gids.begin(), gids.end(), pin.gid) ||
           owners[pin.shard.value()] == pin.gid;
  });
}

// The fewest moves to a balanced assignment that respects the pins, of all assignments.
size_t FewestMoves(const Owners& before, const Owners& gids, const std::vector<Pin>& pins) {
  size_t assignments = 1;
  for (size_t i = 0; i < before.size(); ++i) assignments *= gids.size();
  size_t fewest = before.size() + 1;
  for (size_t number = 0; number < assignments; ++number) {
    Owners after;
    for (size_t i = 0, rest = number; i < before.size(); ++i, rest /= gids.size()) {
      after.push_back(gids[rest % gids.size()]);
    }
    const size_t moves = Moves(before, after);
    if (moves < fewest && RespectsPins(after, gids, pins) && Balanced(after, gids, pins)) {
      fewest = moves;
    }
  }
  return fewest;
}

std::string Text(const Owners& before, const Owners& gids, const std::vector<Pin>& pins) {
  std::string text = "owners";
  for (const GroupId owner : before) absl::StrAppend(&text, " ", owner.value());
  absl::StrAppend(&text, " gids");
  for (const GroupId gid : gids) absl::StrAppend(&text, " ", gid.value());
  for (const Pin& pin : pins) {
    absl::StrAppend(&text, " pin ", pin.shard.value(), "->", pin.gid.value());
  }
  return text;
}

void ExpectBest(const Owners& before, const Owners& gids, const std::vector<Pin>& pins) {
  const Owners after = Rebalance(before, gids, pins);
  ASSERT_TRUE(RespectsPins(after, gids, pins)) << Text(before, gids, pins);
  ASSERT_TRUE(Balanced(after, gids, pins)) << Text(before, gids, pins);
  ASSERT_EQ(Moves(before, after), FewestMoves(before, gids, pins)) << Text(before, gids, pins);
  ASSERT_EQ(Rebalance(after, gids, pins), after) << "moved again: " << Text(before, gids, pins);
}

TEST(Rebalance, FollowsTheRuleToTheLetter) {
  const struct {
    const char* name;
    std::vector<uint64_t> before;
    std::vector<uint64_t> gids;
    std::vector<Pin> pins;
    std::vector<uint64_t> after;
  } rows[] = {
      {"nobody", {1, 1, 2}, {}, {}, {0, 0, 0}},
      {"one", {0, 0, 7}, {5}, {}, {5, 5, 5}},
      {"the lowest gids get what is left over", {0, 0, 0, 0, 0}, {3, 8, 9}, {}, {3, 3, 8, 8, 9}},
      {"those with most keep it", {9, 9, 9, 3, 3}, {3, 9}, {}, {9, 9, 9, 3, 3}},
      {"the lowest surplus to the lowest gid",
       {5, 5, 5, 5, 5, 5},
       {2, 3, 5},
       {},
       {2, 2, 3, 3, 5, 5}},
      {"a leaver's go to who lacks them", {1, 2, 1, 2, 3, 3}, {1, 3}, {}, {1, 1, 1, 3, 3, 3}},
      {"more groups than shards", {4, 4}, {1, 2, 3, 4}, {}, {1, 4}},
      {"a pin holds what is surplus",
       {5, 5, 5, 5},
       {2, 5},
       {{ShardId(0), GroupId(5)}},
       {5, 2, 2, 5}},
      {"too many pins: the others share",
       {5, 5, 5, 5, 2, 3},
       {2, 3, 5},
       {{ShardId(0), GroupId(5)}, {ShardId(1), GroupId(5)}, {ShardId(2), GroupId(5)}},
       {5, 5, 5, 2, 2, 3}},
      {"a void pin", {5, 5, 4, 4}, {4, 6}, {{ShardId(0), GroupId(5)}}, {6, 6, 4, 4}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Rebalance(Ids(row.before), Ids(row.gids), row.pins), Ids(row.after)) << row.name;
  }
}

TEST(Rebalance, IsBestInEverySmallCase) {
  const Owners gids = Ids({2, 5});
  const Owners kinds = Ids({0, 2, 5, 9});  // 9 has left
  for (size_t number = 0; number < 4 * 4 * 4 * 4; ++number) {
    for (size_t pinned = 0; pinned < 4 * 4 * 4 * 4; ++pinned) {
      Owners before;
      std::vector<Pin> pins;
      for (size_t shard = 0, owner = number, pin = pinned; shard < 4; ++shard) {
        before.push_back(kinds[owner % 4]);
        if (pin % 4 != 0) pins.push_back({ShardId(shard), kinds[pin % 4]});
        owner /= 4;
        pin /= 4;
      }
      ASSERT_NO_FATAL_FAILURE(ExpectBest(before, gids, pins));
    }
  }
}

TEST(Rebalance, IsBestInRandomSmallCases) {
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    Rng rng(seed);
    const uint64_t shards = rng.Between(uint64_t{1}, uint64_t{6});
    const uint64_t groups = rng.Between(uint64_t{1}, uint64_t{shards > 5 ? 3u : 4u});
    Owners gids;
    for (uint64_t i = 0; i < groups; ++i) gids.push_back(GroupId(10 * (i + 1)));
    Owners before;
    std::vector<Pin> pins;
    for (uint64_t shard = 0; shard < shards; ++shard) {
      before.push_back(GroupId(10 * rng.Below(groups + 2)));
      const bool pinned = rng.Chance({1, 3});
      if (pinned) pins.push_back({ShardId(shard), GroupId(10 * (1 + rng.Below(groups)))});
    }
    ASSERT_NO_FATAL_FAILURE(ExpectBest(before, gids, pins)) << "seed " << seed;
  }
}

// Without pins the fewest moves are the sum of what each group has above its target, with the
// targets as in the labs: the larger ones to those that have most.
TEST(Rebalance, MovesWhatTheFormulaSays) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    const uint64_t shards = rng.Magnitude(1, 4000);
    const uint64_t groups = rng.Magnitude(1, 300);
    Owners gids;
    GroupId gid;
    for (uint64_t i = 0; i < groups; ++i) {
      gid = gid.Plus(1 + rng.Below(5));
      gids.push_back(gid);
    }
    Owners before;
    const uint64_t favoured = rng.Between(uint64_t{1}, groups);
    for (uint64_t i = 0; i < shards; ++i) {
      const GroupId owner = gids[rng.Below(favoured)];
      before.push_back(rng.Chance({1, 8}) ? GroupId(gid.value() + 7) : owner);
    }
    const Owners after = Rebalance(before, gids, {});
    ASSERT_TRUE(Balanced(after, gids, {})) << "seed " << seed;

    std::vector<uint64_t> counts;
    uint64_t owned = 0;
    for (const GroupId id : gids) {
      counts.push_back(static_cast<uint64_t>(std::count(before.begin(), before.end(), id)));
      owned += counts.back();
    }
    std::sort(counts.rbegin(), counts.rend());
    uint64_t moves = shards - owned;
    for (size_t i = 0; i < counts.size(); ++i) {
      const uint64_t target = shards / groups + (i < shards % groups);
      moves += counts[i] > target ? counts[i] - target : 0;
    }
    ASSERT_EQ(Moves(before, after), moves) << "seed " << seed;
  }
}

// The lab's own assertion looped over gids that did not exist. Here: what moves at a join goes to a
// newcomer, what moves at a leave comes from a leaver, with the real gids.
TEST(Rebalance, NothingMovesBetweenThoseWhoStay) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed);
    Owners owners(rng.Magnitude(1, 1000));
    Owners gids;
    uint64_t joins = 0;
    uint64_t leaves = 0;
    for (int step = 0; step < 30; ++step) {
      Owners next = gids;
      const bool leave = !gids.empty() && rng.Chance({2, 5});
      const uint64_t count = rng.Between(uint64_t{1}, uint64_t{4});
      for (uint64_t i = 0; i < count && !(leave && next.size() == 1); ++i) {
        if (leave) {
          next.erase(next.begin() + static_cast<ptrdiff_t>(rng.Below(next.size())));
        } else {
          const GroupId gid(1 + rng.Below(1000));
          const auto at = std::lower_bound(next.begin(), next.end(), gid);
          if (at == next.end() || *at != gid) next.insert(at, gid);
        }
      }
      const Owners after = Rebalance(owners, next, {});
      ASSERT_TRUE(Balanced(after, next, {})) << "seed " << seed << " step " << step;
      for (size_t shard = 0; shard < owners.size(); ++shard) {
        if (owners[shard] == after[shard]) continue;
        const bool left = !std::binary_search(next.begin(), next.end(), owners[shard]);
        const bool joined = !std::binary_search(gids.begin(), gids.end(), after[shard]);
        ASSERT_TRUE(leave ? left : joined) << "seed " << seed << " shard " << shard;
        ++(leave ? leaves : joins);
      }
      owners = after;
      gids = next;
    }
    EXPECT_GT(joins, 0u);
    if (owners.size() > 100) {
      EXPECT_GT(leaves, 0u) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace lockstep::controller
