// Pairs of keys that only batches write: a batch is one write of the history and a read of both one
// read, and a read that sees half of a batch is found.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/kv/command.h"
#include "sim/workload/operation_source.h"
#include "sim/workload/recorder.h"
#include "tests/unit/sim/workload_bench.h"

namespace lockstep::sim {
namespace {

using linearizability::Kind;
using linearizability::Operation;
using linearizability::Value;

Value Text(absl::string_view text) { return Bytes::Copy(text); }
Instant At(int64_t time) { return Instant(Duration(time)); }

PlannedOperation Planned(std::variant<proto::Command, proto::Query> body) {
  return {.body = std::move(body), .deadline = Duration(1000), .page = {}};
}

proto::Command BatchOf(const std::string& value) {
  return kv::MakeBatch({kv::MakePut("{p0}a", value), kv::MakePut("{p0}b", value)});
}

proto::Query BothKeys() { return kv::MakeGetMany({"{p0}a", "{p0}b"}); }

client::Outcome Answer(const std::vector<std::pair<std::string, std::string>>& pairs,
                       uint64_t index = 7) {
  client::Outcome outcome{.kind = client::Outcome::Kind::kOk, .status = {}, .result = {}};
  outcome.result.set_code(proto::OK);
  outcome.result.set_index(index);
  for (const auto& [key, value] : pairs) {
    proto::Pair& pair = *outcome.result.add_pairs();
    pair.set_key(key);
    pair.set_value(value);
  }
  return outcome;
}

class Recording {
 public:
  // A call of process 1 and its answer.
  const Operation& Call(std::variant<proto::Command, proto::Query> body,
                        const client::Outcome& outcome) {
    const Recorder::Open open = recorder.Invoke(At(10), 1, Planned(std::move(body)));
    recorder.Return(At(20), open, outcome);
    return recorder.history().operations.back();
  }

