// A GoogleTest helper: runs a body over many seeds and says how to repeat the one that failed.
//
//   TEST(Store, SurvivesStorms) {
//     lockstep::testing::ForEachSeed({.seeds = 200}, [](uint64_t seed) {
//       EXPECT_TRUE(SurvivesStorm(seed));
//     });
//   }
//
// From outside, without building anew:
//
//   LOCKSTEP_SEED=7                             this seed alone
//   LOCKSTEP_SEEDS=100000                       so many seeds
//   LOCKSTEP_SEED_START=5001                    beginning with this one
//
// The seed that failed is named also when the body throws, aborts, crashes or is killed by a time
// limit. Header-only: link your GoogleTest yourself.
#ifndef LOCKSTEP_SIM_TESTING_SEEDS_H_
#define LOCKSTEP_SIM_TESTING_SEEDS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>

#include "sim/testing/seed_environment.h"
#include "sim/testing/seed_watch.h"

namespace lockstep::testing {

// Which seeds, unless the environment says otherwise.
struct SeedOptions {
  uint64_t first = 1;         // the others follow it
  uint64_t seeds = 100;       // at least 1
  uint64_t failures_max = 1;  // go on after a failing seed until so many have failed
};

namespace internal {

// How many failed assertions the test has seen.
inline int CountFailures() {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return 0;
  int failures = 0;
  for (int i = 0; i < test->result()->total_part_count(); ++i) {
    if (test->result()->GetTestPartResult(i).failed()) ++failures;
  }
  return failures;
}

// "Store.SurvivesStorms"; empty outside of a test.
inline std::string CurrentTest() {
  const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return "";
  return std::string(test->test_suite_name()) + "." + test->name();
}

}  // namespace internal

// Runs `body` for each seed, in this process and on this thread, until `failures_max` of them have
// failed by EXPECT_ or ASSERT_ (an ASSERT_ leaves the body of that seed only). Each failure carries
// the command that repeats its seed. GTEST_SKIP in the body ends the loop. A variable of the
// environment that is not a number fails the test. REQUIRES: called in a test.
inline void ForEachSeed(const SeedOptions& options, const std::function<void(uint64_t)>& body) {
  internal::SeedRange range{.first = options.first, .count = options.seeds};
  const std::string mistake = internal::ReadEnvironment(&range);
  if (!mistake.empty()) {
    ADD_FAILURE() << mistake;
    return;
  }
  if (internal::last_words.size != 0) {
    ADD_FAILURE() << "ForEachSeed in the body of another: loop inside of the body instead";
    return;
  }
  const std::string test = internal::CurrentTest();
  uint64_t failures = 0;
  for (uint64_t i = 0; i < range.count; ++i) {
    const uint64_t seed = range.first + i;
    const std::string note = internal::SeedNote(seed, test);
    const ::testing::ScopedTrace trace(__FILE__, __LINE__, note);
    const int failed_before = internal::CountFailures();
    {
      const internal::SeedWatch watch(note);
      body(seed);
    }
    if (::testing::Test::IsSkipped()) return;
    if (internal::CountFailures() == failed_before) continue;
    internal::WriteToStderr(note + "\n");
    if (++failures >= options.failures_max) return;
  }
}

}  // namespace lockstep::testing

#endif  // LOCKSTEP_SIM_TESTING_SEEDS_H_
