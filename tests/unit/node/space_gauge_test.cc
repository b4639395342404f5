#include "core/node/space_gauge.h"

#include "core/kv/command.h"
#include "core/node/door.h"
#include "gtest/gtest.h"

namespace lockstep::node {
namespace {

using raft::Room;

constexpr SpaceLimits kLimits = {.soft_bytes = 8000, .hard_bytes = 800};

TEST(SpaceGauge, IsAmpleUntilSomethingIsKnown) {
  SpaceGauge gauge(kLimits);
  EXPECT_EQ(gauge.room(), Room::kAmple);
  gauge.Wrote(1'000'000);
  EXPECT_EQ(gauge.room(), Room::kAmple);
}

TEST(SpaceGauge, WithoutLimitsEverythingIsAmple) {
  SpaceGauge gauge(SpaceLimits{});
  gauge.Measured(0, 0);
  EXPECT_EQ(gauge.room(), Room::kAmple);
}

// Each row follows the one before: what a limit has taken away comes back an eighth above it.
TEST(SpaceGauge, LeavesALimitClearlyAboveIt) {
  struct Row {
    uint64_t free_bytes;
    Room want;
  };
  SpaceGauge gauge(kLimits);
  for (const Row& row : {
           Row{8000, Room::kAmple},
           Row{7999, Room::kLow},
           Row{8999, Room::kLow},
           Row{9000, Room::kAmple},
           Row{8000, Room::kAmple},
           Row{799, Room::kNone},
           Row{899, Room::kNone},
           Row{900, Room::kLow},
           Row{800, Room::kLow},
           Row{0, Room::kNone},
           Row{9000, Room::kAmple},
       }) {
    gauge.Measured(row.free_bytes, 0);
    EXPECT_EQ(gauge.room(), row.want) << row.free_bytes;
  }
}

// Data come faster than measurements, and each byte is written to the log and to the table.
TEST(SpaceGauge, CountsWhatWasWrittenSince) {
  SpaceGauge gauge(kLimits);
  gauge.Measured(10'000, 0);
  gauge.Wrote(1000);
  EXPECT_EQ(gauge.free_bytes(), 8000u);
  EXPECT_EQ(gauge.room(), Room::kAmple);
  gauge.Wrote(1);
  EXPECT_EQ(gauge.room(), Room::kLow);
  gauge.Wrote(1'000'000);
  EXPECT_EQ(gauge.free_bytes(), 0u);
  EXPECT_EQ(gauge.room(), Room::kNone);
  gauge.Measured(10'000, /*under_way_bytes=*/1001);
  EXPECT_EQ(gauge.room(), Room::kLow);
  EXPECT_EQ(gauge.need_bytes(), 9000u);
}

TEST(AddsData, IsWhatMayMakeTheDataLarger) {
  struct Row {
    proto::Command command;
    bool want;
  };
  for (const Row& row : {
           Row{kv::MakePut("k", "v"), true},
           Row{kv::MakeAppend("k", "v"), true},
           Row{kv::MakeDelete("k"), false},
           Row{kv::MakeCompareAndSwap("k", "old", "new"), true},
           Row{kv::MakeCompareAndSwap("k", "old", std::nullopt), false},
           Row{kv::MakeBatch({kv::MakeDelete("k"), kv::MakePut("l", "v")}), true},
           Row{kv::MakeBatch({kv::MakeDelete("k")}), false},
           Row{kv::MakeRegisterSession(1), false},
           Row{kv::MakeCloseSession(SessionId(7)), false},
       }) {
    EXPECT_EQ(AddsData(row.command), row.want) << row.command.operation_case();
  }
}

}  // namespace
}  // namespace lockstep::node
