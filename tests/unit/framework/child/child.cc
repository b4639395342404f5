// Run by seeds_test.cc and trial_test.cc, which read what it says: bodies that fail in every way,
// and the hash of a run.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "core/base/check.h"
#include "sim/framework/trial.h"
#include "sim/testing/seeds.h"
#include "sim/testing/trial.h"
#include "tests/examples/primary_backup/store_system.h"

namespace lockstep {
namespace {

using lockstep::testing::ForEachSeed;

// Only seed 7 fails. Says which seeds it ran.
template <class Fail>
void FailAtSeven(Fail&& fail) {
  ForEachSeed({.seeds = 10}, [&](uint64_t seed) {
    std::printf("ran %d\n", static_cast<int>(seed));
    std::fflush(stdout);
    if (seed == 7) fail();
  });
}

TEST(Child, Passes) {
  FailAtSeven([] {});
}
TEST(Child, Expects) {
  FailAtSeven([] { EXPECT_EQ(1, 2) << "seven is wrong"; });
}
TEST(Child, Asserts) {
  FailAtSeven([] { ASSERT_EQ(1, 2); });
}
TEST(Child, Throws) {
  FailAtSeven([] { throw std::runtime_error("no seven"); });
}
TEST(Child, Checks) {
  FailAtSeven([] { Check(false, "seven"); });
}
TEST(Child, Crashes) {
  FailAtSeven([] {
    volatile int* nowhere = nullptr;
    *nowhere = 7;
  });
}
TEST(Child, Overflows) {
  FailAtSeven([] {
    volatile char* bytes = new char[8];
    bytes[8] = 'x';
    delete[] bytes;
  });
}
TEST(Child, IsKilled) {
  FailAtSeven([] { raise(SIGTERM); });
}
TEST(Child, Skips) {
  FailAtSeven([] { GTEST_SKIP() << "not today"; });
}
TEST(Child, FailsThrice) {
  ForEachSeed({.seeds = 10, .failures_max = 3},
              [](uint64_t seed) { EXPECT_NE(seed % 2, 0u) << "an even seed"; });
}
TEST(Child, Nests) {
  FailAtSeven([] { ForEachSeed({.seeds = 2}, [](uint64_t) {}); });
}
TEST(Child, FailsBeforeAndPassesAfter) {
  EXPECT_TRUE(false) << "before";
  ForEachSeed({.seeds = 2}, [](uint64_t) {});
}
TEST(Child, HasQuotes) { EXPECT_EQ(lockstep::testing::internal::Quote("it's"), "'it'\\''s'"); }

TEST(Child, Trial) {
  ForEachSeed({.seeds = 3}, [](uint64_t seed) {
    examples::StoreSystem system;
    const sim::RunReport report = sim::RunTrial({.seed = seed, .servers = 2, .clients = 3}, system);
    std::printf("hash %s\n", report.hash.c_str());
  });
}
TEST(Child, TrialFails) {
  ForEachSeed({.seeds = 50}, [](uint64_t seed) {
    EXPECT_TRUE(lockstep::testing::TrialPasses({.seed = seed, .servers = 2, .clients = 3}, [] {
      return std::make_unique<examples::StoreSystem>(examples::Mistake::kConfirmsTooEarly);
    }));
  });
}

}  // namespace
}  // namespace lockstep
