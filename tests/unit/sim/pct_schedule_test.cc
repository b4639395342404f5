// Who is held back, and for how long.
#include "sim/world/pct_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "sim/world/simulation.h"

namespace lockstep::sim {
namespace {

constexpr size_t kChains = 8;

std::vector<int64_t> HoldsOf(PctSchedule& schedule) {
  std::vector<int64_t> holds;
  for (size_t chain = 0; chain < kChains; ++chain) holds.push_back(schedule.Hold(chain));
  return holds;
}

TEST(PctSchedule, WithoutAWindowNobodyIsHeldBack) {
  PctSchedule schedule(PctOptions{}, kChains, Rng(1));
  EXPECT_EQ(HoldsOf(schedule), std::vector<int64_t>(kChains, 0));
}

TEST(PctSchedule, EveryChainHasItsOwnPriority) {
  const PctOptions options{.window = 800, .depth = 1, .steps_max = 10};
  PctSchedule schedule(options, kChains, Rng(1));
  const std::vector<int64_t> holds = HoldsOf(schedule);
  EXPECT_EQ(std::set<int64_t>(holds.begin(), holds.end()),
            (std::set<int64_t>{0, 100, 200, 300, 400, 500, 600, 700}));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(HoldsOf(schedule), holds) << "depth 1 changes nothing";
  PctSchedule other(options, kChains, Rng(2));
  EXPECT_NE(HoldsOf(other), holds);
}

TEST(PctSchedule, TheChainAtAMomentOfChangeFallsBelowAllOthers) {
  PctSchedule schedule({.window = 800, .depth = 4, .steps_max = 1000}, kChains, Rng(3));
  uint64_t changes = 0;
  for (size_t step = 0; step < 1000; ++step) {
    const int64_t hold = schedule.Hold(step % kChains);
    if (schedule.changes() == changes) continue;
    changes = schedule.changes();
    EXPECT_EQ(hold, 700);
  }
  EXPECT_EQ(changes, 3u);
  const std::vector<int64_t> holds = HoldsOf(schedule);
  EXPECT_EQ(std::set<int64_t>(holds.begin(), holds.end()).size(), kChains) << "still a ranking";
}

TEST(PctSchedule, EndsForGood) {
  PctSchedule schedule({.window = 800, .depth = 3, .steps_max = 4}, kChains, Rng(1));
  schedule.Hold(0);
  schedule.End();
  EXPECT_EQ(HoldsOf(schedule), std::vector<int64_t>(kChains, 0));
}

TEST(PctSchedule, MakesOtherRunsOfTheSameSeed) {
  RunOptions options;
  options.operations = 20;
  for (options.seed = 1; options.seed <= 20; ++options.seed) {
    options.schedule = Schedule::kRandom;
    const RunReport random = sim::Run(options);
    options.schedule = Schedule::kPct;
    const RunReport pct = sim::Run(options);
    EXPECT_NE(random.hash, pct.hash);
    EXPECT_EQ(sim::Run(options).hash, pct.hash);
    EXPECT_FALSE(pct.violation.has_value()) << pct.violation->property;
  }
}

}  // namespace
}  // namespace lockstep::sim
