// What is written down of calls, and what the checker says of it.
#include "sim/framework/history_recorder.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace lockstep::sim {
namespace {

using linearizability::Kind;
using linearizability::Operation;
using linearizability::Outcome;

constexpr Instant At(int64_t time) { return Instant(Duration(time)); }

Operation Put(const char* value) {
  Operation operation;
  operation.kind = Kind::kPut;
  operation.key = Bytes::Copy("x");
  operation.value = Bytes::Copy(value);
  return operation;
}

Operation Get() {
  Operation operation;
  operation.kind = Kind::kGet;
  operation.key = Bytes::Copy("x");
  return operation;
}

TEST(HistoryRecorder, TimesOnlyGrow) {
  HistoryRecorder recorder;
  const auto first = recorder.Invoke(At(5), Put("a"));
  recorder.Return(At(5), first);
  const auto second = recorder.Invoke(At(5), Get());
  recorder.Return(At(9), second, Bytes::Copy("a"));
  const linearizability::History history = recorder.history();
  ASSERT_EQ(history.operations.size(), 2u);
  EXPECT_LT(history.operations[0].invoked, history.operations[0].returned);
  EXPECT_LT(history.operations[0].returned, history.operations[1].invoked);
  EXPECT_EQ(history.operations[1].returned, At(9));
  Findings findings;
  recorder.CheckLinearizable(findings);
  EXPECT_FALSE(findings.first().has_value());
}

TEST(HistoryRecorder, AStaleReadIsFound) {
  HistoryRecorder recorder;
  for (const char* value : {"a", "b"}) {
    const auto call = recorder.Invoke(At(1), Put(value));
    recorder.Return(At(2), call);
  }
  const auto read = recorder.Invoke(At(3), Get());
  recorder.Return(At(4), read, Bytes::Copy("a"));
  Findings findings;
  recorder.CheckLinearizable(findings);
  ASSERT_TRUE(findings.first().has_value());
  EXPECT_EQ(findings.first()->property, "Linearizability");
  EXPECT_TRUE(absl::StrContains(findings.first()->evidence, "not linearizable"));
}

TEST(HistoryRecorder, WhatNobodyAnsweredMayHaveHappenedWhatWasRefusedHasNot) {
  for (const bool refused : {false, true}) {
    HistoryRecorder recorder;
    const auto lost = recorder.Invoke(At(1), Put("a"));
    if (refused) recorder.Refuse(lost);
    const auto read = recorder.Invoke(At(3), Get());
    recorder.Return(At(4), read, Bytes::Copy("a"));
    EXPECT_EQ(recorder.history().operations.size(), refused ? 1u : 2u);
    Findings findings;
    recorder.CheckLinearizable(findings);
    EXPECT_EQ(findings.first().has_value(), refused);
  }
}

TEST(HistoryRecorder, ASwapThatFoundAnotherValue) {
  HistoryRecorder recorder;
  Operation swap = Put("b");
  swap.kind = Kind::kCompareAndSwap;
  swap.expected = Bytes::Copy("a");
  const auto call = recorder.Invoke(At(1), swap);
  recorder.ReturnMismatch(At(2), call, {});
  EXPECT_EQ(recorder.history().operations[0].outcome, Outcome::kMismatch);
  Findings findings;
  recorder.CheckLinearizable(findings);
  EXPECT_FALSE(findings.first().has_value());
}

TEST(HistoryRecorderDeathTest, ACallReturnsOnce) {
  HistoryRecorder recorder;
  const auto call = recorder.Invoke(At(1), Put("a"));
  recorder.Return(At(2), call);
  EXPECT_DEATH(recorder.Return(At(3), call), "a call returns once");
}

}  // namespace
}  // namespace lockstep::sim
