// Histories written by hand: what a client must and must not be able to see. Each row is judged by
// the whole checker and by each algorithm that can decide it alone.
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "tests/unit/linearizability/support.h"

namespace lockstep::linearizability {
namespace {

struct Row {
  std::string name;
  bool linearizable;
  std::vector<Operation> operations;
  Value initial = std::nullopt;
  std::string reason = "";  // a part of what the counterexample must say
};

const Value kNone = std::nullopt;

std::vector<Row> RightRows() {
  return {
      {"nothing at all", true, {}},
      {"a missing key is missing", true, {Get(1, 2, kNone)}},
      {"a foreign store begins with empty", true, {Get(1, 2, Text(""))}, Text("")},
      {"read your write", true, {Put(1, 2, "a"), Get(3, 4, Text("a"))}},
      {"reads around a concurrent write",
       true,
       {Put(1, 10, "a"), Get(2, 3, kNone), Get(4, 5, Text("a"))}},
      {"touching intervals are concurrent", true, {Put(1, 5, "a"), Get(5, 6, kNone)}},
      {"an empty value is not a missing one", true, {Put(1, 2, ""), Get(3, 4, Text(""))}},
      // One of the puts hides the last swap right before another put: that must count as its work.
      {"two swaps take a value that three puts write",
       true,
       {Cas(1, 5, Text("a"), Text("b")), Cas(1, 5, Text("a"), Text("c")), Put(1, 5, "a"),
        Put(1, 5, "a"), Put(1, 5, "a")}},
      {"append to a missing key", true, {Append(1, 2, "a"), Get(3, 4, Text("a"))}},
      {"concurrent appends in either order",
       true,
       {Append(1, 5, "a;"), Append(1, 5, "b;"), Get(6, 7, Text("b;a;"))}},
      {"put, delete, missing", true, {Put(1, 2, "a"), Delete(3, 4), Get(5, 6, kNone)}},
      {"cas creates and deletes",
       true,
       {Cas(1, 2, kNone, Text("a")), Cas(3, 4, Text("a"), kNone), Get(5, 6, kNone)}},
      {"cas fails and says why",
       true,
       {Put(1, 2, "a"), Mismatch(3, 4, Text("b"), Text("c"), Text("a")), Get(5, 6, Text("a"))}},
      {"cas fails and does not say why",
       true,
       {Put(1, 2, "a"), BareMismatch(3, 4, Text("b"), Text("c")), Get(5, 6, Text("a"))}},
      {"cas on a missing key fails", true, {Mismatch(1, 2, Text("a"), Text("b"), kNone)}},
      {"an open write that took effect", true, {Open(Put(1, 2, "a")), Get(8, 9, Text("a"))}},
      {"an open write that never did", true, {Open(Put(1, 2, "a")), Get(8, 9, kNone)}},
      {"an open write that did late",
       true,
       {Open(Put(1, 2, "a")), Get(8, 9, kNone), Get(10, 11, Text("a"))}},
      {"an open cas that took effect",
       true,
       {Put(1, 2, "a"), Open(Cas(3, 4, Text("a"), Text("b"))), Get(8, 9, Text("b"))}},
      {"keys are apart", true, {On("x", Put(1, 2, "a")), On("y", Get(3, 4, kNone))}},
      {"an appended text may be empty",
       true,
       {Append(1, 2, ""), Get(3, 4, Text("")), Append(5, 6, "a"), Get(7, 8, Text("a"))}},
  };
}

std::vector<Row> WrongReads() {
  return {
      {"stale read", false, {Put(1, 2, "a"), Put(3, 4, "b"), Get(5, 6, Text("a"))}, kNone, "stale"},
      {"stale read of the initial state",
       false,
       {Put(1, 2, "a"), Get(3, 4, kNone)},
       kNone,
       "initial state"},
      {"read from the future", false, {Get(1, 2, Text("a")), Put(3, 4, "a")}, kNone, "future"},
      {"a value never written", false, {Put(1, 2, "a"), Get(3, 4, Text("z"))}, kNone, "phantom"},
      {"reads go back",
       false,
       {Put(1, 2, "a"), Put(3, 20, "b"), Get(5, 6, Text("b")), Get(7, 8, Text("a"))}},
      {"two readers disagree on the order",
       false,
       {Put(1, 20, "a"), Put(1, 20, "b"), Get(2, 3, Text("a")), Get(4, 5, Text("b")),
        Get(6, 7, Text("a"))}},
      {"missing instead of empty", false, {Put(1, 2, ""), Get(3, 4, kNone)}},
      {"empty instead of missing", false, {Get(3, 4, Text(""))}, kNone, "phantom"},
      {"missing in a store that begins with empty", false, {Get(3, 4, kNone)}, Text("")},
      {"an open write seen and then gone",
       false,
       {Put(1, 2, "a"), Open(Put(3, 4, "b")), Get(5, 6, Text("b")), Get(7, 8, Text("a"))}},
      {"an open write seen before it was invoked",
       false,
       {Get(1, 2, Text("a")), Open(Put(3, 4, "a")), Get(5, 6, Text("a"))},
       kNone,
       "future"},
      {"the other key is wrong",
       false,
       {On("x", Put(1, 2, "a")), On("x", Get(3, 4, Text("a"))), On("y", Get(5, 6, Text("a")))}},
  };
}

std::vector<Row> WrongWrites() {
  return {
      {"lost update",
       false,
       {Put(1, 2, "0"), Cas(3, 9, Text("0"), Text("a")), Cas(3, 9, Text("0"), Text("b"))},
       kNone,
       "lost update"},
      {"a swap that succeeded twice",
       false,
       {Put(1, 2, "0"), Cas(3, 4, Text("0"), Text("a")), Cas(5, 6, Text("0"), Text("a")),
        Get(7, 8, Text("a"))}},
      {"two creations",
       false,
       {Cas(1, 9, kNone, Text("a")), Cas(1, 9, kNone, Text("b"))},
       kNone,
       "lost update"},
      {"acknowledged append is gone",
       false,
       {Append(1, 2, "a;"), Append(3, 4, "b;"), Get(5, 6, Text("b;"))}},
      {"double append", false, {Append(1, 2, "a;"), Get(3, 4, Text("a;a;"))}, kNone, "duplicate"},
      {"an open append applied twice",
       false,
       {Append(1, 2, "a;"), Open(Append(3, 4, "b;")), Get(5, 6, Text("a;b;b;"))},
       kNone,
       "duplicate"},
      {"forked prefixes",
       false,
       {Append(1, 9, "a;"), Append(1, 9, "b;"), Get(10, 11, Text("a;b;")),
        Get(10, 11, Text("b;a;"))}},
      {"forked tails",
       false,
       {Append(1, 2, "a;"), Append(3, 20, "b;"), Append(3, 20, "c;"), Get(4, 5, Text("a;b;")),
        Get(6, 7, Text("a;c;"))},
       kNone,
       "lost update"},
      {"appended in the wrong order",
       false,
       {Append(1, 2, "a;"), Append(3, 4, "b;"), Get(5, 6, Text("b;a;"))}},
      {"a put in the middle of a string",
       false,
       {Put(1, 9, "a;"), Put(1, 9, "b;"), Get(10, 11, Text("a;b;"))},
       kNone,
       "phantom"},
      {"resurrected delete",
       false,
       {Put(1, 2, "a"), Delete(3, 4), Get(5, 6, kNone), Get(7, 8, Text("a"))}},
      {"delete without effect", false, {Put(1, 2, "a"), Delete(3, 4), Get(5, 6, Text("a"))}},
      {"append survives a delete",
       false,
       {Append(1, 2, "a;"), Delete(3, 4), Append(5, 6, "b;"), Get(7, 8, Text("a;b;"))}},
      {"a mismatch that found what it expected",
       false,
       {Put(1, 2, "a"), Mismatch(3, 4, Text("a"), Text("b"), Text("a"))},
       kNone,
       "impossible"},
      {"a mismatch that found a value never written",
       false,
       {Put(1, 2, "a"), Mismatch(3, 4, Text("b"), Text("c"), Text("z"))},
       kNone,
       "phantom"},
      {"a mismatch that found an old value",
       false,
       {Put(1, 2, "a"), Put(3, 4, "b"), Mismatch(5, 6, Text("c"), Text("d"), Text("a"))}},
      {"a bare mismatch on the value that was there",
       false,
       {Put(1, 2, "a"), BareMismatch(3, 4, Text("a"), Text("b"))}},
      {"a failed swap that took effect",
       false,
       {Put(1, 2, "a"), Mismatch(3, 4, Text("z"), Text("b"), Text("a")), Get(5, 6, Text("b"))}},
      {"a swap whose expectation was gone",
       false,
       {Put(1, 2, "a"), Put(3, 4, "b"), Cas(5, 6, Text("a"), Text("c"))}},
      {"swaps that need each other",
       false,
       {Cas(1, 9, Text("a"), Text("b")), Cas(1, 9, Text("b"), Text("a"))},
       kNone,
       "phantom"},
      {"an open swap cannot help",
       false,
       {Put(1, 2, "a"), Open(Cas(3, 4, Text("z"), Text("b"))), Get(5, 6, Text("b"))}},
  };
}

void Judge(const Row& row) {
  SCOPED_TRACE(row.name);
  History history = Of(row.operations);
  history.initial = row.initial;
  ASSERT_TRUE(Validate(history).ok());
  ASSERT_EQ(BruteForce(history), row.linearizable);
  const Verdict want = row.linearizable ? Verdict::kLinearizable : Verdict::kViolation;
  const Report report = CheckHistory(history);
  const std::string text = Describe(report, history);
  EXPECT_EQ(report.verdict, want) << text;
  EXPECT_EQ(Only(Algorithm::kFrontier, history), want);
  EXPECT_EQ(Only(Algorithm::kDepthFirst, history), want);
  const Verdict zones = Only(Algorithm::kZones, history);
  if (zones != Verdict::kUndecided) {
    EXPECT_EQ(zones, want);
  }
  EXPECT_TRUE(absl::StrContains(text, row.reason)) << text;
}

TEST(Verdicts, RightHistoriesAreAccepted) {
  for (const Row& row : RightRows()) Judge(row);
}

TEST(Verdicts, WrongReadsAreRejected) {
  for (const Row& row : WrongReads()) Judge(row);
}

TEST(Verdicts, WrongWritesAreRejected) {
  for (const Row& row : WrongWrites()) Judge(row);
}

Operation Witnessed(uint64_t epoch, uint64_t index, Operation operation) {
  operation.witness = Witness{epoch, index};
  return operation;
}

TEST(Witness, ReplaysLogOrderWithReadsBehindTheirIndex) {
  const History history = Of({Witnessed(1, 2, Put(1, 9, "b")), Witnessed(1, 1, Put(1, 9, "a")),
                              Witnessed(1, 1, Get(2, 8, Text("a"))),
                              Witnessed(2, 1, Append(2, 8, "c")),  // a later epoch counts anew
                              Witnessed(2, 1, Get(7, 9, Text("bc")))});
  EXPECT_EQ(Only(Algorithm::kWitness, history), Verdict::kLinearizable);
}

TEST(Witness, OpenOperationsAreFoundWhereTheyAreNeeded) {
  const History history =
      Of({Witnessed(0, 1, Put(1, 2, "a;")), Open(Append(1, 2, "b;")), Open(Put(1, 2, "z;")),
          Witnessed(0, 3, Append(3, 4, "c;")), Witnessed(0, 3, Get(5, 6, Text("a;b;c;")))});
  EXPECT_EQ(Only(Algorithm::kWitness, history), Verdict::kLinearizable);
}

// The store may lie about its order, or tell the truth about a wrong one: neither is a verdict.
TEST(Witness, AWrongWitnessIsNoVerdict) {
  const History right = Of({Witnessed(0, 2, Put(1, 2, "a")), Witnessed(0, 1, Put(3, 4, "b")),
                            Witnessed(0, 1, Get(5, 6, Text("b")))});
  EXPECT_EQ(Only(Algorithm::kWitness, right), Verdict::kUndecided);
  EXPECT_EQ(CheckHistory(right).verdict, Verdict::kLinearizable);

  const History stale = Of({Witnessed(0, 1, Put(1, 2, "a")), Witnessed(0, 2, Put(3, 4, "b")),
                            Witnessed(0, 1, Get(5, 6, Text("a")))});
  EXPECT_EQ(Only(Algorithm::kWitness, stale), Verdict::kUndecided);
  EXPECT_EQ(CheckHistory(stale).verdict, Verdict::kViolation);
}

TEST(Validation, RefusesWhatIsNoHistory) {
  Operation no_value = Put(1, 2, "a");
  no_value.value.reset();
  Operation never_returned = Put(1, 2, "a");
  never_returned.returned = kNever;
  Operation odd_mismatch = Get(1, 2, kNone);
  odd_mismatch.outcome = Outcome::kMismatch;
  for (const Operation& bad : {no_value, never_returned, odd_mismatch, Put(2, 1, "a")})
    EXPECT_FALSE(Validate(Of({bad})).ok()) << Describe(bad);
  EXPECT_TRUE(Validate(Of({Open(Put(2, 1, "a"))})).ok());
}

}  // namespace
}  // namespace lockstep::linearizability
