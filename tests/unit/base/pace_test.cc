#include "core/base/pace.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

using std::chrono::milliseconds;

constexpr Instant kStart = Instant(std::chrono::seconds(5));

TEST(Pace, WhoHasMovedSomeWaitsAsLongAsThatTakes) {
  Pace pace(1000);
  EXPECT_TRUE(pace.MayGoOn(kStart));
  pace.Moved(kStart, 100);
  EXPECT_EQ(pace.next(), kStart + milliseconds(100));
  EXPECT_FALSE(pace.MayGoOn(kStart + milliseconds(99)));
  EXPECT_TRUE(pace.MayGoOn(kStart + milliseconds(100)));
  pace.Moved(kStart, 50);  // somebody else, who did not wait
  EXPECT_EQ(pace.next(), kStart + milliseconds(150));
}

TEST(Pace, IdleTimeIsNotSavedUp) {
  Pace pace(1000);
  pace.Moved(kStart, 100);
  pace.Moved(kStart + milliseconds(5000), 100);
  EXPECT_EQ(pace.next(), kStart + milliseconds(5100));
}

TEST(Pace, ZeroIsWithoutLimit) {
  Pace pace(0);
  pace.Moved(kStart, uint64_t{1} << 40);
  EXPECT_TRUE(pace.MayGoOn(kStart));
}

TEST(Pace, ThereIsNoOverflow) {
  Pace pace(uint64_t{1} << 40);
  pace.Moved(kStart, UINT64_MAX);
  EXPECT_GT(pace.next(), kStart);
  EXPECT_LT(pace.next(), kStart + milliseconds(10));
}

}  // namespace
}  // namespace lockstep
