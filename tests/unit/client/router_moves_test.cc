// How a router finds the group of a shard, and follows it when it moves.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "tests/unit/client/router_talk.h"

namespace lockstep::client {
namespace {

std::string Place(const RouterTalk::Sent& sent) {
  const proto::Command& command = sent.request.command();
  return absl::StrCat("s=", command.session(), " q=", command.sequence());
}

// Two groups with two shards each; the router knows them, and has written to every shard.
class Moves : public testing::Test {
 protected:
  Moves() {
    talk.cluster.Join({1, 2});
    talk.cluster.Settle();
    for (uint32_t each = 0; each < kShards; ++each) {
      EXPECT_EQ(talk.Do(kv::MakePut(KeyOf(each), "x")), "ok OK");
    }
    shard = talk.cluster.OwnerOf(0) == 1 ? 0 : 1;
    while (talk.cluster.OwnerOf(shard) != 1) ++shard;
    key = KeyOf(shard);
    talk.questions = 0;
  }

  RouterTalk talk;
  uint32_t shard = 0;  // of group 1
  std::string key;
};

TEST(Router, LearnsTheConfigurationWithOneQuestion) {
  RouterTalk talk;
  talk.cluster.Join({1, 2});
  talk.cluster.Settle();
  std::vector<uint64_t> ids;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    ids.push_back(talk.Invoke(kv::MakePut(KeyOf(shard), absl::StrCat("v", shard))));
  }
  const auto question = talk.Take();
  EXPECT_TRUE(question.AsksForConfiguration());
  EXPECT_EQ(question.gid(), 0u);
  EXPECT_FALSE(question.operation) << "it is nobody's operation";
  EXPECT_TRUE(talk.Quiet()) << "all wait for the configuration";
  talk.Carry(question);
  talk.CarryAll();
  EXPECT_EQ(talk.router().configuration_num(), 1u);
  for (const uint64_t id : ids) EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
  EXPECT_EQ(talk.router().shard_clients(), size_t{kShards});
  EXPECT_EQ(talk.wake_at(), kNever) << "nothing left to wait for";
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    const uint64_t read = talk.Invoke(kv::MakeGet(KeyOf(shard)));
    EXPECT_EQ(talk.Await(read).result.value(), absl::StrCat("v", shard));
  }
  EXPECT_LE(talk.questions, 3) << "one, and a redirection to the leader";
}

TEST_F(Moves, TheRequestNamesOperationGroupAndShard) {
  const uint64_t id = talk.Invoke(kv::MakePut(key, "y"));
  const auto sent = talk.Take();
  EXPECT_EQ(sent.operation.value(), id);
  EXPECT_EQ(sent.gid(), 1u);
  EXPECT_EQ(sent.request.command().shard(), shard);
}

// Learned through one shard, it is known for all.
TEST(Router, TheLeaderOfAGroupIsFoundOnce) {
  RouterTalk talk;
  talk.cluster.Join({1});
  talk.cluster.Settle();
  int redirected = 0;
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    const uint64_t id = talk.Invoke(kv::MakePut(KeyOf(shard), "x"));
    while (!talk.Quiet()) {
      const auto sent = talk.Take();
      const proto::ClientReply reply = talk.Execute(sent);
      redirected += sent.gid() == 1 && reply.result().code() == proto::NOT_LEADER;
      talk.Answer(sent, reply);
    }
    EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
  }
  EXPECT_LE(redirected, 1);
}

TEST_F(Moves, WrongGroupIsFollowedWithTheSameSequence) {
  talk.cluster.Move(shard, 2);
  talk.cluster.Settle();
  const uint64_t id = talk.Invoke(kv::MakeAppend(key, "y"));
  const auto first = talk.TakeData();
  EXPECT_EQ(first.gid(), 1u);
  talk.Carry(first);
  const auto second = talk.TakeData();
  EXPECT_EQ(talk.router().configuration_num(), 2u);
  EXPECT_EQ(second.gid(), 2u);
  EXPECT_EQ(Place(second), Place(first));
  EXPECT_EQ(second.operation.value(), id);
  talk.Carry(second);
  talk.CarryAll();
  EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
  EXPECT_EQ(talk.cluster.ValueOf(key), "xy");
  EXPECT_EQ(talk.questions, 1);
}

