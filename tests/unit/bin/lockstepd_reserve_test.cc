#include "bin/lockstepd_reserve.h"

#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"

namespace lockstep::lockstepd {
namespace {

constexpr uint64_t kSoft = 16'000;  // so hard is 4000, and the reserve 1000

class Reserve : public testing::Test {
 protected:
  Reserve() { static_cast<void>(disk_.CreateDirectory("/d")); }
  uint64_t Held() const { return disk_.FileSize("/d/reserve").value_or(0); }

  sim::SimFileSystem disk_;
};

TEST_F(Reserve, IsTakenWhereNobodyMissesIt) {
  SpaceReserve reserve(disk_, "/d", kSoft);
  EXPECT_FALSE(reserve.Adjust(19'999));
  EXPECT_EQ(Held(), 0u);
  EXPECT_TRUE(reserve.Adjust(20'000));
  EXPECT_EQ(Held(), 1000u);
  EXPECT_FALSE(reserve.Adjust(100'000));
}

TEST_F(Reserve, IsGivenAwayBelowTheHardLimitAndTakenAgain) {
  SpaceReserve reserve(disk_, "/d", kSoft);
  EXPECT_TRUE(reserve.Adjust(100'000));
  EXPECT_FALSE(reserve.Adjust(4000));
  EXPECT_EQ(Held(), 1000u);
  EXPECT_TRUE(reserve.Adjust(3999));
  EXPECT_FALSE(disk_.Exists("/d/reserve"));
  EXPECT_FALSE(reserve.Adjust(10));
  EXPECT_TRUE(reserve.Adjust(100'000));
  EXPECT_EQ(Held(), 1000u);
}

TEST_F(Reserve, OfAnEarlierLifeIsGivenAwayToo) {
  {
    EXPECT_TRUE(SpaceReserve(disk_, "/d", kSoft).Adjust(100'000));
  }
  SpaceReserve reserve(disk_, "/d", kSoft);
  EXPECT_TRUE(reserve.Adjust(100));
  EXPECT_FALSE(disk_.Exists("/d/reserve"));
}

TEST_F(Reserve, IsLeftOutWhereTheDiskHasNoRoomForIt) {
  SpaceReserve reserve(disk_, "/d", kSoft);
  disk_.LeaveFree(500);
  EXPECT_FALSE(reserve.Adjust(100'000));
  EXPECT_FALSE(disk_.Exists("/d/reserve"));
}

TEST_F(Reserve, WithoutALimitThereIsNone) {
  {
    EXPECT_TRUE(SpaceReserve(disk_, "/d", kSoft).Adjust(100'000));
  }
  SpaceReserve reserve(disk_, "/d", 0);
  EXPECT_FALSE(disk_.Exists("/d/reserve"));
  EXPECT_FALSE(reserve.Adjust(100'000));
  EXPECT_FALSE(reserve.Adjust(0));
}

}  // namespace
}  // namespace lockstep::lockstepd
