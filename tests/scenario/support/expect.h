// What becomes of an operation that a client has begun:
//
//   Expect(cluster, pending).CompletesWithin(seconds(3));
//   Expect(cluster, pending).DoesNotCompleteWithin(seconds(1));
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_EXPECT_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_EXPECT_H_

#include <gtest/gtest.h>

#include "tests/scenario/support/stage.h"

namespace lockstep::scenario {

class Expectation {
 public:
  Expectation(Stage& stage, const Pending& pending) : stage_(stage), pending_(pending) {}

  // It is executed, and answered, in that time.
  void CompletesWithin(Duration span) {
    EXPECT_TRUE(stage_.RunUntil([&] { return pending_.ok(); }, span)) << pending_.what();
  }
  // Nothing is known of it after that time.
  void DoesNotCompleteWithin(Duration span) {
    EXPECT_FALSE(stage_.RunUntil([&] { return pending_.done(); }, span)) << pending_.what();
  }

 private:
  Stage& stage_;
  const Pending pending_;
};

inline Expectation Expect(Stage& stage, const Pending& pending) { return {stage, pending}; }

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_EXPECT_H_