TEST_F(Moves, AnExecutedAttemptIsReplayedByTheNewOwner) {
  const uint64_t id = talk.Invoke(kv::MakeAppend(key, "y"));
  const auto lost = talk.TakeData();
  EXPECT_EQ(talk.Execute(lost).result().code(), proto::OK);  // The answer is lost.
  talk.cluster.Move(shard, 2);
  talk.cluster.Settle();
  const Outcome& outcome = talk.Await(id);
  EXPECT_EQ(RouterTalk::Describe(outcome), "ok OK");
  EXPECT_TRUE(outcome.result.replayed());
  EXPECT_EQ(talk.cluster.ValueOf(key), "xy");
}

TEST_F(Moves, AnUnansweredAttemptAtTheOldOwnerStaysOpen) {
  const uint64_t id = talk.Invoke(kv::MakeAppend(key, "y"), milliseconds(500));
  const auto lost = talk.TakeData();
  talk.Execute(lost);
  talk.cluster.Move(shard, 2);
  talk.cluster.Reconfigure(1);  // Frozen there, and never fetched.
  talk.Pass(milliseconds(600));
  EXPECT_EQ(talk.OutcomeOf(id), "unknown DEADLINE_EXCEEDED");
}

TEST_F(Moves, WithoutSuchAnAttemptItWasNotExecuted) {
  talk.cluster.Move(shard, 2);
  talk.cluster.Reconfigure(1);
  const uint64_t id = talk.Invoke(kv::MakeAppend(key, "y"), milliseconds(500));
  talk.Pass(milliseconds(600));
  EXPECT_EQ(talk.OutcomeOf(id), "not executed DEADLINE_EXCEEDED");
  EXPECT_TRUE(absl::StrContains(talk.FullOutcome(id).status.message(), "WRONG_GROUP"))
      << talk.FullOutcome(id).status.message();
}

// The new owner has not heard of the configuration that we have: nothing to be asked.
TEST_F(Moves, AGroupThatIsLateIsTriedAgainWithoutAQuestion) {
  talk.cluster.Move(shard, 2);
  talk.cluster.Reconfigure(1);
  const uint64_t id = talk.Invoke(kv::MakeAppend(key, "y"));
  talk.Pass(milliseconds(100));
  EXPECT_EQ(talk.router().configuration_num(), 2u);
  EXPECT_EQ(talk.questions, 1) << "it is late, and says so";
  talk.cluster.Settle();
  EXPECT_EQ(RouterTalk::Describe(talk.Await(id)), "ok OK");
  EXPECT_EQ(talk.questions, 1);
}

// Our configuration may have grown old while we believe that the group is late.
TEST_F(Moves, AGroupThatStaysLateRaisesDoubtsAfterAWhile) {
  talk.cluster.Move(shard, 2);
  talk.cluster.Reconfigure(1);
  const uint64_t id = talk.Invoke(kv::MakeAppend(key, "y"));
  talk.Pass(milliseconds(100));
  talk.cluster.Move(shard, 1);
  talk.Pass(milliseconds(50));
  EXPECT_EQ(talk.router().configuration_num(), 2u);
  talk.Pass(milliseconds(400));
  EXPECT_EQ(talk.router().configuration_num(), 3u);
  talk.cluster.Settle();
  EXPECT_EQ(RouterTalk::Describe(talk.Await(id)), "ok OK");
}

TEST_F(Moves, QuestionsWithoutNewsBecomeRare) {
  proto::ClientReply ahead;
  ahead.mutable_result()->set_code(proto::WRONG_GROUP);
  ahead.mutable_result()->set_configuration_num(99);
  const Instant until = talk.now() + milliseconds(1000);
  talk.Invoke(kv::MakeGet(key));
  while (talk.now() < until) talk.Answer(talk.TakeData(), ahead);
  EXPECT_GT(talk.questions, 8);
  EXPECT_LT(talk.questions, 30) << "pauses of 40 to 80 ms";
}

// Silence is a reason to ask, too: the shard may have been moved away from a dead group.
TEST_F(Moves, AShardIsFollowedAwayFromASilentGroup) {
  talk.cluster.Move(shard, 2);
  talk.cluster.Settle();
  talk.cluster.Kill(1);
  EXPECT_EQ(talk.Do(kv::MakeAppend(key, "y")), "ok OK");
  EXPECT_EQ(talk.cluster.ValueOf(key), "xy");
}

TEST_F(Moves, ANodeThatDoesNotKnowTheGroupIsNotTheLastWord) {
  const uint64_t id = talk.Invoke(kv::MakeAppend(key, "y"));
  const auto first = talk.TakeData();
  proto::ClientReply stranger;
  stranger.mutable_result()->set_code(proto::UNKNOWN_GROUP);
  talk.Answer(first, stranger);
  EXPECT_EQ(talk.OutcomeOf(id), "");
  const auto second = talk.TakeData();
  EXPECT_NE(second.to, first.to);
  EXPECT_EQ(talk.questions, 1);
  talk.Carry(second);
  EXPECT_EQ(RouterTalk::Describe(talk.Await(id)), "ok OK");
}

