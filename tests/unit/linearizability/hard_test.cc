// Histories that are hard for a search: many clients, values that repeat, operations that stay open
// for ever. Too long for brute force, so the searches are compared with each other, and with what
// is known of a history that was made by a store.
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/support/hard_histories.h"
#include "tests/unit/linearizability/support.h"

namespace lockstep::linearizability {
namespace {

HardLoad DrawLoad(Rng& rng) {
  HardLoad load;
  load.operations = static_cast<uint32_t>(rng.Between(uint64_t{20}, 50));
  load.clients = static_cast<uint32_t>(rng.Between(uint64_t{3}, 7));
  load.keys = 1;
  load.registers = rng.Chance({2, 3});
  load.values = static_cast<uint32_t>(rng.Between(uint64_t{1}, 4));
  load.bare = rng.Chance({1, 2});
  if (rng.Chance({1, 2})) load.open_percent = 8;
  load.haste_percent = rng.Chance({1, 2}) ? 100 : 40;
  load.spoilt = true;
  return load;
}

Verdict ByFrontier(const History& history, size_t width) {
  Options options;
  options.use = {false, false, true, false};
  options.frontier_width = width;
  options.shrink_steps_max = 0;
  return CheckHistory(history, options).verdict;
}

TEST(Hard, SearchesAgree) {
  uint64_t right = 0;
  uint64_t wrong = 0;
  for (uint64_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng = Rng(seed).Split("hard");
    const HardLoad load = DrawLoad(rng);
    const History history = HardHistory(load, seed).Run();
    Options options;
    options.use = {false, false, false, true};
    options.steps_max = 3'000'000;
    options.shrink_steps_max = 0;
    const Verdict depth_first = CheckHistory(history, options).verdict;
    if (depth_first == Verdict::kUndecided) continue;
    ++(depth_first == Verdict::kLinearizable ? right : wrong);
    ASSERT_EQ(ByFrontier(history, 1), depth_first) << Dump(history);
    ASSERT_EQ(ByFrontier(history, 64), depth_first) << Dump(history);
    ASSERT_EQ(ByFrontier(history, SIZE_MAX), depth_first) << Dump(history);
  }
  EXPECT_GT(right, 500U);
  EXPECT_GT(wrong, 500U);
}

// At the default budget none of these is undecided.
TEST(Hard, ManyClientsRepeatedValuesManyOpen) {
  const HardLoad loads[] = {
      {},
      {.values = 1},
      {.clients = 20, .values = 3, .open_percent = 5},
      {.operations = 100, .clients = 20, .keys = 1, .registers = true, .open_percent = 15},
      {.operations = 150, .clients = 20, .keys = 1, .registers = true, .open_percent = 30},
      {.operations = 500, .clients = 50, .keys = 1, .registers = true, .open_percent = 10},
      {.operations = 20'000, .clients = 20, .keys = 10, .registers = true},
  };
  for (HardLoad load : loads) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      load.spoilt = false;
      EXPECT_EQ(CheckHistory(HardHistory(load, seed).Run()).verdict, Verdict::kLinearizable);
      load.spoilt = true;
      EXPECT_NE(CheckHistory(HardHistory(load, seed).Run()).verdict, Verdict::kUndecided);
    }
  }
}

}  // namespace
}  // namespace lockstep::linearizability
