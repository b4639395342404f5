#include "core/base/check.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace lockstep {
namespace {

TEST(Check, TruthPasses) {
  Check(true);
  CheckEq(1, 1);
  CheckLe(1, 1);
  CheckLt(1, 2);
}

TEST(CheckDeathTest, FailuresSayWhatAndWhere) {
  EXPECT_DEATH(Check(false, "the vote is durable"), "check_test.cc:.*the vote is durable");
  EXPECT_DEATH(CheckEq(1, 2), "check_test.cc:.*1 == 2");
  EXPECT_DEATH(CheckLe(3, 2), "3 <= 2");
  EXPECT_DEATH(CheckLt(2, 2), "2 < 2");
}

TEST(CheckDeathTest, HookHasTheLastWord) {
  SetCheckHook(
      [](absl::string_view, const std::source_location&) { std::fprintf(stderr, "seed 42\n"); });
  EXPECT_DEATH(Check(false), "seed 42");
  SetCheckHook(nullptr);
}

}  // namespace
}  // namespace lockstep
