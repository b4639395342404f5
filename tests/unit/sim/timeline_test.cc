// Virtual time, and the fingerprint of what has happened in it.
#include "sim/world/timeline.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace lockstep::sim {
namespace {

TraceHash After(EventKind kind, uint16_t actor, int64_t time) {
  Timeline timeline;
  timeline.Schedule(time, kind, actor, 0);
  timeline.Begin(timeline.Next());
  return timeline.hash();
}

// Who, what and when: a run that differs in one of them differs in its fingerprint.
TEST(Timeline, EveryKindOfEventEntersTheFingerprint) {
  std::set<std::string> hashes = {TraceHash().ToString()};
  size_t expected = 1;
  for (size_t i = 0; i < kEventKinds; ++i) {
    for (const uint16_t actor : {uint16_t{1}, uint16_t{2}}) {
      for (const int64_t time : {1000, 1001}) {
        hashes.insert(After(static_cast<EventKind>(i), actor, time).ToString());
        EXPECT_EQ(hashes.size(), ++expected) << "kind " << i << " actor " << actor;
      }
    }
  }
}

TEST(Timeline, WhatDidNotHappenLeavesNoTrace) {
  Timeline timeline;
  timeline.Schedule(1000, EventKind::kAlarm, 1, 0);
  timeline.Pass(timeline.Next());
  EXPECT_EQ(timeline.now(), 1000);
  EXPECT_EQ(timeline.number(), 0u);
  EXPECT_EQ(timeline.hash(), TraceHash());
}

}  // namespace
}  // namespace lockstep::sim
