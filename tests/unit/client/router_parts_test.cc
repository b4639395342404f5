// Operations on many keys: what is atomic, and what becomes of the parts of what is not.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/unit/client/router_talk.h"

namespace lockstep::client {
namespace {

using Kind = Outcome::Kind;

// Two groups with two shards each.
class Parts : public testing::Test {
 protected:
  explicit Parts(const RouterOptions& options = QuickRouter()) : talk(options) {
    talk.cluster.Join({1, 2});
    talk.cluster.Settle();
    EXPECT_EQ(talk.Do(kv::MakeGet("k")), "ok OK");
  }
  // Of the shards of one group.
  std::vector<std::string> KeysOf(uint64_t gid, const std::string& name = "a") {
    std::vector<std::string> keys;
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      if (talk.cluster.OwnerOf(shard) == gid) keys.push_back(KeyOf(shard, name));
    }
    return keys;
  }
  void ExpectMessage(uint64_t id, absl::string_view text) {
    const absl::string_view message = talk.FullOutcome(id).status.message();
    EXPECT_TRUE(absl::StrContains(message, text)) << message;
  }
  RouterTalk talk;
};

// --- Batches

TEST_F(Parts, ABatchOfOneShardIsAtomic) {
  EXPECT_EQ(talk.Do(kv::MakeBatch({kv::MakePut("{t}a", "1"), kv::MakePut("{t}b", "2")})), "ok OK");
  EXPECT_EQ(talk.cluster.ValueOf("{t}a"), "1");
  EXPECT_EQ(talk.cluster.ValueOf("{t}b"), "2");
  EXPECT_EQ(talk.Do(kv::MakeBatch(
                {kv::MakePut("{t}a", "3"), kv::MakeCompareAndSwap("{t}b", "wrong", "4")})),
            "ok CONFLICT");
  EXPECT_EQ(talk.cluster.ValueOf("{t}a"), "1");
}

TEST_F(Parts, ABatchOverShardsIsRefusedWithAdvice) {
  const uint64_t id =
      talk.Invoke(kv::MakeBatch({kv::MakePut(KeyOf(0), "1"), kv::MakePut(KeyOf(1), "2")}));
  EXPECT_EQ(talk.OutcomeOf(id), "not executed INVALID_ARGUMENT");
  EXPECT_EQ(talk.FullOutcome(id).result.code(), proto::INVALID_ARGUMENT);
  ExpectMessage(id, "{tag}");
  ExpectMessage(id, "bulk");
  EXPECT_TRUE(talk.Quiet());
}

// --- GetMany

TEST_F(Parts, ValuesComeInTheOrderAskedForWhereverTheyAre) {
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    talk.Do(kv::MakePut(KeyOf(shard), absl::StrCat("v", shard)));
  }
  const uint64_t id = talk.Invoke(kv::MakeGetMany(
      {KeyOf(2), KeyOf(0), KeyOf(2, "missing"), KeyOf(3), KeyOf(1), KeyOf(2), KeyOf(0, "none")}));
  const proto::Result& result = talk.Await(id).result;
  std::string text;
  for (const proto::Pair& pair : result.pairs()) {
    absl::StrAppend(&text, pair.key(), "=", pair.value(), " ");
  }
  EXPECT_EQ(text, absl::StrCat(KeyOf(2), "=v2 ", KeyOf(0), "=v0 ", KeyOf(3), "=v3 ", KeyOf(1),
                               "=v1 ", KeyOf(2), "=v2 "));
}

TEST_F(Parts, ReadsOfOneShardAreOneRequest) {
  talk.Invoke(kv::MakeGetMany({"{t}a", "{t}b", "{t}c"}));
  EXPECT_EQ(talk.Take().request.query().get_many().keys_size(), 3);
  EXPECT_TRUE(talk.Quiet());
}

TEST_F(Parts, AReadWithAPartThatFailsIsNotExecuted) {
  talk.cluster.Kill(2);
  const uint64_t id = talk.Invoke(kv::MakeGetMany({KeysOf(1)[0], KeysOf(2)[0]}), milliseconds(300));
  talk.Pass(milliseconds(300));
  EXPECT_EQ(talk.OutcomeOf(id), "not executed DEADLINE_EXCEEDED");
  EXPECT_TRUE(talk.FullOutcome(id).result.pairs().empty());
}

class SmallParts : public Parts {
 protected:
  static RouterOptions Options() {
    RouterOptions options = QuickRouter();
    options.limits.get_many_bytes_max = 10;
    options.limits.get_many_keys_max = 4;
    options.limits.batch_operations_max = 3;
    options.limits.batch_bytes_max = 40;
    options.bulk_operations_max = 20;
    options.bulk_bytes_max = 400;
    options.unfinished_max = 3;
    return options;
  }
  SmallParts() : Parts(Options()) {}
};

