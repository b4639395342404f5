// Each algorithm alone against the dumb checker that tries all orders, on thousands of small random
// histories: right ones, and mutated ones, of which many are wrong.
#include <gtest/gtest.h>

#include "tests/unit/linearizability/support.h"

namespace lockstep::linearizability {
namespace {

constexpr uint64_t kHistories = 12'000;

struct Tally {
  uint64_t right = 0;
  uint64_t wrong = 0;
  uint64_t zones_decided = 0;
  uint64_t witness_accepted = 0;
};

// The frontier search that begins with one configuration and has to widen.
Verdict Narrow(const History& history) {
  Options options;
  options.use = {false, false, true, false};
  options.frontier_width = 1;
  options.slice_steps = 7;
  options.shrink_steps_max = 0;
  return CheckHistory(history, options).verdict;
}

void Compare(const History& history, bool linearizable, Tally* tally) {
  const Verdict want = linearizable ? Verdict::kLinearizable : Verdict::kViolation;
  ++(linearizable ? tally->right : tally->wrong);
  ASSERT_EQ(Only(Algorithm::kFrontier, history), want) << "frontier\n" << Dump(history);
  ASSERT_EQ(Narrow(history), want) << "narrow frontier\n" << Dump(history);
  ASSERT_EQ(Only(Algorithm::kDepthFirst, history), want) << "depth first\n" << Dump(history);
  const Verdict zones = Only(Algorithm::kZones, history);
  if (zones != Verdict::kUndecided) {
    ++tally->zones_decided;
    ASSERT_EQ(zones, want) << "zones\n" << Dump(history);
  }
  const Verdict witness = Only(Algorithm::kWitness, history);
  ASSERT_NE(witness, Verdict::kViolation);
  if (witness == Verdict::kLinearizable) {
    ++tally->witness_accepted;
    ASSERT_TRUE(linearizable) << "witness\n" << Dump(history);
  }
  const Report report = CheckHistory(history);
  ASSERT_EQ(report.verdict, want) << "together\n" << Dump(history);
  if (linearizable) return;
  // The counterexample is a violation by itself.
  const Counterexample& example = *report.counterexample;
  const History part = Part(history, example);
  ASSERT_FALSE(BruteForce(part)) << Describe(report, history) << Dump(history);
  ASSERT_LE(example.prefix.size() + 1, example.operations.size());
  ASSERT_FALSE(example.reason.empty());
}

class Random : public testing::TestWithParam<bool> {};

TEST_P(Random, AlgorithmsAgreeWithBruteForce) {
  const bool unique = GetParam();
  Tally straight;
  Tally mutated;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng = Rng(seed).Split(unique ? "unique" : "duplicate");
    const Shape shape = RandomShape(rng, unique);
    History history = Simulate(rng.Split("store"), shape);
    ASSERT_TRUE(Validate(history).ok()) << Validate(history).message();
    Compare(history, /*linearizable=*/true, &straight);
    if (HasFatalFailure()) return;
    ASSERT_TRUE(BruteForce(history));
    const uint64_t mutations = rng.Between(uint64_t{1}, 3);
    for (uint64_t i = 0; i < mutations; ++i) Mutate(rng, &history);
    Compare(history, BruteForce(history), &mutated);
    if (HasFatalFailure()) return;
  }
  // Tests that meet only one kind of history test nothing.
  EXPECT_GT(mutated.right, kHistories / 10);
  EXPECT_GT(mutated.wrong, kHistories / 8);
  EXPECT_GT(straight.zones_decided, unique ? kHistories / 2 : kHistories / 5);
  EXPECT_GT(straight.witness_accepted, kHistories * 9 / 10);
  RecordProperty("wrong", static_cast<int>(mutated.wrong));
  RecordProperty("zones_decided", static_cast<int>(straight.zones_decided));
  RecordProperty("zones_decided_mutated", static_cast<int>(mutated.zones_decided));
  RecordProperty("witness_accepted", static_cast<int>(straight.witness_accepted));
}

INSTANTIATE_TEST_SUITE_P(Values, Random, testing::Bool(),
                         [](const auto& param) { return param.param ? "Unique" : "Duplicate"; });

// With unique values, and as long as nothing makes the key missing twice, zones always decide.
TEST(Random, ZonesDecideUniqueValues) {
  for (uint64_t seed = 1; seed <= 4000; ++seed) {
    Rng rng = Rng(seed).Split("zones");
    Shape shape = RandomShape(rng, /*unique=*/true);
    shape.deletes = false;
    shape.bare = false;
    History history = Simulate(rng.Split("store"), shape);
    ASSERT_EQ(Only(Algorithm::kZones, history), Verdict::kLinearizable) << Dump(history);
  }
}

// Without open operations the witness of a right history always suffices.
TEST(Random, WitnessSuffices) {
  for (uint64_t seed = 1; seed <= 4000; ++seed) {
    Rng rng = Rng(seed).Split("witness");
    Shape shape = RandomShape(rng, /*unique=*/rng.Chance({1, 2}));
    shape.open = {0, 1};
    shape.operations = 40;
    const History history = Simulate(rng.Split("store"), shape);
    ASSERT_EQ(Only(Algorithm::kWitness, history), Verdict::kLinearizable) << Dump(history);
  }
}

// Reads that the store did not place: all of them, or about half.
void ForgetReads(Rng& rng, History* history) {
  const Ratio forgotten = rng.Chance({1, 3}) ? Ratio{1, 1} : Ratio{1, 2};
  for (Operation& operation : history->operations) {
    const bool mismatch = operation.outcome == Outcome::kMismatch && operation.result_known;
    const bool reads = !operation.open() && (operation.kind == Kind::kGet || mismatch);
    if (reads && rng.Chance(forgotten)) operation.witness.reset();
  }
}

// The store places some operations wrongly.
void SpoilWitness(Rng& rng, History* history) {
  for (Operation& operation : history->operations) {
    if (!operation.witness.has_value() || !rng.Chance({1, 8})) continue;
    operation.witness->index = rng.Below(history->operations.size() + 1);
  }
}

// Where all writes are placed and closed, reads find their place by what they saw.
TEST(Random, WitnessOfTheWritesSuffices) {
  uint64_t forgotten = 0;
  for (uint64_t seed = 1; seed <= 6000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng = Rng(seed).Split("reads");
    Shape shape = RandomShape(rng, /*unique=*/rng.Chance({1, 2}));
    shape.open = {0, 1};
    shape.operations = 40;
    shape.processes = static_cast<uint32_t>(rng.Between(uint64_t{1}, 12));
    History history = Simulate(rng.Split("store"), shape);
    ForgetReads(rng, &history);
    for (const Operation& operation : history.operations) forgotten += !operation.witness;
    ASSERT_EQ(Only(Algorithm::kWitness, history), Verdict::kLinearizable) << Dump(history);
  }
  EXPECT_GT(forgotten, 40'000u);
}

// Whatever was forgotten, spoilt or is wrong: what the witness accepts is right.
TEST(Random, WitnessOfTheWritesAcceptsNothingWrong) {
  uint64_t wrong = 0;
  uint64_t accepted = 0;
  uint64_t accepted_spoilt = 0;
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng = Rng(seed).Split("forgotten");
    History history = Simulate(rng.Split("store"), RandomShape(rng, rng.Chance({1, 2})));
    ForgetReads(rng, &history);
    const uint64_t mutations = rng.Between(uint64_t{1}, 4);
    for (uint64_t i = 0; i < mutations; ++i) Mutate(rng, &history);
    const bool spoils = rng.Chance({1, 3});
    if (spoils) SpoilWitness(rng, &history);
    const bool linearizable = BruteForce(history);
    wrong += !linearizable;
    const Verdict witness = Only(Algorithm::kWitness, history);
    ASSERT_NE(witness, Verdict::kViolation);
    if (witness != Verdict::kLinearizable) continue;
    ASSERT_TRUE(linearizable) << Dump(history);
    ++accepted;
    accepted_spoilt += spoils;
  }
  EXPECT_GT(wrong, 3000u);
  EXPECT_GT(accepted, 5000u);
  EXPECT_GT(accepted_spoilt, 500u);
}

// Longer ones, beyond brute force: right histories are accepted by frontier and zones, and the
// two agree on broken ones.
TEST(Random, LongerHistories) {
  uint64_t wrong = 0;
  uint64_t small = 0;
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng = Rng(seed).Split("longer");
    Shape shape = RandomShape(rng, /*unique=*/rng.Chance({1, 2}));
    shape.operations = 120;
    shape.processes = 6;
    if (shape.open.numerator > 0) shape.open = {1, 20};
    History history = Simulate(rng.Split("store"), shape);
    ASSERT_EQ(Only(Algorithm::kFrontier, history), Verdict::kLinearizable) << Dump(history);
    ASSERT_NE(Only(Algorithm::kZones, history), Verdict::kViolation) << Dump(history);
    Mutate(rng, &history);
    const Verdict frontier = Only(Algorithm::kFrontier, history);
    ASSERT_NE(frontier, Verdict::kUndecided);
    const Verdict zones = Only(Algorithm::kZones, history);
    if (zones != Verdict::kUndecided) {
      ASSERT_EQ(zones, frontier) << Dump(history);
    }
    if (frontier == Verdict::kLinearizable) continue;
    ++wrong;
    const Report report = CheckHistory(history);
    ASSERT_EQ(report.verdict, Verdict::kViolation);
    const History part = Part(history, *report.counterexample);
    // A write that a later string may contain has to stay, so with duplicates little can go.
    if (shape.unique) {
      ASSERT_LE(part.operations.size(), 24U) << Describe(report, history);
    }
    if (part.operations.size() > 16) continue;
    ++small;
    ASSERT_FALSE(BruteForce(part)) << Describe(report, history);
  }
  EXPECT_GT(wrong, 100U);
  EXPECT_GT(small, wrong / 2);
}

}  // namespace
}  // namespace lockstep::linearizability
