#include "core/node/stage_times.h"

#include <gtest/gtest.h>

namespace lockstep::node {
namespace {

using std::chrono::milliseconds;

Instant At(int64_t ms) { return Instant(milliseconds(ms)); }

TEST(StageTimesTest, StagesAreWhatLiesBetweenTheSteps) {
  StageTimes times;
  times.Submitted(Index(5), At(10));
  times.Submitted(Index(7), At(40));
  times.Durable(Index(5), At(40));
  times.Committed(Index(5), At(60));
  times.Durable(Index(7), At(70));
  times.Committed(Index(7), At(70));
  const Stages fifth = times.Applied(Index(5), At(4), At(65));
  EXPECT_EQ(fifth.queue, milliseconds(6));
  EXPECT_EQ(fifth.log, milliseconds(30));
  EXPECT_EQ(fifth.replicate, milliseconds(20));
  EXPECT_EQ(fifth.apply, milliseconds(5));
  // Index 6 was in the same batch as 7.
  const Stages sixth = times.Applied(Index(6), At(12), At(90));
  EXPECT_EQ(sixth.queue, milliseconds(28));
  EXPECT_EQ(sixth.log, milliseconds(30));
  EXPECT_EQ(sixth.replicate, milliseconds(0));
  EXPECT_EQ(sixth.apply, milliseconds(20));
}

// A majority of others may be faster than the leader's own disk: what is over when the entry is
// committed took no longer than until then.
TEST(StageTimesTest, TheyAddUpWhateverCameFirst) {
  const struct {
    const char* name;
    int64_t submitted, durable, committed;  // negative: not yet
  } rows[] = {
      {"in order", 1, 2, 3},
      {"committed without the own disk", 1, -1, 3},
      {"durable after it was committed", 1, 5, 3},
      {"all at once", 0, 0, 0},
      {"nothing is known", -1, -1, -1},
      {"marks from before it came", -20, -15, 4},
  };
  for (const auto& row : rows) {
    StageTimes times;
    const auto mark = [](int64_t ms) { return At(ms < -10 ? 0 : 100 + ms); };
    if (row.submitted != -1) times.Submitted(Index(9), mark(row.submitted));
    if (row.durable != -1) times.Durable(Index(9), mark(row.durable));
    if (row.committed != -1) times.Committed(Index(9), mark(row.committed));
    const Stages stages = times.Applied(Index(9), At(100), At(110));
    EXPECT_EQ(stages.queue + stages.log + stages.replicate + stages.apply, milliseconds(10))
        << row.name;
    for (const Duration stage : {stages.queue, stages.log, stages.replicate, stages.apply}) {
      EXPECT_GE(stage, Duration(0)) << row.name;
    }
  }
}

TEST(StageTimesTest, WhatIsNoStepForwardIsNoNews) {
  Marks marks;
  marks.Reached(Index(5), At(10));
  marks.Reached(Index(5), At(20));
  marks.Reached(Index(4), At(30));
  EXPECT_EQ(marks.When(Index(4), At(0)), At(10));
  EXPECT_EQ(marks.When(Index(5), At(0)), At(10));
  EXPECT_EQ(marks.When(Index(6), At(99)), At(99));
}

}  // namespace
}  // namespace lockstep::node
