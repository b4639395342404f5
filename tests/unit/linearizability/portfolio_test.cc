// Budgets, the third verdict, wide windows, long values, and what a counterexample says.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/unit/linearizability/support.h"

namespace lockstep::linearizability {
namespace {

// Writers of texts that can be mistaken for each other, all at once, and a reader that saw one
// letter too many: hard for any search.
History Hard(absl::string_view key, int width) {
  static constexpr absl::string_view kTexts[] = {"a", "ab", "b", "ba", "abb", "bba"};
  History history;
  std::string value;
  for (int i = 0; i < width; ++i) {
    for (absl::string_view text : kTexts) {
      history.operations.push_back(On(key, Append(1, 1000, text)));
      absl::StrAppend(&value, text);
    }
  }
  value.back() = 'b';  // It is an "a" in "bba": no order ends like this.
  history.operations.push_back(On(key, Get(2000, 2001, Text(value))));
  return history;
}

TEST(Portfolio, SmallBudgetsGiveNoVerdict) {
  Options options;
  options.steps_max = 5000;
  const History history = Hard("hard", 12);
  const Report report = CheckHistory(history, options);
  EXPECT_EQ(report.verdict, Verdict::kUndecided);
  ASSERT_EQ(report.undecided.size(), 1U);
  EXPECT_EQ(report.undecided[0], Bytes::Copy("hard"));
  EXPECT_TRUE(absl::StrContains(Describe(report, history), "no verdict within the budget"));
  EXPECT_LT(report.steps, 20'000U);
}

TEST(Portfolio, ABudgetOfNothingDecidesNothing) {
  Options options;
  options.steps_max = 0;
  EXPECT_EQ(CheckHistory(Of({Get(1, 2, Text("a"))}), options).verdict, Verdict::kUndecided);
}

TEST(Portfolio, ShortMemoryGivesNoVerdict) {
  Options options;
  options.memory_bytes_max = 2'000;
  options.use = {false, false, true, false};
  EXPECT_EQ(CheckHistory(Hard("hard", 12), options).verdict, Verdict::kUndecided);
}

// A key that nobody can decide must not hide a plain violation in another.
TEST(Portfolio, AHardKeyDoesNotHideAnEasyViolation) {
  History history = Hard("a hard key", 12);
  // Duplicates, so that the search has to find it.
  for (const Operation& operation :
       {Put(1, 2, "a"), Put(3, 4, "a"), Put(5, 6, "b"), Get(7, 8, Text("a"))})
    history.operations.push_back(On("easy", operation));
  Options options;
  options.use = {true, false, true, true};
  options.steps_max = 2'000'000;
  const Report report = CheckHistory(history, options);
  ASSERT_EQ(report.verdict, Verdict::kViolation);
  EXPECT_EQ(report.counterexample->key, Bytes::Copy("easy"));
  EXPECT_LT(report.steps, 200'000U);
}

TEST(Portfolio, SameHistorySameReport) {
  Rng rng(3);
  Shape shape = RandomShape(rng, /*unique=*/false);
  shape.operations = 60;
  shape.processes = 6;
  shape.swaps = true;
  shape.open = {1, 10};
  History history = Simulate(Rng(11), shape);
  history.operations.push_back(On("k0", Get(100'000, 100'001, Text("nonsense"))));
  EXPECT_EQ(Describe(CheckHistory(history), history), Describe(CheckHistory(history), history));
}

// More than 64 operations open at a time, completed and not, spill into more words.
TEST(Portfolio, WindowsOfAnyWidth) {
  for (const bool stale : {false, true}) {
    History history;
    for (int i = 0; i < 100; ++i) {
      history.operations.push_back(Put(1, 1000, absl::StrCat("p", i)));
      history.operations.push_back(Open(Put(1, 0, absl::StrCat("o", i))));
    }
    for (int i = 0; i < 100; ++i) {
      history.operations.push_back(Get(2000 + 4 * i, 2001 + 4 * i, Text(absl::StrCat("o", i))));
    }
    if (stale) history.operations.push_back(Get(5000, 5001, Text("o50")));
    const Verdict want = stale ? Verdict::kViolation : Verdict::kLinearizable;
    EXPECT_EQ(Only(Algorithm::kFrontier, history), want);
    EXPECT_EQ(Only(Algorithm::kZones, history), want);
    EXPECT_EQ(CheckHistory(history).verdict, want);
  }
}

TEST(Portfolio, MegabyteValues) {
  const std::string large(1 << 20, 'x');
  History history;
  std::string value;
  for (int i = 0; i < 24; ++i) {
    const std::string text = absl::StrCat(large, i, ";");
    history.operations.push_back(Append(10 * i, 10 * i + 1, text));
    value = i % 8 == 0 ? text : value + text;
    if (i % 8 == 0) history.operations.back() = Put(10 * i, 10 * i + 1, text);
    history.operations.push_back(Get(10 * i + 2, 10 * i + 3, Text(value)));
  }
  EXPECT_EQ(Only(Algorithm::kFrontier, history), Verdict::kLinearizable);
  EXPECT_EQ(CheckHistory(history).verdict, Verdict::kLinearizable);
  history.operations.back().result = history.operations[history.operations.size() - 3].result;
  const Report report = CheckHistory(history);
  EXPECT_EQ(report.verdict, Verdict::kViolation);
  EXPECT_LT(Describe(report, history).size(), 20'000U);
}

TEST(Counterexample, NamesWhatCannotBePlacedAndWhatIsInTheWay) {
  std::vector<Operation> operations;
  for (int i = 0; i < 200; ++i) {
    operations.push_back(Put(10 * i, 10 * i + 2, absl::StrCat("v", i)));
    operations.push_back(Get(10 * i + 4, 10 * i + 6, Text(absl::StrCat("v", i))));
  }
  operations.push_back(Get(1500, 1501, Text("v120")));
  const History history = Of(operations);
  const Report report = CheckHistory(history);
  ASSERT_EQ(report.verdict, Verdict::kViolation);
  const Counterexample& example = *report.counterexample;
  EXPECT_EQ(example.key_operations, 401U);
  EXPECT_EQ(example.operations.size(), 3U) << Describe(report, history);
  EXPECT_EQ(example.unplaced, 400U);
  EXPECT_EQ(example.prefix.size(), 2U);
  ASSERT_TRUE(example.blocking.has_value());
  EXPECT_EQ(example.blocking->second, 400U);
  const std::string text = Describe(report, history);
  EXPECT_TRUE(absl::StrContains(text, "[1500, 1501] process 401: get \"x\" -> \"v120\"")) << text;
  EXPECT_TRUE(absl::StrContains(text, "in the way")) << text;
}

TEST(Counterexample, IsFoundBySearchAsWell) {
  std::vector<Operation> operations;
  for (int i = 0; i < 500; ++i) {
    operations.push_back(Put(10 * i, 10 * i + 7, absl::StrCat("v", i % 3)));
    operations.push_back(Delete(10 * i + 1, 10 * i + 7));
    operations.push_back(
        Get(10 * i + 8, 10 * i + 9, i % 2 == 0 ? Value() : Text(absl::StrCat("v", i % 3))));
  }
  operations.push_back(Get(3008, 3009, Text("v2")));  // number 300 wrote v0
  const History history = Of(operations);
  const Report report = CheckHistory(history);
  ASSERT_EQ(report.verdict, Verdict::kViolation);
  EXPECT_LE(report.counterexample->operations.size(), 260U) << Describe(report, history);
  EXPECT_EQ(report.counterexample->unplaced, 1500U) << Describe(report, history);
}

}  // namespace
}  // namespace lockstep::linearizability
