// A thin client: what it repeats and what it does not, and what it concludes.
#include "sim/workload/thin_caller.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/kv/command.h"

namespace lockstep::sim {
namespace {

using client::OperationId;
using Kind = client::Outcome::Kind;
using Reply = proto::GatewayReply;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers are given by hand, time goes to the next alarm.
class Talk {
 public:
  explicit Talk(bool sessions)
      : caller_({.nodes = {NodeId(1), NodeId(2), NodeId(3)},
                 .shards = 1,
                 .sessions = sessions,
                 .patience_min = milliseconds(100),
                 .grace = milliseconds(20),
                 .pause = milliseconds(10)},
                Rng(1)) {}
  void Invoke(uint64_t id, std::variant<proto::Command, proto::Query> operation,
              Duration patience = seconds(10)) {
    Step(client::Invoke{
        .id = OperationId(id), .operation = std::move(operation), .deadline = now_ + patience});
  }
  void Answer(const client::Send& send, const Reply& reply) {
    Step(client::Reply{.attempt = send.attempt, .reply = kv::Encode(reply)});
  }
  void Wake() {
    ASSERT_LT(wake_, kNever);
    now_ = wake_;
    Step(client::Wake{});
  }
  // Until something is sent.
  const client::Send& NextSend() {
    const size_t before = sends.size();
    for (int i = 0; i < 5 && sends.size() == before; ++i) Wake();
    return sends.back();
  }
  proto::GatewayRequest Last() const {
    proto::GatewayRequest request;
    EXPECT_TRUE(request.ParseFromArray(sends.back().request.data(),
                                       static_cast<int>(sends.back().request.size())));
    return request;
  }
  // Registers.
  void OpenSession(uint64_t number) {
    ASSERT_TRUE(Last().command().has_register_session());
    Reply reply = Ok();
    reply.mutable_result()->set_session(number);
    Answer(sends.back(), reply);
  }
  static Reply Ok() {
    Reply reply;
    reply.set_kind(Reply::OK);
    reply.mutable_result()->set_code(proto::OK);
    return reply;
  }
  static Reply Not(absl::StatusCode status, Reply::Kind kind = Reply::NOT_EXECUTED,
                   proto::Code code = proto::CODE_UNSPECIFIED) {
    Reply reply;
    reply.set_kind(kind);
    reply.set_status(static_cast<uint32_t>(status));
    reply.mutable_result()->set_code(code);
    return reply;
  }

  std::vector<client::Send> sends;
  std::vector<client::Completion> done;

 private:
  void Step(client::Input input) {
    client::Output out;
    caller_.Step(now_, std::move(input), &out);
    wake_ = out.wake_at;
    for (client::Send& send : out.sends) sends.push_back(std::move(send));
    for (client::Completion& one : out.completions) done.push_back(std::move(one));
  }

  ThinCaller caller_;
  Instant now_{};
  Instant wake_ = kNever;
};

TEST(ThinCaller, WithoutASessionAWriteIsAskedForOnce) {
  Talk talk(/*sessions=*/false);
  talk.Invoke(1, kv::MakePut("k", "v"));
  talk.Wake();
  ASSERT_EQ(talk.done.size(), 1u);
  EXPECT_EQ(talk.done[0].outcome.kind, Kind::kUnknown);
  EXPECT_EQ(talk.sends.size(), 1u);
  talk.Invoke(2, kv::MakePut("k", "v"));
  talk.Answer(talk.sends.back(), Talk::Not(absl::StatusCode::kUnavailable));
  EXPECT_EQ(talk.done[1].outcome.kind, Kind::kNotExecuted);
  EXPECT_EQ(talk.sends.size(), 2u);
}

TEST(ThinCaller, AReadIsAskedForAgainElsewhere) {
  Talk talk(/*sessions=*/false);
  talk.Invoke(1, kv::MakeGet("k"));
  const NodeId first = talk.sends[0].to;
  EXPECT_NE(talk.NextSend().to, first) << "it was silent";
  talk.Answer(talk.sends.back(), Talk::Not(absl::StatusCode::kUnavailable));
  talk.Answer(talk.NextSend(), Talk::Ok());
  ASSERT_EQ(talk.done.size(), 1u);
  EXPECT_EQ(talk.done[0].outcome.kind, Kind::kOk);
}

TEST(ThinCaller, ACommandWithASessionKeepsItsPlaceElsewhere) {
  Talk talk(/*sessions=*/true);
  talk.Invoke(1, kv::MakePut("k", "v"));
  talk.OpenSession(7);
  const proto::Command first = talk.Last().command();
  EXPECT_EQ(first.session(), 7u);
  EXPECT_EQ(first.sequence(), 1u);
  const NodeId silent = talk.sends.back().to;
  EXPECT_NE(talk.NextSend().to, silent);
  EXPECT_EQ(talk.Last().command().SerializeAsString(), first.SerializeAsString());
  talk.Answer(talk.sends.back(), Talk::Ok());
  ASSERT_EQ(talk.done.size(), 1u);
  EXPECT_EQ(talk.done[0].outcome.kind, Kind::kOk);
}

// A gateway speaks for its own call; an earlier one may have been executed.
TEST(ThinCaller, ARefusalAfterSilenceProvesNothing) {
  Talk talk(/*sessions=*/true);
  talk.Invoke(1, kv::MakePut("k", "v"), seconds(1));
  talk.OpenSession(7);
  const client::Send& again = talk.NextSend();
  talk.Answer(again, Talk::Not(absl::StatusCode::kFailedPrecondition, Reply::NOT_EXECUTED,
                               proto::SESSION_UNKNOWN));
  ASSERT_EQ(talk.done.size(), 1u);
  EXPECT_EQ(talk.done[0].outcome.kind, Kind::kUnknown);
}

TEST(ThinCaller, WhatCertainlyWasNotExecutedBeginsAnewInANewSession) {
  Talk talk(/*sessions=*/true);
  talk.Invoke(1, kv::MakePut("k", "v"));
  talk.OpenSession(7);
  talk.Answer(talk.sends.back(), Talk::Not(absl::StatusCode::kFailedPrecondition,
                                           Reply::NOT_EXECUTED, proto::SESSION_UNKNOWN));
  EXPECT_TRUE(talk.done.empty());
  talk.OpenSession(9);
  EXPECT_EQ(talk.Last().command().session(), 9u);
  EXPECT_EQ(talk.Last().command().sequence(), 1u);
}

TEST(ThinCaller, AtTheDeadlineWhatIsOpenDecides) {
  Talk talk(/*sessions=*/true);
  talk.Invoke(1, kv::MakePut("k", "v"), milliseconds(50));
  talk.OpenSession(7);
  talk.Wake();
  ASSERT_EQ(talk.done.size(), 1u);
  EXPECT_EQ(talk.done[0].outcome.kind, Kind::kUnknown);
  Talk refused(/*sessions=*/true);
  refused.Invoke(1, kv::MakePut("k", "v"), milliseconds(50));
  refused.OpenSession(7);
  while (refused.done.empty()) {
    refused.Answer(refused.sends.back(), Talk::Not(absl::StatusCode::kUnavailable));
    refused.Wake();
  }
  EXPECT_EQ(refused.done[0].outcome.kind, Kind::kNotExecuted);
}

}  // namespace
}  // namespace lockstep::sim
