#include "core/node/leader_spread.h"

#include <gtest/gtest.h>

namespace lockstep::node {
namespace {

using std::chrono::milliseconds;

constexpr Instant kStart = Instant(std::chrono::seconds(5));
constexpr Duration kEvery = milliseconds(100);

// The node leads so many, and has just asked the others.
LeaderSpread Asked(uint64_t groups) {
  LeaderSpread spread(kEvery, Rng(1));
  spread.Leads(kStart, groups);
  EXPECT_TRUE(spread.Due(spread.wake_at()));
  return spread;
}

TEST(LeaderSpread, AsksAsLongAsItLeadsSeveral) {
  LeaderSpread spread(kEvery, Rng(1));
  spread.Leads(kStart, 1);
  EXPECT_EQ(spread.wake_at(), kNever);
  spread.Leads(kStart, 2);
  const Instant first = spread.wake_at();
  EXPECT_GE(first, kStart + kEvery / 2);
  EXPECT_LE(first, kStart + kEvery * 3 / 2);
  spread.Leads(kStart + milliseconds(1), 3);
  EXPECT_EQ(spread.wake_at(), first) << "one more puts nothing off";
  EXPECT_FALSE(spread.Due(first - milliseconds(1)));
  EXPECT_TRUE(spread.Due(first));
  EXPECT_GT(spread.wake_at(), first);
  spread.Leads(first, 1);
  EXPECT_EQ(spread.wake_at(), kNever);
}

TEST(LeaderSpread, IsOffWithoutATime) {
  LeaderSpread spread(Duration(0), Rng(1));
  spread.Leads(kStart, 9);
  EXPECT_EQ(spread.wake_at(), kNever);
}

TEST(LeaderSpread, GivesToWhoLeadsTwoFewer) {
  const LeaderSpread spread = Asked(3);
  EXPECT_TRUE(spread.MayGive(0));
  EXPECT_TRUE(spread.MayGive(1));
  EXPECT_FALSE(spread.MayGive(2));
  EXPECT_FALSE(spread.MayGive(9));
}

TEST(LeaderSpread, GivesOneForEachQuestion) {
  LeaderSpread spread = Asked(5);
  spread.Gave();
  EXPECT_FALSE(spread.MayGive(0));
  EXPECT_TRUE(spread.Due(spread.wake_at()));
  EXPECT_TRUE(spread.MayGive(0));
}

TEST(LeaderSpread, WhatItDidNotAskForIsOldNews) {
  LeaderSpread spread(kEvery, Rng(1));
  spread.Leads(kStart, 5);
  EXPECT_FALSE(spread.MayGive(0));
}

}  // namespace
}  // namespace lockstep::node
