#include "sim/check/history/describe.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace lockstep::history {
namespace {

using linearizability::Counterexample;
using linearizability::Describe;
using linearizability::Operation;
using linearizability::Report;
using linearizability::Value;
using linearizability::Verdict;

constexpr size_t kShownPrefixMax = 8;
constexpr size_t kShownOperationsMax = 30;
constexpr size_t kShownKeysMax = 20;

std::string Plural(size_t count, absl::string_view word) {
  return absl::StrCat(count, " ", word, count == 1 ? "" : "s");
}

std::string NameOfKey(const Bytes& key) {
  return key.empty() ? "the register" : absl::StrCat("key ", Describe(Value(key)));
}

// Explains one counterexample, section by section.
class Explanation {
 public:
  Explanation(const Recorded& recorded, const Counterexample& example)
      : recorded_(recorded), example_(example) {}

  std::string Run() {
    absl::StrAppend(&text_, "  ", NameOfKey(example_.key), ", ",
                    Plural(example_.key_operations, "operation"), ": ", example_.reason, "\n");
    absl::StrAppend(&text_, recorded_.times_are_lines
                                ? "  (numbers in brackets are lines of the file)\n"
                                : "  (numbers in brackets are the times of the file)\n");
    Prefix();
    absl::StrAppend(&text_, "  cannot be placed:\n");
    Line("    ", example_.unplaced);
    Block();
    Evidence();
    return std::move(text_);
  }

 private:
  void Line(absl::string_view before, size_t operation) {
    absl::StrAppend(&text_, before, DescribeOperation(recorded_, operation), "\n");
  }

  void Prefix() {
    const bool whole = !example_.key_prefix.empty();
    const std::vector<size_t>& prefix = whole ? example_.key_prefix : example_.prefix;
    if (example_.longest && !whole) {
      absl::StrAppend(&text_, "  the longest linearizable prefix ends before ", Moment(),
                      "; an order for all of it was not looked for any longer\n");
    }
    if (prefix.empty()) {
      if (whole || example_.prefix.empty())
        absl::StrAppend(&text_, "  nothing before ", Moment(), " needs a place\n");
      return;
    }
    absl::StrAppend(&text_, "  ",
                    whole ? "the longest linearizable prefix of the key"
                          : "the longest linearizable prefix of what is shown below",
                    " ends before ", Moment(), "; an order for it, ",
                    Plural(prefix.size(), "operation"), ":\n");
    const size_t begin = prefix.size() - std::min(prefix.size(), kShownPrefixMax);
    if (begin > 0) absl::StrAppend(&text_, "    ... ", begin, " before\n");
    for (size_t i = begin; i < prefix.size(); ++i)
      Line(absl::StrCat("    ", i + 1, ". "), prefix[i]);
  }

  std::string Moment() const {
    const uint32_t line = recorded_.lines[example_.unplaced].returned;
    if (recorded_.times_are_lines) return absl::StrCat("line ", line);
    const Operation& operation = recorded_.history.operations[example_.unplaced];
    return absl::StrCat("time ", operation.returned.time_since_epoch().count());
  }

  void Block() {
    if (!example_.blocking.has_value()) return;
    const auto& [first, second] = *example_.blocking;
    absl::StrAppend(&text_, "  in the way is that\n");
    Line("    ", first);
    absl::StrAppend(&text_, "  had returned when this was invoked:\n");
    Line("    ", second);
  }

  void Evidence() {
    absl::StrAppend(&text_, "  enough to show it, ", example_.operations.size(), " of ",
                    example_.key_operations, ":\n");
    for (size_t i = 0; i < example_.operations.size() && i < kShownOperationsMax; ++i)
      Line("    ", example_.operations[i]);
    if (example_.operations.size() > kShownOperationsMax)
      absl::StrAppend(&text_, "    and ", example_.operations.size() - kShownOperationsMax,
                      " more\n");
  }

  const Recorded& recorded_;
  const Counterexample& example_;
  std::string text_;
};

}  // namespace

std::string DescribeWork(const Recorded& recorded, const Report& report) {
  const std::vector<Operation>& operations = recorded.history.operations;
  const auto open = std::count_if(operations.begin(), operations.end(),
                                  [](const Operation& operation) { return operation.open(); });
  std::string text = Plural(operations.size(), "operation");
  if (open > 0) absl::StrAppend(&text, " (", open, " open)");
  absl::StrAppend(&text, " on ", Plural(report.keys, "key"));
  absl::string_view before = ", by ";
  for (size_t i = 0; i < linearizability::kAlgorithms; ++i) {
    if (report.decided[i] == 0) continue;
    absl::StrAppend(&text, before, Name(static_cast<linearizability::Algorithm>(i)));
    before = " and ";
  }
  return text;
}

std::string DescribeFinding(const Recorded& recorded, const Report& report) {
  if (report.counterexample.has_value()) return Explanation(recorded, *report.counterexample).Run();
  std::string text;
  for (size_t i = 0; i < report.undecided.size() && i < kShownKeysMax; ++i) {
    absl::StrAppend(&text, "  no verdict for ", NameOfKey(report.undecided[i]),
                    " within the budget of steps and memory\n");
  }
  if (report.undecided.size() > kShownKeysMax)
    absl::StrAppend(&text, "  and ", report.undecided.size() - kShownKeysMax, " more keys\n");
  return text;
}

std::string DescribeOperation(const Recorded& recorded, size_t operation) {
  std::string text = Describe(recorded.history.operations[operation]);
  if (!recorded.times_are_lines)
    absl::StrAppend(&text, "  (line ", recorded.lines[operation].invoked, ")");
  return text;
}

}  // namespace lockstep::history
