// Thousands of small random histories of every model, right and broken ones, written out in each
// format, read back and judged: the verdict must be that of the checker that tries all orders.
#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "sim/check/history/write_json.h"
#include "tests/unit/history/texts.h"
#include "tests/unit/linearizability/support.h"

namespace lockstep::history {
namespace {

using linearizability::BruteForce;
using linearizability::Counterexample;
using linearizability::History;
using linearizability::Kind;
using linearizability::Mutate;
using linearizability::Operation;
using linearizability::Outcome;
using linearizability::RandomShape;
using linearizability::Report;
using linearizability::Shape;
using linearizability::Simulate;
using linearizability::Value;
using linearizability::Verdict;

constexpr uint64_t kHistories = 4000;

struct Case {
  std::string name;
  bool unique;
  // Takes from the shape what the format cannot say, and adds what it must be tested with.
  void (*shape)(Shape& shape);
  // The same for a history that has been broken, which may have anything.
  void (*adapt)(History& history);
  std::string (*write)(const History& history);

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

void NoSwaps(Shape& shape) {
  shape.swaps = false;
  shape.initial = linearizability::Text("");
}

void NoMismatches(History& history) {
  std::erase_if(history.operations,
                [](const Operation& o) { return o.outcome == Outcome::kMismatch; });
}

void Registers(Shape& shape) {
  shape.appends = false;
  shape.deletes = false;
  shape.swaps = true;
  shape.initial.reset();
}

void OneRegister(Shape& shape) {
  Registers(shape);
  shape.keys = 1;
}

// Numbers for values, and mismatches that say nothing: as a log has it.
void AsInLogs(History& history) {
  std::map<std::string, Value> numbers;
  const auto number = [&](Value& value) {
    if (!value.has_value()) return;
    const std::string text(value->view());
    const auto found = numbers.emplace(text, linearizability::Text(absl::StrCat(numbers.size())));
    value = found.first->second;
  };
  for (Operation& operation : history.operations) {
    operation.key = Bytes();
    if (operation.outcome == Outcome::kMismatch) {
      operation.result.reset();
      operation.result_known = false;
    }
    number(operation.value);
    number(operation.expected);
    number(operation.result);
    if (operation.kind == Kind::kDelete) operation.value.reset();
  }
}

void AsIs(History&) {}
void AnyShape(Shape&) {}

const Case kCases[] = {
    {"JsonOperations", false, AnyShape, AsIs, [](const History& h) { return WriteJson(h); }},
    {"JsonOperationsUnique", true, AnyShape, AsIs, [](const History& h) { return WriteJson(h); }},
    {"JsonOperationsRegister", false, Registers, AsIs,
     [](const History& h) { return WriteJson(h, Model::kRegister); }},
    {"JsonEvents", false, AnyShape, AsIs,
     [](const History& h) { return JsonEvents(h, Model::kKv); }},
    {"JsonEventsRegister", false, Registers, AsIs,
     [](const History& h) { return JsonEvents(h, Model::kRegister); }},
    {"EdnKv", false, NoSwaps, NoMismatches,
     [](const History& h) { return EdnEvents(h, Model::kKv); }},
    {"EdnKvUnique", true, NoSwaps, NoMismatches,
     [](const History& h) { return EdnEvents(h, Model::kKv); }},
    {"EdnRegister", false, Registers, NoMismatches,
     [](const History& h) { return EdnEvents(h, Model::kRegister); }},
    {"JepsenLog", false, OneRegister, AsInLogs, JepsenLog},
    {"JepsenLogUnique", true, OneRegister, AsInLogs, JepsenLog},
};

class RandomHistories : public testing::TestWithParam<Case> {};

// What a counterexample claims, again by trying all orders.
void CheckClaims(const Recorded& recorded, const Counterexample& example) {
  const History part = linearizability::Part(recorded.history, example);
  EXPECT_FALSE(BruteForce(part)) << Dump(recorded);
  ASSERT_TRUE(example.longest);
  const Instant cut = recorded.history.operations[example.unplaced].returned;
  const Bytes& key = recorded.history.operations[example.unplaced].key;
  History before;
  before.initial = recorded.history.initial;
  History until = before;
  for (const Operation& operation : recorded.history.operations) {
    if (operation.key != key || operation.invoked > cut) continue;
    const bool reads = operation.kind == Kind::kGet || operation.outcome == Outcome::kMismatch;
    const auto add = [&](History& to, bool late) {
      if (late && !operation.open() && reads) return;
      to.operations.push_back(late && !operation.open() ? linearizability::Open(operation)
                                                        : operation);
    };
    if (operation.invoked < cut) add(before, operation.returned >= cut);
    add(until, operation.returned > cut);
  }
  EXPECT_TRUE(BruteForce(before)) << Dump(recorded);
  EXPECT_FALSE(BruteForce(until)) << Dump(recorded);
}

TEST_P(RandomHistories, AreJudgedAsByBruteForce) {
  const Case& param = GetParam();
  uint64_t wrong = 0;
  uint64_t right = 0;
  uint64_t open = 0;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng = Rng(seed).Split(param.name);
    Shape shape = RandomShape(rng, param.unique);
    param.shape(shape);
    History history = Simulate(rng.Split("store"), shape);
    const uint64_t mutations = rng.Below(4);
    for (uint64_t i = 0; i < mutations; ++i) Mutate(rng, &history);
    param.adapt(history);
    if (history.operations.empty()) continue;
    const std::string text = param.write(history);
    const Recorded recorded = MustRead(text);
    ASSERT_EQ(recorded.history.operations.size(), history.operations.size()) << text;
    for (const Operation& operation : recorded.history.operations) open += operation.open();
    const bool linearizable = BruteForce(history);
    ASSERT_EQ(BruteForce(recorded.history), linearizable) << text;
    const Report report = CheckHistory(recorded.history);
    ASSERT_EQ(report.verdict, linearizable ? Verdict::kLinearizable : Verdict::kViolation) << text;
    ++(linearizable ? right : wrong);
    if (!linearizable) CheckClaims(recorded, *report.counterexample);
    if (HasFailure()) return;
  }
  // Tests that meet only one kind of history test nothing.
  EXPECT_GT(right, kHistories / 4);
  EXPECT_GT(wrong, kHistories / 10);
  EXPECT_GT(open, kHistories / 4);
}

INSTANTIATE_TEST_SUITE_P(Formats, RandomHistories, testing::ValuesIn(kCases),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace lockstep::history
