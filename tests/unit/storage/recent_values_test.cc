#include "storage/recent_values.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/rng.h"

namespace lockstep::storage {
namespace {

TEST(RecentValues, KeepsWhatWasAskedForLast) {
  RecentValues recent(2 * (160 + 1 + 1));
  recent.Keep("a", "1");
  recent.Keep("b", "2");
  ASSERT_NE(recent.Find("a"), nullptr);
  recent.Keep("c", "3");
  EXPECT_EQ(recent.Find("b"), nullptr) << "used before the others";
  ASSERT_NE(recent.Find("a"), nullptr);
  EXPECT_EQ(*recent.Find("a"), "1");
  EXPECT_EQ(*recent.Find("c"), "3");
}

TEST(RecentValues, WhatIsNotKeptIsNotReplaced) {
  RecentValues recent(1 << 20);
  recent.Replace("a", "1");
  EXPECT_EQ(recent.Find("a"), nullptr);
  recent.Keep("a", "1");
  recent.Replace("a", "22");
  EXPECT_EQ(*recent.Find("a"), "22");
  recent.Erase("a");
  EXPECT_EQ(recent.Find("a"), nullptr);
  EXPECT_EQ(recent.bytes(), 0u);
}

TEST(RecentValues, ALargeValueIsNotKept) {
  const std::string large(64 << 10, 'x');
  RecentValues recent(1 << 20);
  recent.Keep("a", large);
  EXPECT_EQ(recent.Find("a"), nullptr);
  recent.Keep("a", "1");
  recent.Replace("a", large);
  EXPECT_EQ(recent.Find("a"), nullptr) << "and the old value is forgotten";
  EXPECT_EQ(recent.bytes(), 0u);
}

TEST(RecentValues, NothingIsKeptWithoutMemory) {
  RecentValues recent(0);
  recent.Keep("a", "1");
  EXPECT_EQ(recent.Find("a"), nullptr);
}

// Against a map that holds what a table would: what is found is what the table has.
TEST(RecentValues, AgreesWithTheTable) {
  constexpr uint64_t kBytesMax = 4000;
  RecentValues recent(kBytesMax);
  std::map<std::string, std::string> table;
  Rng rng(1);
  uint64_t found = 0;
  for (int i = 0; i < 50000; ++i) {
    const std::string key(1, static_cast<char>('a' + rng.Below(26)));
    const std::string value(rng.Magnitude(1, 6000), static_cast<char>('a' + rng.Below(26)));
    switch (rng.Below(4)) {
      case 0:
        table[key] = value;
        recent.Replace(key, value);
        break;
      case 1:
        table.erase(key);
        recent.Erase(key);
        break;
      default:
        const std::string* known = recent.Find(key);
        if (known != nullptr) {
          ++found;
          ASSERT_TRUE(table.contains(key));
          ASSERT_EQ(*known, table[key]);
        } else if (table.contains(key)) {
          recent.Keep(key, table[key]);
        }
    }
    ASSERT_LE(recent.bytes(), kBytesMax);
  }
  EXPECT_GT(found, 1000u);
  recent.Clear();
  EXPECT_EQ(recent.bytes(), 0u);
}

}  // namespace
}  // namespace lockstep::storage
