// What clients of a sharded store are answered: by shard, by several keys, by lists over many
// shards.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "tests/unit/shardkv/group.h"

namespace lockstep::shardkv {
namespace {

struct Store {
  explicit Store(const ShardOptions& options = {}) : group(1, options) {
    Change first(1);
    for (uint32_t shard = 0; shard < kShards; ++shard) first.Begins(shard);
    first.In(group);
    for (uint32_t shard = 0; shard < kShards; ++shard) sessions.emplace_back(group, shard);
  }
  proto::Result Put(const std::string& key, const std::string& value) {
    return sessions[ShardOf(key, kShards).value()].Do(group, kv::MakePut(key, value));
  }
  proto::Result Delete(const std::string& key) {
    return sessions[ShardOf(key, kShards).value()].Do(group, kv::MakeDelete(key));
  }
  Group group;
  std::vector<Session> sessions;
};

proto::Query ListOf(const std::vector<uint32_t>& shards, const std::string& prefix, uint32_t limit,
                    const std::string& continuation = "") {
  proto::Query query = kv::MakeList(prefix, "", limit, continuation);
  for (const uint32_t shard : shards) query.mutable_list()->add_shards(shard);
  return query;
}

TEST(Clients, AKeyIsAskedForInItsShard) {
  Store store;
  const std::string key = KeyOf(2);
  proto::Result result = store.group.Read(kv::MakeGet(key), 3);
  EXPECT_EQ(result.code(), proto::INVALID_ARGUMENT);
  EXPECT_EQ(result.message(), absl::StrCat("key \"", key,
                                           "\" is of shard 2, not of 3: keys of one "
                                           "request must share a {tag}"));
  result = store.group.Read(kv::MakeGet(key), kShards);
  EXPECT_EQ(result.message(), "shard 4 does not exist: the cluster has 4, numbered from 0");
  const proto::Command batch = kv::MakeBatch({kv::MakePut(key, ""), kv::MakePut(KeyOf(3), "")});
  EXPECT_EQ(store.sessions[2].Do(store.group, batch).code(), proto::INVALID_ARGUMENT);
  EXPECT_EQ(store.group.Read(kv::MakeGetMany({key, KeyOf(1)}), 2).code(), proto::INVALID_ARGUMENT);
}

TEST(Clients, KeysOfOneTagGoTogether) {
  Store store;
  const std::vector<std::string> keys = {"{user7}.name", "{user7}.mail", "age{user7}"};
  const uint32_t shard = static_cast<uint32_t>(ShardOf(keys[0], kShards).value());
  const proto::Command batch = kv::MakeBatch(
      {kv::MakePut(keys[0], "n"), kv::MakePut(keys[1], "m"), kv::MakeAppend(keys[2], "7")});
  EXPECT_EQ(store.sessions[shard].Do(store.group, batch).code(), proto::OK);
  const proto::Result result = store.group.Read(kv::MakeGetMany(keys), shard);
  ASSERT_EQ(result.pairs_size(), 3);
  EXPECT_EQ(result.pairs(2).value(), "7");
}

TEST(Clients, ANewGroupServesNothing) {
  const Group group(1);
  const proto::Result result = group.Read(kv::MakeGet("a"), 0);
  EXPECT_EQ(result.code(), proto::WRONG_GROUP);
  EXPECT_EQ(result.message(),
            "shard 0 is not at this group as of configuration 0: ask the controller for the newest "
            "one, and its group");
}

// Any choice of shards and any sizes of pages give the pairs of those shards in one order.
TEST(Clients, AListGoesOverManyShardsInOrder) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    ShardOptions options;
    options.kv.limits.list_bytes_max = rng.Between(uint64_t{1}, uint64_t{60});
    options.kv.limits.list_pairs_max = static_cast<uint32_t>(rng.Between(uint64_t{1}, uint64_t{8}));
    Store store(options);
    std::vector<uint32_t> shards;
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      if (rng.Chance({2, 3})) shards.push_back(shard);
    }
    std::map<std::string, std::string> expected;
    for (int i = 0; i < 40; ++i) {
      const std::string key = absl::StrCat(rng.Chance({3, 4}) ? "k" : "other", rng.Below(30));
      const std::string value(rng.Below(20), 'v');
      const uint32_t shard = static_cast<uint32_t>(ShardOf(key, kShards).value());
      const bool remove = rng.Chance({1, 5});
      if (remove) {
        store.Delete(key);
      } else {
        store.Put(key, value);
      }
      expected.erase(key);
      const bool listed = std::find(shards.begin(), shards.end(), shard) != shards.end();
      if (!remove && listed && key[0] == 'k') expected[key] = value;
    }
    std::map<std::string, std::string> found;
    std::string final_key;
    std::string continuation;
    do {
      const uint32_t limit = static_cast<uint32_t>(rng.Below(6));
      const proto::Result page = store.group.Read(ListOf(shards, "k", limit, continuation));
      ASSERT_EQ(page.code(), proto::OK) << page.message();
      ASSERT_TRUE(page.pairs_size() > 0 || page.continuation().empty());
      for (const proto::Pair& pair : page.pairs()) {
        ASSERT_LT(final_key, pair.key());
        final_key = pair.key();
        found[pair.key()] = pair.value();
      }
      continuation = page.continuation();
    } while (!continuation.empty());
    ASSERT_EQ(found, expected) << "seed " << seed;
  }
}

TEST(Clients, AListNeedsAllOfItsShards) {
  Store store;
  Group other(2);
  Change(2).Loses(2, other).In(store.group);
  EXPECT_EQ(store.group.Read(ListOf({0, 1, 3}, "", 0)).code(), proto::OK);
  EXPECT_EQ(store.group.Read(ListOf({0, 2}, "", 0)).code(), proto::WRONG_GROUP);
  EXPECT_EQ(store.group.Read(ListOf({9}, "", 0)).code(), proto::INVALID_ARGUMENT);
}

// Counted as the data changes, and never by looking through it.
TEST(Clients, KeysAndBytesAreCounted) {
  Store store;
  const std::string key = KeyOf(1);
  const auto counts = [&] { return store.group.At(1, 1).counts; };
  store.Put(key, "12345");
  EXPECT_EQ(counts().keys, 1u);
  EXPECT_EQ(counts().bytes, key.size() + 5);
  store.Put(key, "1");
  EXPECT_EQ(counts().bytes, key.size() + 1);
  store.Put(KeyOf(1, "b"), "");
  EXPECT_EQ(counts().keys, 2u);
  store.group.Reload();
  EXPECT_EQ(counts().keys, 2u);
  store.Delete(key);
  store.Delete(KeyOf(1, "b"));
  store.Delete("b");
  EXPECT_EQ(counts().keys, 0u);
  EXPECT_EQ(counts().bytes, 0u);
  proto::Query query;
  query.mutable_get_shards();
  const proto::ShardStates states = store.group.Read(query).shards();
  EXPECT_EQ(states.num(), 1u);
  EXPECT_EQ(states.shards(), kShards);
  ASSERT_EQ(states.tenures_size(), static_cast<int>(kShards));
  EXPECT_EQ(states.tenures(1).state(), proto::SHARD_SERVING);
}

}  // namespace
}  // namespace lockstep::shardkv
