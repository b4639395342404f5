// Clocks of simulated servers: monotonic, within their bound, and translated back exactly.
#include "sim/world/node_clock.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "sim/world/timeline.h"

namespace lockstep::sim {
namespace {

int64_t Told(const NodeClock& clock, int64_t time) {
  return clock.At(time).time_since_epoch().count();
}

TEST(NodeClock, TellsTheWorldsTimeUnlessItIsTold) {
  NodeClock clock;
  clock.Draw({}, 5'000, Rng(1));
  EXPECT_EQ(Told(clock, 123'456'789), 123'456'789);
  EXPECT_EQ(clock.WorldTime(ToInstant(123'456'789)), 123'456'789);
  EXPECT_EQ(clock.WorldTime(kNever), kNoTime);
}

TEST(NodeClock, StaysWithinItsBound) {
  constexpr int64_t kBegin = 1'000'000;
  constexpr int64_t kSpan = 1'000'000'000;
  const ClockOptions options{.offset_max = 1'000'000'000'000, .drift_max = 50'000};
  int fast = 0;
  int slow = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    NodeClock clock;
    clock.Draw(options, kBegin, Rng(seed));
    EXPECT_LE(kBegin, Told(clock, kBegin));
    const int64_t lasted = Told(clock, kBegin + kSpan) - Told(clock, kBegin);
    EXPECT_LE(kSpan / 1'000'000 * 950'000, lasted);
    EXPECT_LE(lasted, kSpan / 1'000'000 * 1'050'000);
    fast += lasted == kSpan / 1'000'000 * 1'050'000 ? 1 : 0;
    slow += lasted == kSpan / 1'000'000 * 950'000 ? 1 : 0;
  }
  EXPECT_LT(50, fast) << "clocks that are as wrong as they may be find most";
  EXPECT_LT(50, slow);
}

// An alarm rings at the first moment at which the clock tells its time, not a nanosecond before.
TEST(NodeClock, KnowsWhenItTellsATime) {
  Rng rng(7);
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    NodeClock clock;
    clock.Draw({.offset_max = 1'000'000, .drift_max = 200'000}, 1'000, Rng(seed));
    const int64_t from = Told(clock, 1'000);
    const int64_t wanted = from + static_cast<int64_t>(rng.Below(1'000'000'000)) + 1;
    const int64_t time = clock.WorldTime(ToInstant(wanted));
    EXPECT_LE(wanted, Told(clock, time)) << "seed " << seed;
    EXPECT_LT(Told(clock, time - 1), wanted) << "seed " << seed;
    EXPECT_EQ(clock.WorldTime(ToInstant(from - 1)), 1'000) << "what is over is over";
  }
}

TEST(NodeClock, LeapsForward) {
  NodeClock clock;
  clock.Draw({.offset_max = 1'000'000, .drift_max = 100'000}, 0, Rng(3));
  const int64_t before = Told(clock, 500'000);
  const int64_t rings = clock.WorldTime(ToInstant(before + 100'000));
  clock.Leap(70'000);
  EXPECT_EQ(Told(clock, 500'000), before + 70'000);
  EXPECT_LT(clock.WorldTime(ToInstant(before + 100'000)), rings);
}

}  // namespace
}  // namespace lockstep::sim