TEST_F(SmallParts, TheBoundOfAnAnswerIsOneForAllParts) {
  talk.Do(kv::MakePut(KeyOf(0), "123456"));
  talk.Do(kv::MakePut(KeyOf(1), "123456"));
  const uint64_t id = talk.Invoke(kv::MakeGetMany({KeyOf(0), KeyOf(1)}));
  EXPECT_EQ(RouterTalk::Describe(talk.Await(id)), "not executed OUT_OF_RANGE");
  EXPECT_EQ(talk.FullOutcome(id).result.code(), proto::TOO_LARGE);
  EXPECT_EQ(talk.Do(kv::MakeGetMany({"a", "b", "c", "d", "e"})), "not executed OUT_OF_RANGE");
}

// --- Bulk

TEST_F(Parts, ABulkIsOneBatchForEachShard) {
  std::vector<proto::Command> commands;
  for (int i = 0; i < 40; ++i) commands.push_back(kv::MakePut(absl::StrCat("k", i), "v"));
  const uint64_t id = talk.InvokeBulk(commands);
  const Outcome& outcome = talk.Await(id);
  EXPECT_EQ(RouterTalk::Describe(outcome), "ok OK");
  ASSERT_EQ(outcome.each.size(), 40u);
  std::set<uint64_t> versions;
  for (const Outcome& one : outcome.each) {
    EXPECT_EQ(one.kind, Kind::kOk);
    versions.insert(one.result.index());
  }
  EXPECT_LE(versions.size(), size_t{kShards});
  for (int i = 0; i < 40; ++i) EXPECT_EQ(talk.cluster.ValueOf(absl::StrCat("k", i)), "v");
}

TEST_F(Parts, ABulkWithADeadGroupSaysWhatBecameOfEach) {
  for (uint32_t shard = 0; shard < kShards; ++shard) talk.Do(kv::MakePut(KeyOf(shard), "x"));
  talk.cluster.Kill(2);
  std::vector<proto::Command> commands;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    commands.push_back(kv::MakeAppend(KeyOf(shard), "y"));
    commands.push_back(kv::MakePut(KeyOf(shard, "b"), "z"));
  }
  const uint64_t id = talk.InvokeBulk(commands, milliseconds(400));
  talk.Pass(milliseconds(400));
  const Outcome& outcome = talk.FullOutcome(id);
  EXPECT_EQ(RouterTalk::Describe(outcome), "unknown DEADLINE_EXCEEDED");
  ExpectMessage(id, "of 8 operations 4 were executed, 0 certainly were not, and of 4");
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    const bool alive = talk.cluster.OwnerOf(shard) == 1;
    EXPECT_EQ(outcome.each[2 * shard].kind, alive ? Kind::kOk : Kind::kUnknown);
    EXPECT_EQ(outcome.each[2 * shard + 1].kind, alive ? Kind::kOk : Kind::kUnknown);
    if (alive) {
      EXPECT_EQ(talk.cluster.ValueOf(KeyOf(shard)), "xy");
    }
  }
}

// In part executed is not "not executed", though nothing of it is unknown.
TEST_F(Parts, AMixedBulkIsUnknownAsAWhole) {
  for (uint32_t shard = 0; shard < kShards; ++shard) talk.Do(kv::MakePut(KeyOf(shard), "x"));
  const std::string moving = KeysOf(2)[0];
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    if (KeyOf(shard) == moving) talk.cluster.Move(shard, 1);
  }
  talk.cluster.Reconfigure(2);  // Frozen; and group 1 does not come to fetch it.
  const uint64_t id = talk.InvokeBulk(
      {kv::MakeAppend(KeysOf(1)[0], "y"), kv::MakeAppend(moving, "y")}, milliseconds(300));
  talk.Pass(milliseconds(300));
  const Outcome& outcome = talk.FullOutcome(id);
  EXPECT_EQ(outcome.kind, Kind::kUnknown);
  EXPECT_EQ(outcome.each[0].kind, Kind::kOk);
  EXPECT_EQ(outcome.each[1].kind, Kind::kNotExecuted);
}

