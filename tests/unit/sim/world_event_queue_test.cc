// The event queue against a dumb twin, and the pieces that hang on it.
#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "sim/world/event_queue.h"
#include "sim/world/slab.h"
#include "sim/world/timeline.h"
#include "sim/world/trace_hash.h"

namespace lockstep::sim {
namespace {

TEST(EventQueue, OrdersLikeAMultimap) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    EventQueue queue;
    std::multimap<int64_t, uint32_t> twin;  // Equal keys stay in the order of insertion.
    const uint64_t times = rng.Magnitude(1, 100'000);
    uint32_t next = 0;
    for (int step = 0; step < 20'000; ++step) {
      const bool push = twin.empty() || rng.Chance({11, 20});
      if (push) {
        const int64_t time = static_cast<int64_t>(rng.Below(times));
        queue.Push({.time = time, .payload = next});
        twin.emplace(time, next++);
      } else {
        const Event event = queue.Pop();
        ASSERT_EQ(event.time, twin.begin()->first);
        ASSERT_EQ(event.payload, twin.begin()->second) << "seed " << seed << " step " << step;
        twin.erase(twin.begin());
      }
      ASSERT_EQ(queue.size(), twin.size());
    }
  }
}

TEST(Slab, ReusesSlotsAndKeepsValues) {
  Slab<std::pair<int, int>> slab;
  const uint32_t a = slab.Add({1, 1});
  const uint32_t b = slab.Add({2, 2});
  EXPECT_EQ(slab.Take(a).first, 1);
  const uint32_t c = slab.Add({3, 3});
  EXPECT_EQ(c, a);
  EXPECT_EQ(slab[b].second, 2);
  EXPECT_EQ(slab.live(), 2u);
}

// The numbers are written down so that another compiler or machine that computes others is found.
TEST(TraceHash, IsTheSameEverywhere) {
  TraceHash hash;
  for (uint64_t i = 0; i < 1000; ++i) hash.Add(i * i);
  EXPECT_EQ(hash.ToString(), "fe4b471aeab4935fa3817723b1eb1ba2");
}

TEST(TraceHash, OrderMatters) {
  TraceHash ab;
  ab.Add(1);
  ab.Add(2);
  TraceHash ba;
  ba.Add(2);
  ba.Add(1);
  EXPECT_NE(ab, ba);
  EXPECT_NE(ab.low(), ba.low());
  EXPECT_NE(ab.high(), ba.high());
}

// Lets the alarm's events happen until none is left; returns when it rang.
std::vector<int64_t> Rings(Timeline& timeline, Alarm& alarm) {
  std::vector<int64_t> rang;
  while (!timeline.empty()) {
    const Event event = timeline.Next();
    timeline.Pass(event);
    if (alarm.Rings(timeline, event)) rang.push_back(event.time);
  }
  return rang;
}

TEST(Alarm, RingsOnceAtTheLastTimeAsked) {
  const struct {
    const char* name;
    std::vector<int64_t> asked;
    std::vector<int64_t> rings;
  } rows[] = {
      {"once", {10}, {10}},
      {"later", {10, 20, 30}, {30}},
      {"earlier", {30, 20, 10}, {10}},
      {"to and fro", {20, 10, 40, 30}, {30}},
      {"taken back", {10, kNoTime}, {}},
      {"taken back and asked again", {10, kNoTime, 15}, {15}},
      {"the same", {10, 10, 10}, {10}},
  };
  for (const auto& row : rows) {
    Timeline timeline;
    Alarm alarm;
    for (const int64_t when : row.asked) alarm.Set(timeline, 1, when);
    EXPECT_EQ(Rings(timeline, alarm), row.rings) << row.name;
  }
}

TEST(Alarm, MovingItLaterCostsNoEvent) {
  Timeline timeline;
  Alarm alarm;
  for (int64_t when = 10; when < 1000; ++when) alarm.Set(timeline, 1, when);
  int events = 0;
  while (!timeline.empty()) {
    const Event event = timeline.Next();
    timeline.Pass(event);
    alarm.Rings(timeline, event);
    ++events;
  }
  EXPECT_EQ(events, 2);  // One that came too early, and the one that rang.
}

}  // namespace
}  // namespace lockstep::sim
