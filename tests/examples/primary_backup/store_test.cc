// The store survives storms, and each planted mistake is found.
#include <gtest/gtest.h>

#include <memory>

#include "sim/framework/trial.h"
#include "sim/testing/seeds.h"
#include "sim/testing/trial.h"
#include "tests/examples/primary_backup/store_system.h"

namespace examples {
namespace {

using lockstep::testing::ForEachSeed;
using lockstep::testing::TrialPasses;
using lockstep::testing::TrialsFind;

sim::MakeSystem Store(Mistake mistake) {
  return [mistake] { return std::make_unique<StoreSystem>(mistake); };
}

TEST(PrimaryBackup, SurvivesStorms) {
  ForEachSeed({.seeds = 200}, [](uint64_t seed) {
    const sim::TrialOptions options = {.seed = seed, .servers = 2, .clients = 3};
    EXPECT_TRUE(TrialPasses(options, Store(Mistake::kNone)));
  });
}

TEST(PrimaryBackup, ConfirmingTooEarlyIsFound) {
  const sim::TrialOptions options = {.servers = 2, .clients = 3};
  EXPECT_TRUE(TrialsFind("Acknowledged Means On Both", /*seeds_max=*/20, options,
                         Store(Mistake::kConfirmsTooEarly)));
}

TEST(PrimaryBackup, ReadingTooEarlyIsFound) {
  const sim::TrialOptions options = {.servers = 2, .clients = 3};
  EXPECT_TRUE(
      TrialsFind("Linearizability", /*seeds_max=*/200, options, Store(Mistake::kReadsTooEarly)));
}

// Neither mistake shows as long as nothing goes wrong.
TEST(PrimaryBackup, WithoutFaultsTheMistakesHide) {
  for (const Mistake mistake : {Mistake::kConfirmsTooEarly, Mistake::kReadsTooEarly}) {
    ForEachSeed({.seeds = 20}, [mistake](uint64_t seed) {
      const sim::TrialOptions options = {
          .seed = seed, .servers = 2, .clients = 3, .faults = sim::FaultSet::None()};
      EXPECT_TRUE(TrialPasses(options, Store(mistake)));
    });
  }
}

// A run in which nothing was asked would pass too.
TEST(PrimaryBackup, TheStormsTestSomething) {
  sim::Counters counters;
  size_t operations = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    StoreSystem system;
    const sim::TrialOptions options = {.seed = seed, .servers = 2, .clients = 3};
    counters.Add(sim::RunTrial(options, system).counters);
    operations += system.history().history().operations.size();
  }
  EXPECT_GT(operations, 5000u);
  for (const auto& [name, count] : counters.values) {
    if (name == "crashes in writes" || name == "pages torn" || name == "messages lost") {
      EXPECT_GT(count, 0u) << name;
    }
  }
}

}  // namespace
}  // namespace examples