TEST_F(Parts, AFailedComparisonSpoilsNothingElse) {
  const uint64_t id =
      talk.InvokeBulk({kv::MakePut("{t}a", "1"), kv::MakeCompareAndSwap("{t}b", "wrong", "2"),
                       kv::MakePut("{t}c", "3")});
  const Outcome& outcome = talk.Await(id);
  EXPECT_EQ(outcome.kind, Kind::kOk);
  EXPECT_EQ(outcome.each[0].result.code(), proto::OK);
  EXPECT_EQ(outcome.each[1].result.code(), proto::CONFLICT);
  EXPECT_EQ(outcome.each[2].result.code(), proto::OK);
  EXPECT_EQ(talk.cluster.ValueOf("{t}a"), "1");
  EXPECT_EQ(talk.cluster.ValueOf("{t}c"), "3");
}

TEST_F(SmallParts, ABulkIsDividedWithinTheLimitsOfABatch) {
  std::vector<proto::Command> commands;
  for (int i = 0; i < 7; ++i) commands.push_back(kv::MakePut(absl::StrCat("{t}", i), "v"));
  commands.push_back(kv::MakePut("{t}large", std::string(30, 'v')));
  const uint64_t id = talk.InvokeBulk(commands);
  std::vector<int> sizes;
  while (!talk.Quiet()) {
    const auto sent = talk.Take();
    const bool answered = talk.Execute(sent).result().code() == proto::OK;
    if (answered && !sent.request.command().has_register_session()) {
      sizes.push_back(sent.request.command().batch().operations_size());
    }
    talk.Carry(sent);
  }
  talk.Await(id);
  EXPECT_EQ(sizes, (std::vector<int>{3, 3, 0, 0})) << "a batch of one is the operation itself";
  EXPECT_EQ(talk.FullOutcome(id).kind, Kind::kOk);
}

TEST_F(SmallParts, WhatABulkMayNotBe) {
  const std::vector<proto::Command> many(21, kv::MakePut("k", "v"));
  EXPECT_EQ(talk.OutcomeOf(talk.InvokeBulk(many)), "not executed OUT_OF_RANGE");
  const std::vector<proto::Command> large = {kv::MakePut("k", std::string(500, 'v'))};
  EXPECT_EQ(talk.OutcomeOf(talk.InvokeBulk(large)), "not executed OUT_OF_RANGE");
  EXPECT_EQ(talk.OutcomeOf(talk.InvokeBulk({})), "not executed INVALID_ARGUMENT");
  EXPECT_EQ(talk.OutcomeOf(talk.InvokeBulk({kv::MakePut("k", "v"), kv::MakeDelete("k")})),
            "not executed INVALID_ARGUMENT");
  EXPECT_EQ(talk.OutcomeOf(talk.InvokeBulk({kv::MakePut("", "v")})),
            "not executed INVALID_ARGUMENT");
  EXPECT_EQ(talk.OutcomeOf(talk.InvokeBulk({kv::MakeRegisterSession(1)})),
            "not executed INVALID_ARGUMENT");
  EXPECT_TRUE(talk.Quiet());
}

// --- What else is refused

TEST_F(SmallParts, WhatClientsMayNotSay) {
  proto::Command drop;
  drop.mutable_drop_shard();
  proto::Query tenure;
  tenure.mutable_read_tenure();
  proto::Query shards = kv::MakeList("");
  shards.mutable_list()->add_shards(1);
  const std::vector<std::variant<proto::Command, proto::Query>> refused = {
      kv::MakeRegisterSession(1),
      kv::MakeCloseSession(SessionId(1)),
      kv::InSession(kv::MakePut("k", "v"), SessionId(1), 1, 1),
      kv::MakePut("", "v"),
      kv::MakeBatch({}),
      drop,
      tenure,
      shards,
      kv::MakeGet(""),
      kv::MakeGetMany({}),
      kv::MakeList("", "", 0, "no token")};
  for (size_t i = 0; i < refused.size(); ++i) {
    const uint64_t id = talk.Invoke(refused[i]);
    EXPECT_EQ(talk.OutcomeOf(id), "not executed INVALID_ARGUMENT") << i;
    EXPECT_EQ(talk.FullOutcome(id).result.code(), proto::INVALID_ARGUMENT) << i;
  }
  EXPECT_TRUE(talk.Quiet());
}

TEST_F(SmallParts, MoreThanItsBoundIsRefused) {
  for (int i = 0; i < 3; ++i) talk.Invoke(kv::MakeGet("k"));
  const uint64_t id = talk.Invoke(kv::MakeGet("k"));
  EXPECT_EQ(talk.OutcomeOf(id), "not executed RESOURCE_EXHAUSTED");
  EXPECT_EQ(talk.FullOutcome(id).result.code(), proto::OVERLOADED);
  ExpectMessage(id, "unfinished_max (3)");
  talk.CarryAll();
  EXPECT_EQ(talk.Do(kv::MakeGet("k")), "ok OK");
}

}  // namespace
}  // namespace lockstep::client