TEST_F(Moves, AllShardsOfAGroupThatLeavesAreFollowed) {
  talk.cluster.Leave({1});
  talk.cluster.Settle();
  talk.cluster.Kill(1);
  for (uint32_t each = 0; each < kShards; ++each) {
    EXPECT_EQ(talk.Do(kv::MakeAppend(KeyOf(each), "y")), "ok OK");
    EXPECT_EQ(talk.cluster.ValueOf(KeyOf(each)), "xy");
  }
}

// --- Nobody serves anything

TEST(Router, WithoutAControllerItWaitsForTheDeadline) {
  RouterTalk talk;
  talk.cluster.Kill(0);
  const uint64_t id = talk.Invoke(kv::MakePut("k", "v"), milliseconds(900));
  talk.Pass(milliseconds(899));
  EXPECT_EQ(talk.OutcomeOf(id), "");
  talk.Pass(milliseconds(1));
  EXPECT_EQ(talk.OutcomeOf(id), "not executed DEADLINE_EXCEEDED");
  EXPECT_TRUE(
      absl::StrContains(talk.FullOutcome(id).status.message(), "no configuration is known yet"))
      << talk.FullOutcome(id).status.message();
  EXPECT_TRUE(absl::StrContains(talk.FullOutcome(id).status.message(), "no answer from node"))
      << talk.FullOutcome(id).status.message();
}

TEST(Router, WithoutGroupsItWaitsForThem) {
  RouterTalk talk;
  const uint64_t read = talk.Invoke(kv::MakeGet("k"), milliseconds(500));
  const uint64_t list = talk.Invoke(kv::MakeList(""), milliseconds(500));
  talk.Pass(milliseconds(500));
  EXPECT_EQ(talk.OutcomeOf(read), "not executed DEADLINE_EXCEEDED");
  EXPECT_EQ(talk.OutcomeOf(list), "not executed DEADLINE_EXCEEDED");
  EXPECT_TRUE(absl::StrContains(talk.FullOutcome(read).status.message(), "the controller has none"))
      << talk.FullOutcome(read).status.message();
  const uint64_t put = talk.Invoke(kv::MakePut("k", "v"));
  talk.Pass(milliseconds(200));
  EXPECT_LT(talk.questions, 40);
  talk.cluster.Join({1});
  talk.cluster.Settle();
  EXPECT_EQ(RouterTalk::Describe(talk.Await(put)), "ok OK");
}

TEST_F(Moves, ThatTheLastGroupHasLeftIsSaid) {
  talk.cluster.Leave({1, 2}, /*force=*/true);
  talk.cluster.Settle();
  EXPECT_EQ(talk.Do(kv::MakePut(key, "y"), milliseconds(300)), "not executed DEADLINE_EXCEEDED");
  const uint64_t id = talk.Invoke(kv::MakePut(key, "y"), milliseconds(300));
  EXPECT_EQ(RouterTalk::Describe(talk.Await(id)), "not executed DEADLINE_EXCEEDED");
  EXPECT_TRUE(
      absl::StrContains(talk.FullOutcome(id).status.message(), "configuration 2 has no groups"))
      << talk.FullOutcome(id).status.message();
  talk.cluster.Join({2});
  talk.cluster.Settle();
  EXPECT_EQ(talk.Do(kv::MakeAppend(key, "z")), "ok OK");
  EXPECT_EQ(talk.cluster.ValueOf(key), "xz");
}

TEST_F(Moves, AConfigurationThatCannotBeIsNotFollowed) {
  proto::ClientReply ahead;
  ahead.mutable_result()->set_code(proto::WRONG_GROUP);
  ahead.mutable_result()->set_configuration_num(99);
  talk.Invoke(kv::MakeGet(key));
  talk.Answer(talk.Take(), ahead);
  while (talk.Quiet()) talk.PassToWake();
  const auto question = talk.Take();
  ASSERT_TRUE(question.AsksForConfiguration());
  proto::ClientReply fewer = talk.Execute(question);
  fewer.mutable_result()->mutable_configuration()->set_num(99);
  fewer.mutable_result()->mutable_configuration()->mutable_owners()->RemoveLast();
  talk.Answer(question, fewer);
  EXPECT_EQ(talk.router().configuration_num(), 1u);
}

}  // namespace
}  // namespace lockstep::client
