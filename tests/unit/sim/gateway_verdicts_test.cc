// What is judged of calls through gateways: each row is a lie that must be found, or the truth.
#include "sim/workload/gateway_verdicts.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "core/proto/gateway.pb.h"
#include "tests/unit/sim/check_shard_story.h"

namespace lockstep::sim {
namespace {

using Kind = client::Outcome::Kind;

Instant At(int64_t nanoseconds) { return Instant(Duration(nanoseconds)); }

// Group 1 serves both shards; "key" = "value" is put there as often as a case wants.
class Judged {
 public:
  Judged() {
    story_.Join(1).Come(1, 1).Client(1, shard(), 0, 0);
    session_ = story_.index(1);
    recorder_.set_newest_version([this](uint32_t) { return newest(); });
  }
  uint32_t shard() const { return recorder_.ShardFor("key"); }
  Index newest() const { return story_.model().NewestVersion(shard()); }
  // Returns the version.
  uint64_t Execute() {
    story_.Client(1, shard(), session_, ++sequence_);
    return newest().value();
  }
  // A call without a session that put it.
  void Return(Kind kind, uint64_t index) {
    Recorder::Open open = recorder_.Invoke(
        At(++time_), recorder_.NewProcess(),
        {.body = kv::MakePut("key", "value"), .deadline = Duration(1), .page = {}});
    proto::GatewayRequest call;
    *call.mutable_command() = kv::MakePut("key", "value");
    recorder_.NoteName(kv::Encode(call), &open);
    client::Outcome outcome;
    outcome.kind = kind;
    outcome.result.set_code(proto::OK);
    if (kind == Kind::kOk) outcome.result.set_index(index);
    recorder_.Return(At(++time_), open, outcome);
  }
  void Read(std::optional<std::string> value, uint64_t version, bool stale = true,
            bool labelled = true) {
    proto::Query query = kv::MakeGet("key");
    query.set_stale(stale);
    const Recorder::Open open = recorder_.Invoke(
        At(++time_), recorder_.NewProcess(), {.body = query, .deadline = Duration(1), .page = {}});
    client::Outcome outcome;
    outcome.kind = Kind::kOk;
    outcome.result.set_code(proto::OK);
    outcome.result.set_stale(labelled);
    outcome.result.set_index(version);
    if (value.has_value()) outcome.result.set_value(*value);
    recorder_.Return(At(++time_), open, outcome);
  }
  std::string Verdict() {
    Findings findings;
    CheckExecutions(recorder_, story_.model(), findings);
    CheckStaleReads(recorder_, story_.model(), findings);
    EXPECT_EQ(story_.property(), "") << story_.evidence();
    return findings.first().has_value() ? findings.first()->property : "";
  }
  linearizability::History ByLog() const {
    return recorder_.HistoryByLog(
        [](const CommandIdentity&) { return Index(); },
        [this](const CommandIdentity& command) {
          const ContentsModel* contents = story_.model().ContentsOf(command.shard);
          return contents == nullptr ? std::vector<Index>()
                                     : contents->ExecutionsOf(command.content);
        });
  }

 private:
  ShardStory story_;
  const std::vector<std::string> keys_ = {"key"};
  Recorder recorder_{keys_, ShardStory::kShards};
  uint64_t session_ = 0;
  uint64_t sequence_ = 0;
  int64_t time_ = 0;
};

TEST(Executions, TheTruthPasses) {
  Judged judged;
  judged.Return(Kind::kOk, judged.Execute());
  judged.Return(Kind::kUnknown, 0);
  judged.Return(Kind::kNotExecuted, 0);
  EXPECT_EQ(judged.Verdict(), "");
  judged.Execute();  // The unknown one, after all.
  EXPECT_EQ(judged.Verdict(), "");
}

TEST(Executions, WhatWasNotExecutedMustNotBe) {
  Judged judged;
  judged.Execute();
  judged.Return(Kind::kNotExecuted, 0);
  EXPECT_EQ(judged.Verdict(), "Exactly-Once");
}

TEST(Executions, OnceIsNotTwice) {
  Judged judged;
  judged.Return(Kind::kOk, judged.Execute());
  judged.Execute();
  EXPECT_EQ(judged.Verdict(), "Exactly-Once");
}

TEST(Executions, TheAnswerNamesWhereItWasExecuted) {
  Judged judged;
  judged.Return(Kind::kOk, judged.Execute() + 1);
  EXPECT_EQ(judged.Verdict(), "Exactly-Once");
}

TEST(StaleReads, AreStatesThatWere) {
  const struct {
    std::optional<std::string> value;
    int64_t since;  // the write, in versions
    const char* want;
  } kRows[] = {{"value", 0, ""},
               {std::nullopt, -1, ""},
               {std::nullopt, 0, "Stale Reads"},
               {"value", -1, "Stale Reads"},
               {"other", 0, "Stale Reads"},
               {"value", 1, "Stale Reads"}};
  for (const auto& row : kRows) {
    Judged judged;
    const uint64_t written = judged.Execute();
    judged.Return(Kind::kOk, written);
    judged.Read(row.value, written + static_cast<uint64_t>(row.since));
    EXPECT_EQ(judged.Verdict(), row.want) << row.value.value_or("missing") << " " << row.since;
  }
}

TEST(StaleReads, WithoutAVersionAreSomethingThatTheKeyHeld) {
  for (const char* value : {"value", "never"}) {
    Judged judged;
    judged.Return(Kind::kOk, judged.Execute());
    judged.Read(value, 0);
    EXPECT_EQ(judged.Verdict(), value == std::string("value") ? "" : "Stale Reads");
  }
}

TEST(StaleReads, SayThatTheyAre) {
  for (const bool asked : {false, true}) {
    for (const bool labelled : {false, true}) {
      Judged judged;
      judged.Read(std::nullopt, 1, asked, labelled);
      EXPECT_EQ(judged.Verdict(), asked == labelled ? "" : "Stale Reads");
    }
  }
}

// Two calls without an answer, one execution: it was the one that began first, or none is wrong.
TEST(HistoryByLog, ExecutionsThatNobodyAccountsForAreOfOpenCalls) {
  Judged judged;
  judged.Return(Kind::kOk, judged.Execute());
  judged.Return(Kind::kUnknown, 0);
  judged.Return(Kind::kUnknown, 0);
  EXPECT_EQ(judged.ByLog().operations.size(), 1u) << "the open ones were never executed";
  const uint64_t version = judged.Execute();
  const linearizability::History history = judged.ByLog();
  ASSERT_EQ(history.operations.size(), 2u);
  EXPECT_EQ(history.operations[1].outcome, linearizability::Outcome::kUnknown);
  ASSERT_TRUE(history.operations[1].witness.has_value());
  EXPECT_EQ(history.operations[1].witness->index, version);
}

}  // namespace
}  // namespace lockstep::sim
