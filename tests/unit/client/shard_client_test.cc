// The client of one shard: what it says, and how it is sent from group to group.
#include <gtest/gtest.h>

#include "core/client/client.h"
#include "tests/unit/client/conversation.h"

namespace lockstep::client {
namespace {

// A conversation that looks at every output.
class ShardTalk {
 public:
  ShardTalk() : client_(Options(), Rng(3)) {}

  static ClientOptions Options() {
    ClientOptions options = ThreeNodes();
    options.shard = ShardId(6);
    return options;
  }
  // What the last step put out.
  const Output& Step(Input input) {
    out_ = Output();
    client_.Step(now_, std::move(input), &out_);
    for (const Send& send : out_.sends) {
      attempt_ = send.attempt;
      to_ = send.to;
      EXPECT_TRUE(
          request_.ParseFromArray(send.request.data(), static_cast<int>(send.request.size())));
    }
    return out_;
  }
  const Output& Invoke(std::variant<proto::Command, proto::Query> operation) {
    ++last_id_;
    return Step(
        client::Invoke{OperationId(last_id_), std::move(operation), now_ + milliseconds(5000)});
  }
  const Output& Answer(AttemptId attempt, proto::Code code, uint64_t num = 0, uint64_t leader = 0) {
    proto::ClientReply reply;
    reply.mutable_result()->set_code(code);
    reply.mutable_result()->set_session(7);
    reply.mutable_result()->set_configuration_num(num);
    reply.set_leader(leader);
    return Step(Reply{attempt, kv::Encode(reply)});
  }
  const Output& Answer(proto::Code code, uint64_t num = 0) { return Answer(attempt_, code, num); }
  const Output& Retarget(uint64_t group, std::vector<NodeId> nodes) {
    return Step(client::Retarget{GroupId(group), std::move(nodes)});
  }
  const Output& PassToWake() {
    now_ = out_.wake_at;
    return Step(Wake{});
  }
  const proto::ClientRequest& request() const { return request_; }
  AttemptId attempt() const { return attempt_; }
  NodeId to() const { return to_; }
  Instant now() const { return now_; }

