// However a body fails, the seed is named with the command that repeats it.
#include "sim/testing/seeds.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/unit/framework/child.h"

namespace lockstep {
namespace {

std::string NoteOn(uint64_t seed, const std::string& test) {
  return absl::StrCat("seed ", seed, "; to repeat it: LOCKSTEP_SEED=", seed, " '",
                      LOCKSTEP_FRAMEWORK_CHILD, "' --gtest_filter='Child.", test, "'");
}

// The seeds that the child says it ran.
std::vector<int> Ran(const std::string& output) {
  std::vector<int> seeds;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(output, '\n'))) {
    if (absl::StartsWith(line, "ran ")) seeds.push_back(std::stoi(line.substr(4)));
  }
  return seeds;
}

TEST(Seeds, AllRunWhenAllPass) {
  std::vector<uint64_t> seeds;
  lockstep::testing::ForEachSeed({.first = 5, .seeds = 3},
                                 [&](uint64_t seed) { seeds.push_back(seed); });
  EXPECT_EQ(seeds, (std::vector<uint64_t>{5, 6, 7}));
}

TEST(Seeds, AFailureNamesTheSeedAndItsCommandAndStopsTheLoop) {
  for (const std::string test : {"Expects", "Asserts"}) {
    const ChildResult result = RunChild(test);
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_TRUE(absl::StrContains(result.output, NoteOn(7, test))) << result.output;
    EXPECT_EQ(Ran(result.output), (std::vector<int>{1, 2, 3, 4, 5, 6, 7}));
  }
}

TEST(Seeds, TheEndOfTheProgramNamesTheSeed) {
  for (const std::string test : {"Checks", "Crashes", "IsKilled", "Throws"}) {
    const ChildResult result = RunChild(test);
    EXPECT_NE(result.exit_code, 0) << test;
    EXPECT_TRUE(absl::StrContains(result.output,
                                  absl::StrCat("the program ended in ", NoteOn(7, test), "\n")))
        << result.output;
    EXPECT_EQ(Ran(result.output).size(), 7u) << result.output;
  }
}

TEST(Seeds, TheVerdictOfASanitizerNamesTheSeed) {
  if (!absl::StrContains(LOCKSTEP_SANITIZE, "address")) GTEST_SKIP() << "built without one";
  const ChildResult result = RunChild("Overflows");
  EXPECT_NE(result.exit_code, 0);
  EXPECT_TRUE(absl::StrContains(result.output, "heap-buffer-overflow")) << result.output;
  EXPECT_TRUE(absl::StrContains(result.output, NoteOn(7, "Overflows"))) << result.output;
}

// What happens to the program is what would have happened without us.
TEST(Seeds, TheFormerHandlersStillHaveTheirSay) {
  EXPECT_EQ(RunChild("Checks").exit_code, -1);
  EXPECT_EQ(RunChild("IsKilled").exit_code, -1);
  const ChildResult thrown = RunChild("Throws");
  EXPECT_EQ(thrown.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(thrown.output, "no seven")) << thrown.output;
}

TEST(Seeds, TheEnvironmentRepeatsOneSeed) {
  const ChildResult failed = RunChild("Expects", "LOCKSTEP_SEED=7");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_EQ(Ran(failed.output), std::vector<int>{7});
  const ChildResult passed = RunChild("Expects", "LOCKSTEP_SEED=8");
  EXPECT_EQ(passed.exit_code, 0) << passed.output;
  EXPECT_EQ(Ran(passed.output), std::vector<int>{8});
}

TEST(Seeds, TheEnvironmentProlongsAndShiftsTheSearch) {
  EXPECT_EQ(Ran(RunChild("Passes", "LOCKSTEP_SEEDS=25").output).size(), 25u);
  EXPECT_EQ(Ran(RunChild("Passes", "LOCKSTEP_SEED_START=41 LOCKSTEP_SEEDS=2").output),
            (std::vector<int>{41, 42}));
  EXPECT_EQ(Ran(RunChild("Passes", "LOCKSTEP_SEED_START=41").output).front(), 41);
}

TEST(Seeds, AnEnvironmentThatMakesNoSenseFailsTheTest) {
  for (const std::string wrong : {"LOCKSTEP_SEEDS=many", "LOCKSTEP_SEED=", "LOCKSTEP_SEED=-1",
                                  "LOCKSTEP_SEED_START=7x", "LOCKSTEP_SEEDS=0"}) {
    const ChildResult result = RunChild("Passes", wrong);
    EXPECT_EQ(result.exit_code, 1) << wrong;
    EXPECT_TRUE(Ran(result.output).empty()) << wrong;
    const bool says = absl::StrContains(result.output, "is not a number") ||
                      absl::StrContains(result.output, "no seed to run");
    EXPECT_TRUE(says) << result.output;
  }
}

TEST(Seeds, MayGoOnAfterFailures) {
  const ChildResult result = RunChild("FailsThrice");
  for (const uint64_t seed : std::vector<uint64_t>{2, 4, 6}) {
    EXPECT_TRUE(absl::StrContains(result.output, NoteOn(seed, "FailsThrice"))) << seed;
  }
  EXPECT_FALSE(absl::StrContains(result.output, NoteOn(8, "FailsThrice")));
}

TEST(Seeds, SkippingEndsTheLoop) {
  const ChildResult result = RunChild("Skips");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(Ran(result.output).back(), 7);
}

TEST(Seeds, DoNotNest) {
  const ChildResult result = RunChild("Nests");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(result.output, "ForEachSeed in the body of another"));
}

TEST(Seeds, OlderFailuresAreNotTheirs) {
  const ChildResult result = RunChild("FailsBeforeAndPassesAfter");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_FALSE(absl::StrContains(result.output, "to repeat it")) << result.output;
}

TEST(Seeds, QuotesForTheShell) { EXPECT_EQ(RunChild("HasQuotes").exit_code, 0); }

}  // namespace
}  // namespace lockstep
