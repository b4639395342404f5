// Several keys at once: a batch happens as a whole or not at all, and get_many reads one state.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/kv/command.h"
#include "tests/unit/kv/memory_table.h"

namespace lockstep::kv {
namespace {

using Pairs = std::map<std::string, std::string>;

Pairs Contents(const Replica& replica) {
  Pairs pairs;
  for (const auto& [key, value] : replica.dump()) {
    if (key[0] == 'd') pairs[key.substr(1)] = value;
  }
  return pairs;
}

class Store {
 public:
  explicit Store(const KvOptions& options = {})
      : replica_(options), session_(replica_.Register()) {}

  proto::Result Run(const proto::Command& command) {
    ++sequence_;
    return Again(command);
  }
  // The same sequence as before.
  proto::Result Again(const proto::Command& command) {
    return replica_.Apply(InSession(command, session_, sequence_, sequence_));
  }
  Replica& replica() { return replica_; }

 private:
  Replica replica_;
  SessionId session_;
  uint64_t sequence_ = 0;
};

TEST(Batch, IsExecutedWhole) {
  Store store;
  store.Run(MakePut("a", "1"));
  store.Run(MakePut("b", "2"));
  store.Run(MakePut("c", "3"));
  const proto::Result result =
      store.Run(MakeBatch({MakePut("new", "n"), MakeAppend("a", "+"), MakeDelete("b"),
                           MakeCompareAndSwap("c", "3", "4")}));
  EXPECT_EQ(result.code(), proto::OK);
  EXPECT_EQ(result.index(), store.replica().index().value());
  EXPECT_EQ(Contents(store.replica()), (Pairs{{"new", "n"}, {"a", "1+"}, {"c", "4"}}));
}

TEST(Batch, AFailedComparisonLeavesAllAsItWas) {
  Store store;
  store.Run(MakePut("a", "1"));
  store.Run(MakePut("c", "3"));
  const Pairs before = Contents(store.replica());
  const proto::Command batch =
      MakeBatch({MakePut("a", "x"), MakeDelete("c"), MakeCompareAndSwap("d", "?", "x")});
  const proto::Result missing = store.Run(batch);
  EXPECT_EQ(missing.code(), proto::CONFLICT);
  EXPECT_EQ(missing.failed_operation(), 2u);
  EXPECT_FALSE(missing.has_value());
  const proto::Result other =
      store.Run(MakeBatch({MakeCompareAndSwap("a", "2", "x"), MakePut("b", "x")}));
  EXPECT_EQ(other.code(), proto::CONFLICT);
  EXPECT_EQ(other.failed_operation(), 0u);
  EXPECT_EQ(other.value(), "1");
  EXPECT_EQ(Contents(store.replica()), before);
}

TEST(Batch, AnAppendThatIsTooLargeLeavesAllAsItWas) {
  KvOptions options;
  options.limits.value_bytes_max = 4;
  Store store(options);
  store.Run(MakePut("a", "123"));
  const Pairs before = Contents(store.replica());
  const proto::Result result = store.Run(MakeBatch({MakePut("b", "x"), MakeAppend("a", "45")}));
  EXPECT_EQ(result.code(), proto::TOO_LARGE);
  EXPECT_EQ(result.failed_operation(), 1u);
  EXPECT_NE(result.message().find("5 bytes"), std::string::npos) << result.message();
  EXPECT_EQ(Contents(store.replica()), before);
}

TEST(Batch, IsRepeatedWordForWord) {
  Store store;
  store.Run(MakePut("a", "1"));
  for (const proto::Command& batch :
       {MakeBatch({MakeAppend("a", "2"), MakeAppend("b", "1")}),
        MakeBatch({MakePut("c", ""), MakeCompareAndSwap("a", "?", "x")})}) {
    const proto::Result first = store.Run(batch);
    const auto dump = store.replica().dump();
    store.replica().Reload();
    proto::Result again = store.Again(batch);
    EXPECT_TRUE(again.replayed());
    again.set_replayed(false);
    EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
    EXPECT_EQ(store.replica().dump(), dump);
  }
}

TEST(Batch, WhatMakesNoSenseIsRefused) {
  KvOptions options;
  options.limits.batch_operations_max = 3;
  options.limits.batch_bytes_max = 10;
  options.limits.key_bytes_max = 4;
  Store store(options);
  const struct {
    const char* name;
    proto::Command command;
    proto::Code code;
    const char* message;
  } rows[] = {
      {"empty", MakeBatch({}), proto::INVALID_ARGUMENT,
       "the batch is empty: give it at least one operation"},
      {"no operation", MakeBatch({MakePut("a", ""), proto::Command()}), proto::INVALID_ARGUMENT,
       "operation 1 of the batch: it names no operation that this version knows: set put, append, "
       "delete or compare_and_swap"},
      {"no key", MakeBatch({MakePut("", "")}), proto::INVALID_ARGUMENT,
       "operation 0 of the batch: the key is empty: give a key of 1 to 4 bytes"},
      {"long key", MakeBatch({MakeDelete("12345")}), proto::TOO_LARGE,
       "operation 0 of the batch: the key of 5 bytes exceeds key_bytes_max (4 bytes): use a "
       "shorter key"},
      {"key twice", MakeBatch({MakePut("a", ""), MakePut("b", ""), MakeDelete("a")}),
       proto::INVALID_ARGUMENT, "a key occurs twice in the batch: give each key one operation"},
      {"too many", MakeBatch({MakeDelete("a"), MakeDelete("b"), MakeDelete("c"), MakeDelete("d")}),
       proto::TOO_LARGE, "the batch of 4 operations exceeds batch_operations_max (3): divide it"},
      {"too large", MakeBatch({MakePut("a", "1234"), MakeCompareAndSwap("b", "12", "345")}),
       proto::TOO_LARGE, "the batch of 11 bytes exceeds batch_bytes_max (10 bytes): divide it"},
  };
  for (const auto& row : rows) {
    const proto::Result result = store.Run(row.command);
    EXPECT_EQ(result.code(), row.code) << row.name;
    EXPECT_EQ(result.message(), row.message) << row.name;
    EXPECT_EQ(result.index(), 0u) << row.name;
    EXPECT_TRUE(Contents(store.replica()).empty()) << row.name;
  }
  EXPECT_EQ(store.Run(MakeBatch({MakePut("a", "123"), MakePut("b", "12345")})).code(), proto::OK);
}

TEST(GetMany, GivesWhatExistsInTheOrderAskedFor) {
  Store store;
  store.Run(MakePut("a", "1"));
  store.Run(MakePut("b", ""));
  const proto::Result result = store.replica().Query(MakeGetMany({"b", "missing", "a", "b"}));
  EXPECT_EQ(result.code(), proto::OK);
  EXPECT_EQ(result.index(), store.replica().index().value());
  ASSERT_EQ(result.pairs_size(), 3);
  EXPECT_EQ(result.pairs(0).key(), "b");
  EXPECT_EQ(result.pairs(0).value(), "");
  EXPECT_EQ(result.pairs(1).key(), "a");
  EXPECT_EQ(result.pairs(1).value(), "1");
  EXPECT_EQ(result.pairs(2).key(), "b");
}

TEST(GetMany, HasLimits) {
  KvOptions options;
  options.limits.get_many_keys_max = 2;
  options.limits.get_many_bytes_max = 3;
  Store store(options);
  store.Run(MakePut("a", "12345"));
  store.Run(MakePut("b", "1"));
  const auto query = [&](const std::vector<std::string>& keys) {
    return store.replica().Query(MakeGetMany(keys));
  };
  EXPECT_EQ(query({}).message(), "get_many names no keys: give at least one");
  EXPECT_EQ(query({"a", "b", "c"}).message(),
            "get_many of 3 keys exceeds get_many_keys_max (2): divide it");
  EXPECT_EQ(query({"a", ""}).code(), proto::INVALID_ARGUMENT);
  const proto::Result both = query({"a", "b"});
  EXPECT_EQ(both.code(), proto::TOO_LARGE);
  EXPECT_EQ(both.message(),
            "the values exceed get_many_bytes_max (3 bytes): ask for fewer keys at a time");
  EXPECT_EQ(both.pairs_size(), 0);
  EXPECT_EQ(query({"a"}).pairs(0).value(), "12345") << "one alone may exceed the bytes";
}

}  // namespace
}  // namespace lockstep::kv
