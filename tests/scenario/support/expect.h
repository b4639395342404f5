// What becomes of an operation that a client has begun:
//
//   Expect(cluster, pending).CompletesWithin(seconds(3));
//   Expect(cluster, pending).DoesNotCompleteWithin(seconds(1));
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_EXPECT_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_EXPECT_H_

#include <gtest/gtest.h>

#include "tests/scenario/support/cluster.h"

namespace lockstep::scenario {

class Expectation {
 public:
  Expectation(Cluster& cluster, const Pending& pending) : cluster_(cluster), pending_(pending) {}

  // It is executed, and answered, in that time.
  void CompletesWithin(Duration span) {
    EXPECT_TRUE(cluster_.RunUntil([&] { return pending_.ok(); }, span)) << pending_.what();
  }
  // Nothing is known of it after that time.
  void DoesNotCompleteWithin(Duration span) {
    EXPECT_FALSE(cluster_.RunUntil([&] { return pending_.done(); }, span)) << pending_.what();
  }

 private:
  Cluster& cluster_;
  const Pending pending_;
};

inline Expectation Expect(Cluster& cluster, const Pending& pending) { return {cluster, pending}; }

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_EXPECT_H_