 private:
  Client client_;
  Instant now_ = kStart;
  Output out_;
  AttemptId attempt_;
  NodeId to_;
  proto::ClientRequest request_;
  uint64_t last_id_ = 0;
};

TEST(ShardClient, AllItSaysNamesTheShard) {
  ShardTalk talk;
  talk.Invoke(kv::MakePut("k", "v"));
  EXPECT_TRUE(talk.request().command().has_register_session());
  EXPECT_EQ(talk.request().command().shard(), 6u);
  talk.Answer(proto::OK);
  EXPECT_TRUE(talk.request().command().has_put());
  EXPECT_EQ(talk.request().command().shard(), 6u);
  talk.Answer(proto::OK);
  talk.Invoke(kv::MakeGet("k"));
  EXPECT_EQ(talk.request().query().shard(), 6u);
  talk.Answer(proto::OK);
  talk.Step(Leave{});
  EXPECT_TRUE(talk.request().command().has_close_session());
  EXPECT_EQ(talk.request().command().shard(), 6u);
}

TEST(ShardClient, WrongGroupIsReportedAndTriedAgain) {
  ShardTalk talk;
  talk.Invoke(kv::MakeGet("k"));
  const Output& refused = talk.Answer(proto::WRONG_GROUP, 12);
  EXPECT_EQ(refused.refused_at, 12u);
  EXPECT_TRUE(refused.completions.empty());
  EXPECT_TRUE(refused.sends.empty()) << "after a pause";
  EXPECT_EQ(talk.PassToWake().sends.size(), 1u);
  EXPECT_TRUE(talk.Answer(proto::UNKNOWN_GROUP).group_unknown);
  talk.PassToWake();
  EXPECT_TRUE(talk.PassToWake().unanswered);
}

TEST(ShardClient, APauseEndsWhenTheShardIsElsewhere) {
  ShardTalk talk;
  talk.Invoke(kv::MakePut("k", "v"));
  talk.Answer(proto::OK);
  const proto::Command first = talk.request().command();
  talk.Answer(proto::WRONG_GROUP, 12);
  EXPECT_TRUE(talk.Retarget(5, {NodeId(1), NodeId(2), NodeId(3)}).sends.empty()) << "no change";
  EXPECT_EQ(talk.Retarget(8, {NodeId(21)}).sends.size(), 1u);
  EXPECT_EQ(talk.request().group(), 8u);
  EXPECT_EQ(talk.to(), NodeId(21));
  EXPECT_EQ(talk.request().command().session(), first.session());
  EXPECT_EQ(talk.request().command().sequence(), first.sequence());
  EXPECT_EQ(talk.Answer(proto::OK).completions.size(), 1u);
}

// It may still come; but for no longer than a first attempt waits, however patient it had become.
TEST(ShardClient, AnAnswerFromTheOldGroupIsStillUsed) {
  ShardTalk talk;
  talk.Invoke(kv::MakeGet("k"));
  for (int i = 0; i < 6; ++i) talk.PassToWake();  // Three silences, and their pauses.
  const AttemptId old = talk.attempt();
  const Output& moved = talk.Retarget(8, {NodeId(21)});
  EXPECT_TRUE(moved.sends.empty());
  EXPECT_LE(moved.wake_at, talk.now() + milliseconds(100));
  EXPECT_EQ(talk.Answer(old, proto::OK).completions.size(), 1u);
}

TEST(ShardClient, ARefusalFromTheOldGroupIsNoNews) {
  ShardTalk talk;
  talk.Invoke(kv::MakeGet("k"));
  const AttemptId old = talk.attempt();
  talk.Retarget(8, {NodeId(1), NodeId(21)});
  const Output& refused = talk.Answer(old, proto::WRONG_GROUP, 12);
  EXPECT_FALSE(refused.refused_at.has_value());
  EXPECT_EQ(refused.sends.size(), 1u) << "at once at the new group";
  EXPECT_EQ(talk.request().group(), 8u);
}

// The nodes of the old group know nothing of who leads the new one.
TEST(ShardClient, AHintOfTheOldGroupIsNotFollowed) {
  for (int i = 0; i < 2; ++i) {
    ShardTalk talk;
    talk.Invoke(kv::MakeGet("k"));
    const AttemptId old = talk.attempt();
    talk.Retarget(8, {NodeId(21), NodeId(22)});
    talk.Invoke(kv::MakeGet("k"));
    const NodeId guess = talk.to();
    talk.Answer(old, proto::NOT_LEADER, 0, /*leader=*/guess == NodeId(21) ? 22 : 21);
    EXPECT_EQ(talk.to(), guess);
  }
}

TEST(ShardClient, WhoIsSaidToLeadIsAskedFirst) {
  for (const uint64_t node : {21u, 22u, 23u}) {
    ShardTalk talk;
    talk.Step(client::Retarget{GroupId(8), {NodeId(21), NodeId(22), NodeId(23)}, NodeId(node)});
    talk.Invoke(kv::MakeGet("k"));
    EXPECT_EQ(talk.to(), NodeId(node));
  }
}

TEST(ShardClient, TheClientOfAGroupHasNowhereElseToGo) {
  for (const proto::Code code : {proto::WRONG_GROUP, proto::UNKNOWN_GROUP}) {
    Conversation talk;
    const uint64_t id = talk.Invoke(kv::MakeGet("k"));
    talk.Answer(talk.Take(), code);
    EXPECT_EQ(talk.Outcome(id), "not executed NOT_FOUND");
    EXPECT_EQ(talk.FullOutcome(id).result.code(), code);
  }
}

TEST(ShardClient, TheClientOfAGroupHasNoBulk) {
  Conversation talk;
  talk.Step(InvokeBulk{OperationId(1), {}, talk.now()});
  EXPECT_EQ(talk.Outcome(1), "not executed INVALID_ARGUMENT");
}

}  // namespace
}  // namespace lockstep::client
