#include "core/base/rng.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace lockstep {
namespace {

// A seed means the same run for ever: these values may never change.
TEST(Rng, StreamIsFixed) {
  Rng rng(1234567);  // The first outputs of SplitMix64 for this seed, as published.
  for (const uint64_t want : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                              4593380528125082431u, 16408922859458223821u}) {
    EXPECT_EQ(rng.Next(), want);
  }
}

TEST(Rng, SplitsAreIndependentOfDraws) {
  const Rng seed(7);
  Rng drawn = seed;
  Rng first = seed.Split("disk");
  Rng again = drawn.Split("disk");
  EXPECT_EQ(first.Next(), again.Next());
  std::set<uint64_t> firsts;
  for (const char* name : {"", "disk", "network", "Disk", "disk "}) {
    firsts.insert(seed.Split(name).Next());
    for (uint64_t number = 1; number <= 100; ++number) {
      firsts.insert(seed.Split(name, number).Next());
    }
  }
  EXPECT_EQ(firsts.size(), 505u);
}

TEST(Rng, BelowAndBetweenStayInside) {
  Rng rng(3);
  for (const uint64_t bound : std::vector<uint64_t>{1, 2, 3, 10, 1u << 20, UINT64_MAX}) {
    for (int i = 0; i < 1000; ++i) EXPECT_LT(rng.Below(bound), bound);
  }
  bool low = false, high = false;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = rng.Between(uint64_t{5}, uint64_t{9});
    EXPECT_LE(5u, value);
    EXPECT_LE(value, 9u);
    low = low || value == 5;
    high = high || value == 9;
  }
  EXPECT_TRUE(low && high);
  EXPECT_EQ(rng.Between(uint64_t{4}, uint64_t{4}), 4u);
  (void)rng.Between(uint64_t{0}, UINT64_MAX);
  for (int i = 0; i < 1000; ++i) {
    const Duration value = rng.Between(Duration(-3), Duration(3));
    EXPECT_LE(-3, value.count());
    EXPECT_LE(value.count(), 3);
  }
}

TEST(Rng, BelowIsUniform) {
  Rng rng(5);
  std::vector<int> counts(10);
  for (int i = 0; i < 100000; ++i) ++counts[rng.Below(10)];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(Rng, MagnitudeReachesEveryOrder) {
  Rng rng(6);
  std::vector<int> counts(21);
  for (int i = 0; i < 21000; ++i) {
    const uint64_t value = rng.Magnitude(1, 1 << 20);
    ASSERT_LE(1u, value);
    ASSERT_LE(value, 1u << 20);
    int order = 0;
    while ((value >> order) > 1) ++order;
    ++counts[static_cast<size_t>(order)];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 200);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = rng.Magnitude(100, 1000);
    EXPECT_LE(100u, value);
    EXPECT_LE(value, 1000u);
  }
  EXPECT_EQ(rng.Magnitude(9, 9), 9u);
  EXPECT_GT(rng.Magnitude(UINT64_MAX, UINT64_MAX), 0u);
}

TEST(Rng, ChanceIsItsRatio) {
  Rng rng(8);
  int hits = 0;
  for (int i = 0; i < 30000; ++i) hits += rng.Chance({1, 3}) ? 1 : 0;
  EXPECT_NEAR(hits, 10000, 500);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(rng.Chance({0, 5}));
    EXPECT_TRUE(rng.Chance({5, 5}));
  }
}

// Writes down what is drawn, and at one place lets something else be drawn.
class Tape final : public DrawTape {
 public:
  uint64_t Draw(uint64_t place, uint64_t drawn) override {
    places.push_back(place);
    return place == changed ? instead : drawn;
  }
  std::vector<uint64_t> places;
  uint64_t changed = 0;
  uint64_t instead = 0;
};

TEST(Rng, ATapeThatChangesNothingChangesNothing) {
  Tape tape;
  Rng plain(5);
  Rng taped(5, &tape);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(taped.Split("disk", 3).Below(1000), plain.Split("disk", 3).Below(1000));
    EXPECT_EQ(taped.Next(), plain.Next());
  }
  EXPECT_EQ(tape.places.size(), 200u);
}

TEST(Rng, PlacesNameStreamsAndNotSeeds) {
  Tape one;
  Tape other;
  for (Tape* tape : {&one, &other}) {
    const Rng root(tape == &one ? 17 : 18, tape);
    Rng disk = root.Split("disk", 1);
    Rng next = root.Split("disk", 2);
    for (int i = 0; i < 10; ++i) disk.Next();
    for (int i = 0; i < 10; ++i) next.Next();
  }
  EXPECT_EQ(one.places, other.places);
  EXPECT_EQ(std::set<uint64_t>(one.places.begin(), one.places.end()).size(), 20u);
  EXPECT_EQ(one.places[1], one.places[0] + kDrawStep);
}

TEST(Rng, ATapeDecidesWhatIsDrawn) {
  Tape tape;
  Rng(9, &tape).Split("coin").Next();
  tape.changed = tape.places[0];
  for (const uint64_t instead : {uint64_t{0}, UINT64_MAX}) {
    tape.instead = instead;
    Rng coin = Rng(9, &tape).Split("coin");
    EXPECT_EQ(coin.Below(10), instead == 0 ? 0u : 9u);
    EXPECT_EQ(coin.Next(), [&] {
      Rng plain = Rng(9).Split("coin");
      plain.Next();
      return plain.Next();
    }());
  }
}

}  // namespace
}  // namespace lockstep
