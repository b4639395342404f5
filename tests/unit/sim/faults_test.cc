// Faults: their names, their swarm, their shapes, and that every one of them ends.
#include <gtest/gtest.h>

#include <bit>

#include "sim/faults/aimed_faults.h"
#include "sim/faults/fault_kind.h"
#include "sim/faults/fault_options.h"
#include "sim/faults/fault_plan.h"
#include "sim/faults/targets.h"
#include "tests/unit/sim/world_fake.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kUnit = 10'000'000;  // ns

TEST(FaultSet, ParsesWhatItPrints) {
  EXPECT_EQ(*FaultSet::Parse("all"), FaultSet::All());
  EXPECT_EQ(*FaultSet::Parse("none"), FaultSet::None());
  EXPECT_EQ(*FaultSet::Parse(""), FaultSet::None());
  const FaultSet set = *FaultSet::Parse("crash,partition");
  EXPECT_TRUE(set.contains(FaultKind::kCrash));
  EXPECT_FALSE(set.contains(FaultKind::kLoss));
  EXPECT_EQ(*FaultSet::Parse(set.ToString()), set);
  EXPECT_EQ(*FaultSet::Parse(FaultSet::All().ToString()), FaultSet::All());
  EXPECT_FALSE(FaultSet::Parse("all,-crash")->contains(FaultKind::kCrash));
  EXPECT_FALSE(FaultSet::Parse("crush").ok());
}

TEST(FaultSet, EveryKindHasItsOwnName) {
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    EXPECT_EQ(FaultNamed(FaultName(kind)), kind);
  }
}

TEST(FaultOptions, EachKindIsOffInHalfOfTheRuns) {
  std::array<int, kFaultKinds> on{};
  constexpr int kRuns = 2000;
  for (uint64_t seed = 0; seed < kRuns; ++seed) {
    Rng rng(seed);
    const FaultOptions options = FaultOptions::Draw(rng, FaultSet::All(), false, kUnit);
    for (size_t i = 0; i < kFaultKinds; ++i) on[i] += options.on.contains(FaultKind(i)) ? 1 : 0;
  }
  for (size_t i = 0; i < kFaultKinds; ++i) EXPECT_NEAR(on[i], kRuns / 2, 120) << i;
}

TEST(FaultOptions, AllowingOneMoreChangesNoOther) {
  FaultSet allowed = FaultSet::All();
  allowed.erase(FaultKind::kDelay);
  Rng one(9);
  Rng two(9);
  const FaultOptions with = FaultOptions::Draw(one, FaultSet::All(), false, kUnit);
  const FaultOptions without = FaultOptions::Draw(two, allowed, false, kUnit);
  FaultSet rest = with.on;
  rest.erase(FaultKind::kDelay);
  EXPECT_EQ(rest, without.on);
  EXPECT_EQ(with.rate(FaultKind::kCrash).gap_mean, without.rate(FaultKind::kCrash).gap_mean);
}

TEST(Targets, ASplitCutsExactlyWhatLiesBetween) {
  const Cast cast{.servers = 5, .clients = 3};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    const uint64_t part = DrawPart(rng, cast);
    ASSERT_GT(std::popcount(part), 0);
    ASSERT_LT(std::popcount(part), 5);
    int between = 0;
    for (const Direction& link : Split(rng, cast, part, /*clients=*/false)) {
      EXPECT_NE(Contains(part, link.from), Contains(part, link.to));
      ++between;
    }
    EXPECT_EQ(between, 2 * std::popcount(part) * (5 - std::popcount(part)));
  }
}

TEST(Targets, ABridgeSeesBothSides) {
  const Cast cast{.servers = 5, .clients = 0};
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Rng rng(seed);
    uint64_t cut = 0;
    for (const Direction& link : Bridge(rng, cast)) cut |= One(link.from) | One(link.to);
    EXPECT_LT(std::popcount(cut), 5) << "somebody is not cut at all";
  }
}

// Everything on, for a while; then the storm is called off and nothing may remain of it.
TEST(FaultPlan, EveryFaultEnds) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FakeWorld fake(seed, Sized(5, 2));
    Rng rng(seed);
    const FaultOptions options = FaultOptions::Draw(rng, FaultSet::All(), true, kUnit);
    FaultPlan plan(options, fake.world, Rng(seed).Split("faults"));
    AimedFaults aimed(options, plan, fake.world, Rng(seed).Split("aimed"));
    plan.Start();
    size_t handled = 0;
    const auto step_until = [&](int64_t until) {
      while (fake.world.timeline().now() < until) {
        fake.world.Step();
        while (handled < fake.observer.world_events.size()) {
          plan.OnEvent(fake.observer.world_events[handled++]);
        }
      }
    };
    step_until(100 * kUnit);
    plan.Stop();
    const size_t intervals = fake.world.ledger().intervals().size();
    EXPECT_GT(intervals, 20u);
    step_until(130 * kUnit);
    EXPECT_EQ(fake.world.ledger().intervals().size(), intervals) << "nothing new";
    for (uint16_t from = 1; from <= 7; ++from) {
      for (uint16_t to = 1; to <= 7; ++to) {
        const Link& link = fake.world.network().link(from, to);
        EXPECT_EQ(link.cuts.amount, 0u);
        EXPECT_EQ(link.loss.amount, 0u);
        EXPECT_EQ(link.duplication.amount, 0u);
        EXPECT_EQ(link.delay.amount, 0u);
        EXPECT_EQ(link.clogs.amount, 0u);
        EXPECT_EQ(link.limits.amount, 0u);
        EXPECT_TRUE(link.held.empty());
      }
    }
    for (const FaultInterval& interval : fake.world.ledger().intervals()) {
      EXPECT_TRUE(interval.instant || interval.healed || !interval.begun) << Describe(interval);
    }
    for (uint16_t id = 1; id <= 5; ++id) {
      EXPECT_TRUE(fake.world.server(id).up()) << "crashed servers come back";
      EXPECT_FALSE(fake.world.server(id).paused());
      EXPECT_EQ(fake.world.server(id).slow_disk.amount, 0u);
    }
  }
}

TEST(FaultPlan, AbandonedServersStayAway) {
  FakeWorld fake(1, Sized(5, 1));
  const FaultOptions options;
  FaultPlan plan(options, fake.world, Rng(1));
  fake.RunUntil(kUnit);
  plan.Stop();
  plan.Abandon(One(2) | One(4), /*cut=*/One(4));
  fake.RunUntil(10 * kUnit);
  EXPECT_FALSE(fake.world.server(2).up());
  EXPECT_TRUE(fake.world.server(4).up());
  EXPECT_TRUE(fake.world.network().IsCut(4, 1));
  EXPECT_TRUE(fake.world.network().IsCut(1, 4));
  EXPECT_FALSE(fake.world.network().IsCut(1, 3));
}

}  // namespace
}  // namespace lockstep::sim
