#include "core/base/placement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace lockstep {
namespace {

TEST(Placement, TheTagAloneCounts) {
  const struct {
    const char* key;
    const char* tag;
  } rows[] = {
      {"", ""},
      {"plain", "plain"},
      {"{user1}.name", "user1"},
      {"account.{user1}", "user1"},
      {"{user1}", "user1"},
      {"a{}b", "a{}b"},            // nothing in it
      {"a{}b{tag}", "a{}b{tag}"},  // only the first '{' is looked at
      {"a{{tag}}b", "{tag"},       // up to the next '}'
      {"a{one}{two}", "one"},
      {"a}b{tag}", "tag"},
      {"a{open", "a{open"},
      {"a}closed", "a}closed"},
      {"{", "{"},
      {"}{", "}{"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(PlacementTag(row.key), absl::string_view(row.tag)) << row.key;
    EXPECT_EQ(ShardOf(row.key, 16384), ShardOf(PlacementTag(row.key), 16384)) << row.key;
  }
  EXPECT_EQ(ShardOf("{user1}.name", 16384), ShardOf("mail of {user1}", 16384));
  EXPECT_NE(ShardOf("{user1}.name", 16384), ShardOf("{user2}.name", 16384));
}

TEST(Placement, ArbitraryBytesAreKeys) {
  const std::string zeros("{\0\0}", 4);
  EXPECT_EQ(PlacementTag(zeros), absl::string_view("\0\0", 2));
  EXPECT_LT(ShardOf(zeros, 3), ShardId(3));
}

// Part of the on-disk and on-wire format: these values never change.
TEST(Placement, IsStable) {
  const struct {
    const char* key;
    uint32_t shards;
    uint64_t shard;
  } rows[] = {
      {"", 10, 1},
      {"", 16384, 2881},
      {"a", 10, 9},
      {"a", 16384, 14769},
      {"b", 10, 3},
      {"b", 16384, 5590},
      {"user:1", 10, 2},
      {"user:1", 16384, 3797},
      {"user:2", 10, 4},
      {"user:2", 16384, 6760},
      {"{user:1}.name", 10, 2},
      {"{user:1}.name", 16384, 3797},
      {"key with spaces", 10, 1},
      {"key with spaces", 16384, 2555},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ShardOf(row.key, row.shards), ShardId(row.shard)) << row.key << " of " << row.shards;
  }
}

TEST(Placement, OneShardHoldsAll) {
  for (const char* key : {"", "a", "{b}"}) EXPECT_EQ(ShardOf(key, 1), ShardId(0));
}

// Keys that differ in a few last bytes, as keys do.
TEST(Placement, CommonPrefixesSpreadEvenly) {
  for (const uint32_t shards : {2u, 3u, 10u, 64u, 100u}) {
    for (const char* prefix : {"", "user:", "a rather long prefix that all of the keys share/"}) {
      const uint64_t each = 1000;
      std::vector<uint64_t> counts(shards);
      for (uint64_t i = 0; i < each * shards; ++i) {
        const ShardId shard = ShardOf(absl::StrCat(prefix, i), shards);
        ASSERT_LT(shard, ShardId(shards));
        ++counts[shard.value()];
      }
      // Five standard deviations of a fair placement.
      const auto [low, high] = std::minmax_element(counts.begin(), counts.end());
      EXPECT_GT(*low, each - 5 * 32) << prefix << " over " << shards;
      EXPECT_LT(*high, each + 5 * 32) << prefix << " over " << shards;
    }
  }
}

}  // namespace
}  // namespace lockstep
