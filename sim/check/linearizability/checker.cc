#include "sim/check/linearizability/checker.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sim/check/linearizability/portfolio.h"
#include "sim/check/linearizability/shrink.h"

namespace lockstep::linearizability {
namespace {

constexpr size_t kShownOperationsMax = 40;

void Explain(const Counterexample& example, const History& history, std::string* text) {
  const auto line = [&](size_t i) { return Describe(history.operations[i]); };
  absl::StrAppend(text, "  ", example.reason, "\n  ", example.operations.size(), " of the ",
                  example.key_operations, " operations of this key are enough to show it:\n");
  for (size_t k = 0; k < example.operations.size() && k < kShownOperationsMax; ++k)
    absl::StrAppend(text, "    ", line(example.operations[k]), "\n");
  if (example.operations.size() > kShownOperationsMax)
    absl::StrAppend(text, "    and ", example.operations.size() - kShownOperationsMax, " more\n");
  if (!example.prefix.empty()) {
    absl::StrAppend(text,
                    "  before the return of the operation below they have an order, such as:\n");
    size_t shown = 0;
    for (size_t i : example.prefix) {
      if (shown++ == kShownOperationsMax) break;
      absl::StrAppend(text, "    ", shown, ". ", line(i), "\n");
    }
  }
  absl::StrAppend(text, "  cannot be placed:\n    ", line(example.unplaced), "\n");
  if (!example.blocking.has_value()) return;
  absl::StrAppend(text, "  in the way is that\n    ", line(example.blocking->first),
                  "\n  had returned when this was invoked:\n    ", line(example.blocking->second),
                  "\n");
}

}  // namespace

Report CheckHistory(const History& history, const Options& options) {
  Portfolio portfolio(history, options);
  Report report;
  report.verdict = portfolio.Run();
  report.keys = portfolio.keys();
  report.decided = portfolio.decided();
  report.steps = portfolio.steps();
  if (report.verdict == Verdict::kUndecided) {
    for (uint32_t i : portfolio.undecided()) report.undecided.push_back(history.operations[i].key);
  }
  if (report.verdict == Verdict::kViolation) {
    Shrinker shrinker(history, portfolio.finding(), options.shrink_steps_max);
    report.counterexample = shrinker.Run();
    report.steps += shrinker.steps();
  }
  return report;
}

std::string Describe(const Report& report, const History& history) {
  std::string text = absl::StrCat(Name(report.verdict), ": ", history.operations.size(),
                                  " operations, ", report.keys, " keys, ", report.steps, " steps");
  for (size_t i = 0; i < kAlgorithms; ++i) {
    if (report.decided[i] == 0) continue;
    absl::StrAppend(&text, ", ", report.decided[i], " by ", Name(static_cast<Algorithm>(i)));
  }
  text += "\n";
  for (const Bytes& key : report.undecided)
    absl::StrAppend(&text, "  no verdict within the budget for key ", Describe(Value(key)), "\n");
  if (report.counterexample.has_value()) {
    absl::StrAppend(&text, "  key ", Describe(Value(report.counterexample->key)), "\n");
    Explain(*report.counterexample, history, &text);
  }
  return text;
}

absl::string_view Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kLinearizable:
      return "linearizable";
    case Verdict::kViolation:
      return "not linearizable";
    case Verdict::kUndecided:
      return "undecided";
  }
  return "";
}

absl::string_view Name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kWitness:
      return "witness";
    case Algorithm::kZones:
      return "zones";
    case Algorithm::kFrontier:
      return "frontier";
    case Algorithm::kDepthFirst:
      return "depth-first search";
  }
  return "";
}

}  // namespace lockstep::linearizability
