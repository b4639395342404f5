#include "core/base/hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

namespace lockstep {
namespace {

// Keys are placed on shards by these values: they may never change.
TEST(Hash, ValuesAreFixed) {
  EXPECT_EQ(StableHash(""), 0x2D06800538D394C2u);  // XXH3's published value for no input, seed 0.
  EXPECT_EQ(StableHash("a"), 0xE6C632B61E964E1Fu);
  EXPECT_EQ(StableHash("lockstep"), StableHash(std::string("lock") + "step"));
  EXPECT_EQ(Mix64(0), 0u);
  EXPECT_EQ(Mix64(0x9E3779B97F4A7C15), 0xE220A8397B1DCDAFu);  // SplitMix64's first, of seed 0.
}

TEST(Hash, MixSpreadsEveryBit) {
  for (int bit = 0; bit < 64; ++bit) {
    int changed = 0;
    for (uint64_t x = 1; x <= 200; ++x) {
      const uint64_t word = x * 0x9E3779B97F4A7C15;
      changed += std::popcount(Mix64(word) ^ Mix64(word ^ (uint64_t{1} << bit)));
    }
    EXPECT_NEAR(changed, 200 * 32, 200 * 3) << "input bit " << bit;
  }
}

TEST(Hash, ChainKnowsItsOrder) {
  std::set<uint64_t> hashes;
  for (uint64_t a = 0; a < 30; ++a) {
    for (uint64_t b = 0; b < 30; ++b) hashes.insert(HashChain(HashChain(1, a), b));
  }
  EXPECT_EQ(hashes.size(), 900u);
}

TEST(Hash, EveryLengthAndByteCounts) {
  std::set<uint64_t> hashes;
  std::string text;
  for (int i = 0; i < 600; ++i) {
    hashes.insert(StableHash(text));
    text.push_back('x');
  }
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = 'y';
    hashes.insert(StableHash(other));
  }
  EXPECT_EQ(hashes.size(), 1200u);
}

}  // namespace
}  // namespace lockstep
