// What the recorder makes of operations over several keys.
#include "sim/workload/recorder.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::sim {
namespace {

const std::vector<std::string>& Keys() {
  static const auto& keys = *new std::vector<std::string>{"k00", "k01", "k02", "k03"};
  return keys;
}

PlannedOperation Read(const std::vector<std::string>& keys) {
  proto::Query query;
  for (const std::string& key : keys) query.mutable_get_many()->add_keys(key);
  return {.body = std::move(query), .deadline = Duration(1), .page = {}};
}

client::Outcome Answer(const std::vector<std::pair<std::string, std::string>>& pairs) {
  client::Outcome outcome;
  outcome.kind = client::Outcome::Kind::kOk;
  outcome.result.set_code(proto::OK);
  for (const auto& [key, value] : pairs) {
    proto::Pair* pair = outcome.result.add_pairs();
    pair->set_key(key);
    pair->set_value(value);
  }
  return outcome;
}

TEST(Recorder, AReadOfSeveralKeysTellsOfEach) {
  Recorder recorder(Keys());
  const Recorder::Open open =
      recorder.Invoke(Instant(Duration(5)), recorder.NewProcess(), Read({"k00", "k02", "k03"}));
  recorder.Return(Instant(Duration(9)), open, Answer({{"k00", "a"}, {"k03", "b"}}));
  const std::vector<linearizability::Operation>& history = recorder.history().operations;
  ASSERT_EQ(history.size(), 3u);
  const std::vector<std::optional<std::string>> want = {"a", std::nullopt, "b"};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(history[i].kind, linearizability::Kind::kGet);
    EXPECT_EQ(history[i].invoked, Instant(Duration(5)));
    ASSERT_EQ(history[i].result.has_value(), want[i].has_value()) << i;
    if (!want[i].has_value()) continue;
    EXPECT_EQ(history[i].result->view(), *want[i]);
  }
  EXPECT_EQ(recorder.counters().reads, 1u);
}

TEST(Recorder, ATornBatchIsTold) {
  const auto read = Read({PairName(0) + "a", PairName(0) + "b"});
  const auto told = [&](const client::Outcome& outcome) {
    Recorder recorder(Keys());
    recorder.Return(Instant(Duration(2)),
                    recorder.Invoke(Instant(Duration(1)), recorder.NewProcess(), read), outcome);
    return recorder.torn_batch();
  };
  EXPECT_EQ(told(Answer({})), "");
  EXPECT_EQ(told(Answer({{"{p0}a", "x"}, {"{p0}b", "x"}})), "");
  EXPECT_EQ(told(Answer({{"{p0}a", "x"}, {"{p0}b", "y"}})),
            "process 1 read of the pair {p0}\n{p0}a = x\n{p0}b = y");
  EXPECT_EQ(told(Answer({{"{p0}b", "y"}})), "process 1 read of the pair {p0}\n{p0}b = y");
}

TEST(Recorder, AMisplacedBatchMustBeRefused) {
  proto::Command command;
  for (const std::string key : {"k00", "k01"}) {
    proto::Put& put = *command.mutable_batch()->add_operations()->mutable_put();
    put.set_key(key);
    put.set_value("v" + key);
  }
  const PlannedOperation batch{
      .body = command, .deadline = Duration(1), .page = {}, .misplaced = true};
  using Kind = client::Outcome::Kind;
  for (const Kind kind : {Kind::kOk, Kind::kNotExecuted, Kind::kUnknown}) {
    Recorder recorder(Keys());
    client::Outcome outcome;
    outcome.kind = kind;
    recorder.Return(Instant(Duration(2)),
                    recorder.Invoke(Instant(Duration(1)), recorder.NewProcess(), batch), outcome);
    const std::string want =
        kind == Kind::kNotExecuted
            ? ""
            : "process 1 had a batch over several shards that was not refused\n"
              "k00 = vk00\nk01 = vk01";
    EXPECT_EQ(recorder.torn_batch(), want);
    EXPECT_TRUE(recorder.history().operations.empty());
  }
}

TEST(Recorder, AForgottenMisplacedBatchNeverHappened) {
  proto::Command command;
  command.mutable_batch()->add_operations()->mutable_put()->set_key("k00");
  command.mutable_batch()->add_operations()->mutable_put()->set_key("k01");
  Recorder recorder(Keys());
  const Recorder::Open open =
      recorder.Invoke(Instant(Duration(1)), recorder.NewProcess(),
                      {.body = command, .deadline = Duration(1), .page = {}, .misplaced = true});
  linearizability::History history;
  recorder.AppendOpen(open, &history);
  recorder.Abandon(open);
  EXPECT_TRUE(history.operations.empty());
  EXPECT_TRUE(recorder.history().operations.empty());
}

}  // namespace
}  // namespace lockstep::sim
