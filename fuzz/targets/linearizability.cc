// The linearizability checker against one that tries all orders, on histories of a few operations:
// each algorithm alone, all of them together, and with so little budget that they take turns. A
// counterexample is a violation by itself.
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "tests/unit/linearizability/support.h"

namespace lockstep::fuzz {
namespace {

using namespace linearizability;

constexpr uint64_t kOperationsMax = 9;  // or all orders take too long
constexpr uint64_t kTimesMax = 24;

// Few values, some of them parts of others, as appends make them.
Value AnyValue(Input& input) {
  static constexpr absl::string_view kValues[] = {"", "a", "b", "ab", "c", "aa", "abc", "d"};
  const uint64_t which = input.Below(9);
  return which == 8 ? Value() : Text(kValues[which]);
}

Operation AnyOperation(Input& input) {
  Operation operation;
  operation.kind = static_cast<Kind>(input.Below(5));
  operation.key = Bytes::Copy(input.Below(4) == 0 ? "y" : "x");
  operation.value = AnyValue(input);
  operation.expected = AnyValue(input);
  const bool argument = operation.kind == Kind::kPut || operation.kind == Kind::kAppend;
  if (argument && !operation.value.has_value()) operation.value = Text("e");
  const uint64_t outcome = input.Below(8);
  operation.outcome = outcome == 0 ? Outcome::kUnknown : Outcome::kDone;
  if (operation.kind == Kind::kCompareAndSwap && outcome > 4) {
    operation.outcome = Outcome::kMismatch;
    operation.result_known = outcome != 7;
  }
  operation.result = AnyValue(input);
  operation.invoked = At(static_cast<int64_t>(input.Below(kTimesMax)));
  operation.returned = operation.invoked + Duration(input.Below(8));
  if (input.Below(3) == 0) operation.witness = Witness{input.Below(2), input.Below(12)};
  return operation;
}

// What happened in a store, or almost; or anything.
History AnyHistory(Input& input) {
  const uint64_t source = input.Below(3);
  if (source == 0) {
    History history;
    if (input.Flip()) history.initial = AnyValue(input);
    const uint64_t count = 1 + input.Below(kOperationsMax);
    for (uint64_t i = 0; i < count; ++i) {
      history.operations.push_back(AnyOperation(input));
      history.operations.back().process = i + 1;
    }
    return history;
  }
  Rng rng(input.Number(4));
  History history = Simulate(rng.Split("store"), RandomShape(rng, /*unique=*/source == 1));
  const uint64_t mutations = input.Below(6);
  for (uint64_t i = 0; i < mutations && !history.operations.empty(); ++i) Mutate(rng, &history);
  return history;
}

Verdict Narrow(const History& history) {
  Options options;
  options.use = {false, false, true, false};
  options.frontier_width = 1;
  options.slice_steps = 7;
  options.shrink_steps_max = 0;
  return CheckHistory(history, options).verdict;
}

void Expect(bool ok, const char* what, const History& history) {
  if (!ok) std::cerr << Dump(history);
  Check(ok, what);
}

void CheckCounterexample(const History& history, const Report& report) {
  Expect(report.counterexample.has_value(), "no counterexample", history);
  const Counterexample& example = *report.counterexample;
  Expect(!BruteForce(Part(history, example)), "the counterexample is right", history);
  Expect(example.prefix.size() < example.operations.size(), "it is placed as a whole", history);
  Expect(!example.reason.empty(), "no reason", history);
  (void)Describe(report, history);
}

void RunLinearizability(Input input) {
  const History history = AnyHistory(input);
  if (!Validate(history).ok()) return;
  const bool right = BruteForce(history);
  const Verdict want = right ? Verdict::kLinearizable : Verdict::kViolation;
  Expect(Only(Algorithm::kFrontier, history) == want, "frontier", history);
  Expect(Narrow(history) == want, "narrow frontier", history);
  Expect(Only(Algorithm::kDepthFirst, history) == want, "depth first", history);
  const Verdict zones = Only(Algorithm::kZones, history);
  Expect(zones == want || zones == Verdict::kUndecided, "zones", history);
  const Verdict witness = Only(Algorithm::kWitness, history);
  Expect(witness == Verdict::kUndecided || (right && witness == want), "witness", history);
  const Report report = CheckHistory(history);
  Expect(report.verdict == want, "together", history);
  if (!right) CheckCounterexample(history, report);
  Options little;
  little.steps_max = input.Below(64);
  const Verdict hasty = CheckHistory(history, little).verdict;
  Expect(hasty == want || hasty == Verdict::kUndecided, "with little budget", history);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunLinearizability(lockstep::fuzz::Input(data, size));
  return 0;
}