  const std::vector<std::string> keys = {"k00"};
  Recorder recorder{keys};
};

// --- Names

TEST(Pairs, AreKnownByTheTagOfTheirKeys) {
  EXPECT_EQ(PairName(3), "{p3}");
  EXPECT_EQ(PairOf("{p3}a"), "{p3}");
  EXPECT_EQ(PairOf("{p12}b"), "{p12}");
  EXPECT_EQ(PairOf("k00"), "");
  EXPECT_EQ(PairOf("{t1}k00"), "");
  EXPECT_EQ(PairOf(""), "");
}

// --- The recorder

TEST(Pairs, ABatchIsOneWrite) {
  Recording recording;
  const Operation& put = recording.Call(BatchOf("v"), Answer({}));
  EXPECT_EQ(put.kind, Kind::kPut);
  EXPECT_EQ(put.key, Bytes::Copy("{p0}"));
  EXPECT_EQ(put.value, Text("v"));
  EXPECT_EQ(put.outcome, linearizability::Outcome::kDone);
  EXPECT_EQ(put.witness->index, 7u);
  EXPECT_EQ(recording.recorder.counters().writes, 1u);
}

TEST(Pairs, ABatchThatComparesIsOneSwap) {
  const proto::Command batch =
      kv::MakeBatch({kv::MakeCompareAndSwap("{p0}a", "old", "new"), kv::MakePut("{p0}b", "new")});
  Recording recording;
  const Operation swap = recording.Call(batch, Answer({}));
  EXPECT_EQ(swap.kind, Kind::kCompareAndSwap);
  EXPECT_EQ(swap.key, Bytes::Copy("{p0}"));
  EXPECT_EQ(swap.expected, Text("old"));
  EXPECT_EQ(swap.value, Text("new"));
  client::Outcome conflict = Answer({});
  conflict.result.set_code(proto::CONFLICT);
  conflict.result.set_value("other");
  const Operation& mismatch = recording.Call(batch, conflict);
  EXPECT_EQ(mismatch.outcome, linearizability::Outcome::kMismatch);
  EXPECT_EQ(mismatch.result, Text("other"));
  EXPECT_EQ(recording.recorder.counters().swaps_failed, 1u);
}

TEST(Pairs, AReadOfBothIsOneRead) {
  Recording recording;
  const Operation missing = recording.Call(BothKeys(), Answer({}));
  EXPECT_EQ(missing.kind, Kind::kGet);
  EXPECT_EQ(missing.key, Bytes::Copy("{p0}"));
  EXPECT_EQ(missing.result, std::nullopt);
  const Operation& found = recording.Call(BothKeys(), Answer({{"{p0}a", "v"}, {"{p0}b", "v"}}));
  EXPECT_EQ(found.result, Text("v"));
  EXPECT_EQ(recording.recorder.counters().reads, 2u);
  EXPECT_EQ(recording.recorder.torn_batch(), "");
}

TEST(Pairs, HalfOfABatchIsRemembered) {
  const std::vector<std::vector<std::pair<std::string, std::string>>> halves = {
      {{"{p0}a", "new"}, {"{p0}b", "old"}}, {{"{p0}a", "new"}}, {{"{p0}b", "new"}}};
  for (const auto& half : halves) {
    Recording recording;
    recording.Call(BothKeys(), Answer(half));
    EXPECT_EQ(recording.recorder.torn_batch().find("process 1 read of the pair {p0}\n{p0}"), 0u)
        << recording.recorder.torn_batch();
  }
}

TEST(Pairs, TheFirstOneIsEvidence) {
  Recording recording;
  recording.Call(BothKeys(), Answer({{"{p0}a", "1"}}));
  const std::string first = recording.recorder.torn_batch();
  recording.Call(BothKeys(), Answer({{"{p0}a", "2"}}));
  EXPECT_EQ(recording.recorder.torn_batch(), first);
}

// A batch that was given up is found again in the log, or was never executed.
TEST(Pairs, ABatchMayStayOpen) {
  Recording recording;
  recording.Call(BatchOf("v"),
                 {.kind = client::Outcome::Kind::kUnknown, .status = {}, .result = {}});
  ASSERT_EQ(recording.recorder.history().operations.size(), 1u);
  const Operation& open = recording.recorder.history().operations[0];
  EXPECT_TRUE(open.open());
  EXPECT_EQ(open.key, Bytes::Copy("{p0}"));
  const linearizability::History executed =
      recording.recorder.HistoryByLog([](const CommandIdentity&) { return Index(9); });
  ASSERT_EQ(executed.operations.size(), 1u);
  EXPECT_EQ(executed.operations[0].witness->index, 9u);
  const linearizability::History lost =
      recording.recorder.HistoryByLog([](const CommandIdentity&) { return Index(); });
  EXPECT_TRUE(lost.operations.empty());
}

// Answers put together of several groups name no place in one log.
TEST(Pairs, AnAnswerWithoutAnIndexIsNoWitness) {
  Recording recording;
  const Operation& read = recording.Call(kv::MakeGet("k00"), Answer({}, /*index=*/0));
  EXPECT_FALSE(read.witness.has_value());
}

// --- What is drawn

WorkloadOptions OnlyPairs() {
  WorkloadOptions options = Busy();
  options.pairs = 2;
  options.mix = {.batch = 10, .get_many = 10};
  return options;
}

TEST(Pairs, BatchesWriteBothKeysAndExpectWhatWasSeen) {
  OperationSource source(OnlyPairs(), Rng(1));
  EXPECT_EQ(source.pairs(), 2u);
  source.OnPairSeen("{p1}", "seen");
  std::set<std::string> written;
  std::set<std::string> expected;
  int swaps = 0;
  int reads = 0;
  while (const std::optional<PlannedOperation> planned = source.Next(3, std::nullopt)) {
    if (const auto* query = std::get_if<proto::Query>(&planned->body)) {
      ASSERT_EQ(query->get_many().keys_size(), 2);
      EXPECT_EQ(PairOf(query->get_many().keys(0)), PairOf(query->get_many().keys(1)));
      ++reads;
      continue;
    }
    const proto::Batch& batch = std::get<proto::Command>(planned->body).batch();
    ASSERT_EQ(batch.operations_size(), 2);
    const proto::BatchOperation& first = batch.operations(0);
    const proto::Put& second = batch.operations(1).put();
    const bool swap = first.has_compare_and_swap();
    const std::string key = swap ? first.compare_and_swap().key() : first.put().key();
    EXPECT_EQ(swap ? first.compare_and_swap().value() : first.put().value(), second.value());
    EXPECT_EQ(std::string(PairOf(key)) + "a", key);
    EXPECT_EQ(std::string(PairOf(key)) + "b", second.key());
    EXPECT_TRUE(written.insert(second.value()).second) << "a value twice";
    if (!swap) continue;
    ++swaps;
    EXPECT_EQ(first.compare_and_swap().has_expected(), PairOf(key) == "{p1}");
    if (first.compare_and_swap().has_expected()) {
      expected.insert(first.compare_and_swap().expected());
    }
  }
  EXPECT_GT(reads, 200);
  EXPECT_GT(swaps, 50);
  EXPECT_GT(written.size(), 200u);
  EXPECT_EQ(expected, std::set<std::string>{"seen"});
}

TEST(Pairs, WhoOnlyReadsWritesNoBatch) {
  WorkloadOptions options = OnlyPairs();
  options.readers = 1;
  OperationSource source(options, Rng(1));
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(std::holds_alternative<proto::Query>(source.Next(1, std::nullopt)->body));
  }
}

TEST(Tags, KeysShareThem) {
  WorkloadOptions options = Busy();
  options.keys = 5;
  options.tags = 2;
  const OperationSource source(options, Rng(1));
  EXPECT_EQ(source.keys(),
            (std::vector<std::string>{"{t0}k00", "{t0}k02", "{t0}k04", "{t1}k01", "{t1}k03"}));
}

// --- Whole workloads

// Each write of a bulk is on its own, whatever became of the others.
TEST(Bulk, EachPartIsAWriteOfItsOwn) {
  const std::vector<std::string> keys = {"a", "b", "c"};
  Recorder recorder(keys);
  PlannedOperation planned = Planned(
      kv::MakeBatch({kv::MakePut("a", "1"), kv::MakeAppend("b", "2"), kv::MakePut("c", "3")}));
  planned.bulk = true;
  Recorder::Open open = recorder.Invoke(At(10), 1, std::move(planned));
  proto::ClientRequest request;
  *request.mutable_command() = kv::InSession(kv::MakeBatch({kv::MakeAppend("b", "2")}),
                                             SessionId(9), /*sequence=*/4, /*first_outstanding=*/4);
  recorder.NoteName(kv::Encode(request), &open);
  client::Outcome unknown;
  client::Outcome not_executed;
  not_executed.kind = client::Outcome::Kind::kNotExecuted;
  client::Outcome whole;
  whole.each = {Answer({}, /*index=*/5), unknown, not_executed};
  recorder.Return(At(20), open, whole);
  const std::vector<Operation>& operations = recorder.history().operations;
  ASSERT_EQ(operations.size(), 2u);
  EXPECT_EQ(operations[0].key, Bytes::Copy("a"));
  EXPECT_EQ(operations[0].outcome, linearizability::Outcome::kDone);
  EXPECT_EQ(operations[1].key, Bytes::Copy("b"));
  EXPECT_EQ(operations[1].outcome, linearizability::Outcome::kUnknown);
  EXPECT_NE(operations[0].process, operations[1].process);
  const auto found = recorder.HistoryByLog([](const CommandIdentity& command) {
    return command.session == SessionId(9) && command.sequence == 4 ? Index(8) : Index();
  });
  ASSERT_EQ(found.operations.size(), 2u) << "the open part is found by the name it went by";
  EXPECT_EQ(found.operations[1].witness->index, 8u);
}

TEST(Pairs, PassOverAPerfectStore) {
  WorkloadOptions options = Busy();
  options.pairs = 2;
  options.tags = 2;
  options.mix.batch = 8;
  options.mix.get_many = 8;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Bench bench(options, seed, {.lose_request = 8, .lose_reply = 8});
    bench.Run(kLong);
    bench.workload().BeginFinalRound();
    bench.Run(kLong);
    EXPECT_TRUE(bench.workload().Done());
    EXPECT_EQ(bench.Verdict(), "") << seed << "\n" << bench.evidence();
  }
}

TEST(Pairs, TheFinalRoundReadsThem) {
  WorkloadOptions options = OnlyPairs();
  options.operations = 1;
  Bench bench(options, 1, {});
  bench.Run(kLong);
  const uint64_t reads = bench.Counter("reads answered");
  bench.workload().BeginFinalRound();
  bench.Run(kLong);
  EXPECT_EQ(bench.Counter("reads answered"), reads + 4 * (3 + 2 + 1)) << "keys, pairs, its own";
}

// In nearly all runs: what nobody reads before it is overwritten nobody can find.
TEST(Pairs, HalfABatchIsFound) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Bench bench(OnlyPairs(), seed, {.torn_batch = 20});
    bench.Run(kLong);
    if (bench.Verdict() != "Atomicity") continue;
    ++found;
    EXPECT_NE(bench.evidence().find("read of the pair {p"), std::string::npos) << bench.evidence();
  }
  EXPECT_GE(found, 9);
}

TEST(Pairs, AStaleReadOfAPairIsFound) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Bench bench(OnlyPairs(), seed, {.stale_read = 10});
    bench.Run(kLong);
    found += bench.Verdict() == "Linearizability";
  }
  EXPECT_GE(found, 9);
}

}  // namespace
}  // namespace lockstep::sim
