// Calls through a gateway: whoever is asked, the shard's group answers; forwarded at most once; a
// session of the caller's goes from node to node.
#include <gtest/gtest.h>

#include "core/gateway/gateway.h"
#include "core/gateway/seen_requests.h"
#include "tests/unit/gateway/bench.h"

namespace lockstep::gateway {
namespace {

using Reply = proto::GatewayReply;

TEST(Gateway, AnyNodeAnswersForAnyKey) {
  Bench bench;
  ASSERT_EQ(bench.Join(2, {k101, k102}).kind(), Reply::OK);
  for (const GroupId group : {k101, k102}) {
    const std::string key = bench.KeyOf(group);
    for (uint64_t node = 1; node <= 3; ++node) {
      const std::string value = "v" + std::to_string(node);
      EXPECT_EQ(bench.Ask(node, kv::MakePut(key, value)).kind(), Reply::OK);
      for (uint64_t reader = 1; reader <= 3; ++reader) {
        const Reply got = bench.Ask(reader, kv::MakeGet(key));
        EXPECT_EQ(got.result().value(), value) << "written at " << node << ", read at " << reader;
        EXPECT_FALSE(got.result().stale());
      }
    }
  }
}

TEST(Gateway, KeysOfSeveralGroupsInOneCall) {
  Bench bench;
  bench.Join(1, {k101, k102});
  const std::string a = bench.KeyOf(k101);
  const std::string b = bench.KeyOf(k102);
  proto::GatewayRequest bulk;
  for (const std::string& key : {a, b}) {
    proto::Put& put = *bulk.mutable_bulk()->add_operations()->mutable_put();
    put.set_key(key);
    put.set_value("of " + key);
  }
  const Reply written = bench.Ask(2, bulk);
  ASSERT_EQ(written.kind(), Reply::OK);
  ASSERT_EQ(written.each_size(), 2);
  EXPECT_EQ(written.each(0).kind(), Reply::OK);
  const Reply read = bench.Ask(2, kv::MakeGetMany({a, b}));
  ASSERT_EQ(read.result().pairs_size(), 2);
  EXPECT_EQ(read.result().pairs(1).value(), "of " + b);
  EXPECT_EQ(bench.Ask(1, kv::MakeList("")).result().pairs_size(), 2);
}

TEST(Gateway, WhatIsForwardedIsExecutedOnceHoweverOftenItComes) {
  Bench bench;
  bench.Join(1, {k102});
  bench.Ask(2, kv::MakePut("other", ""));  // The nodes know each other's lives from here on.
  bench.fate = [](NodeId, NodeId, const Bytes& message) {
    return Bench::IsForwarding(message) && Decoded(message).has_forwarded_request() ? 3 : 1;
  };
  bench.sent.clear();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bench.Ask(2, kv::MakeAppend("k", "x")).kind(), Reply::OK);
  using Case = proto::NodeMessage::BodyCase;
  EXPECT_EQ(bench.CountSent(2, 3, Case::kForwardedRequest),
            bench.CountSent(3, 2, Case::kForwardedReply))
      << "a copy was answered too, so it was given to the node";
  EXPECT_EQ(bench.Ask(2, kv::MakeGet("k")).result().value(), "xxxxx");
}

TEST(Gateway, AnswersOfAnEarlierLifeOrOfSomebodyElseAreNoAnswers) {
  Bench bench;
  bench.Join(1, {k102});
  proto::NodeMessage held;
  bench.fate = [&](NodeId from, NodeId to, const Bytes& message) {
    if (from != NodeId(2) || to != NodeId(3) || !Bench::IsForwarding(message)) return 1;
    held = Decoded(message);
    return 0;
  };
  proto::GatewayRequest request;
  *request.mutable_query() = kv::MakeGet("k");
  request.set_patience_us(150'000);
  const RequestId id = bench.Call(2, request);
  bench.Run(milliseconds(20));
  ASSERT_TRUE(held.has_forwarded_request());
  proto::ClientReply lie;
  lie.mutable_result()->set_code(proto::OK);
  lie.mutable_result()->set_value("wrong");
  proto::NodeMessage answer;
  answer.mutable_forwarded_reply()->set_id(held.forwarded_request().id());
  answer.mutable_forwarded_reply()->set_reply(lie.SerializeAsString());
  answer.mutable_forwarded_reply()->set_life(held.forwarded_request().life() - 1);
  bench.Deliver(3, 2, answer);
  EXPECT_EQ(bench.ReplyTo(2, id), nullptr);
  answer.mutable_forwarded_reply()->set_life(held.forwarded_request().life());
  bench.Deliver(1, 2, answer);
  EXPECT_EQ(bench.ReplyTo(2, id), nullptr);
  bench.Deliver(3, 2, answer);
  ASSERT_NE(bench.ReplyTo(2, id), nullptr) << "this is whom it had asked, in this life";
  EXPECT_EQ(bench.ReplyTo(2, id)->result().value(), "wrong");
}

TEST(Gateway, ARetryAtAnotherNodeIsTheSameCommand) {
  Bench bench;
  bench.Join(1, {k101});
  const Reply session = bench.Ask(1, kv::MakeRegisterSession(7), "k");
  ASSERT_EQ(session.kind(), Reply::OK);
  const proto::Command append =
      kv::InSession(kv::MakeAppend("k", "x"), SessionId(session.result().session()), /*sequence=*/1,
                    /*first_outstanding=*/1);
  const Reply first = bench.Ask(2, append);
  ASSERT_EQ(first.kind(), Reply::OK);
  EXPECT_FALSE(first.result().replayed());
  const Reply again = bench.Ask(3, append);
  EXPECT_TRUE(again.result().replayed());
  EXPECT_EQ(again.result().index(), first.result().index());
  EXPECT_EQ(bench.Ask(1, kv::MakeGet("k")).result().value(), "x");
  EXPECT_EQ(bench.Ask(2, kv::MakeCloseSession(SessionId(session.result().session())), "k").kind(),
            Reply::OK);
  const Reply late = bench.Ask(1, append);
  EXPECT_EQ(late.kind(), Reply::NOT_EXECUTED);
  EXPECT_EQ(late.result().code(), proto::SESSION_UNKNOWN);
}

TEST(Gateway, StaleReadsSaySoAndNeedNoLeader) {
  Bench bench;
  bench.Join(1, {k101});
  ASSERT_EQ(bench.Ask(1, kv::MakePut("k", "old")).kind(), Reply::OK);
  bench.Run(seconds(1));
  const uint64_t leader = bench.LeaderOf(k101);
  const uint64_t behind = leader == 2 ? 3 : 2;
  // From here on the replica hears nothing of its group.
  bench.fate = [&](NodeId, NodeId to, const Bytes& message) {
    return to == NodeId(behind) && !Bench::IsForwarding(message) ? 0 : 1;
  };
  ASSERT_EQ(bench.Ask(1, kv::MakePut("k", "new")).kind(), Reply::OK);
  proto::Query stale = kv::MakeGet("k");
  stale.set_stale(true);
  const Reply old = bench.Ask(behind, stale);
  EXPECT_EQ(old.result().value(), "old");
  EXPECT_TRUE(old.result().stale());
  const Reply newest = bench.Ask(behind, kv::MakeGet("k"));
  EXPECT_EQ(newest.result().value(), "new");
  EXPECT_FALSE(newest.result().stale());
  proto::Query list = kv::MakeList("");
  list.set_stale(true);
  EXPECT_TRUE(bench.Ask(behind, list).result().stale());
}

TEST(Gateway, WhatMakesNoSenseIsRefused) {
  Bench bench;
  bench.Join(1, {k101});
  EXPECT_EQ(bench
                .Ask(1, proto::GatewayRequest([] {
                       proto::GatewayRequest request;
                       request.set_patience_us(5);
                       return request;
                     }()))
                .message(),
            "the request asks for nothing");
  const Reply keyless = bench.Ask(1, kv::MakeRegisterSession(1));
  EXPECT_EQ(keyless.kind(), Reply::NOT_EXECUTED);
  EXPECT_EQ(keyless.result().code(), proto::INVALID_ARGUMENT);
  proto::Command half = kv::MakePut("k", "v");
  half.set_sequence(3);
  EXPECT_EQ(bench.Ask(1, half).kind(), Reply::NOT_EXECUTED) << "a sequence without a session";
}

// A copy of a request may outlive the process that has seen it.
TEST(Gateway, NoLifeTakesWhatDoesNotNameIt) {
  Bench bench;
  bench.Join(1, {k102});
  proto::ClientRequest request;
  request.set_group(102);
  *request.mutable_query() = kv::MakeGet("k");
  for (const uint64_t to_life : {uint64_t{0}, uint64_t{77}}) {
    bench.sent.clear();
    proto::NodeMessage message;
    message.mutable_forwarded_request()->set_life(99);
    message.mutable_forwarded_request()->set_id(1);
    message.mutable_forwarded_request()->set_to_life(to_life);
    message.mutable_forwarded_request()->set_request(request.SerializeAsString());
    bench.Deliver(1, 3, message);
    ASSERT_EQ(bench.CountSent(3, 1, proto::NodeMessage::kForwardedReply), 1u);
    const auto answer =
        std::find_if(bench.sent.begin(), bench.sent.end(),
                     [](const Bench::Sent& one) { return Bench::IsForwarding(one.message); });
    const proto::ForwardedReply reply = Decoded(answer->message).forwarded_reply();
    EXPECT_TRUE(reply.not_taken());
    EXPECT_EQ(reply.from_life(), 1u);
    EXPECT_EQ(reply.reply(), "");
  }
}

// The life that was named may have taken a copy before it ended.
TEST(Gateway, WhatAnotherLifeDidNotTakeIsUnknown) {
  Bench bench;
  bench.Join(1, {k102});
  ASSERT_EQ(bench.Ask(2, kv::MakePut("k", "v")).kind(), Reply::OK);
  proto::NodeMessage held;
  bench.fate = [&](NodeId from, NodeId to, const Bytes& message) {
    if (from != NodeId(2) || to != NodeId(3) || !Bench::IsForwarding(message)) return 1;
    held = Decoded(message);
    return 0;
  };
  proto::GatewayRequest put;
  *put.mutable_command() = kv::MakePut("k", "w");
  put.set_patience_us(150'000);
  const RequestId id = bench.Call(2, put);
  bench.Run(milliseconds(20));
  ASSERT_TRUE(held.has_forwarded_request());
  EXPECT_EQ(held.forwarded_request().to_life(), 1u);
  proto::NodeMessage answer;
  answer.mutable_forwarded_reply()->set_life(held.forwarded_request().life());
  answer.mutable_forwarded_reply()->set_id(held.forwarded_request().id());
  answer.mutable_forwarded_reply()->set_from_life(55);
  answer.mutable_forwarded_reply()->set_not_taken(true);
  bench.Deliver(3, 2, answer);
  bench.Run(seconds(1));
  ASSERT_NE(bench.ReplyTo(2, id), nullptr);
  EXPECT_EQ(bench.ReplyTo(2, id)->kind(), Reply::UNKNOWN);
  EXPECT_EQ(held.forwarded_request().to_life(), 55u) << "the next attempt names the new life";
}

// Nothing is carried round in circles: gateways ask replicas, not gateways.
TEST(Gateway, AForwardedCallIsNotCarriedOut) {
  Bench bench;
  proto::GatewayRequest call;
  call.mutable_cluster_status();
  proto::NodeMessage message;
  message.mutable_forwarded_request()->set_life(99);
  message.mutable_forwarded_request()->set_to_life(1);  // It booted at time 0.
  message.mutable_forwarded_request()->set_id(1);
  message.mutable_forwarded_request()->set_request(call.SerializeAsString());
  bench.sent.clear();
  bench.Deliver(2, 1, message);
  EXPECT_EQ(bench.CountSent(1, 2, proto::NodeMessage::kForwardedReply), 0u);
  EXPECT_EQ(bench.CountSent(1, 2, proto::NodeMessage::kForwardedRequest), 0u);
}

TEST(SeenRequests, AdmitsEachOnceWithinItsWindow) {
  const struct {
    uint64_t life;
    uint64_t id;
    bool want;
    const char* why;
  } kRows[] = {
      {5, 1, true, "the first"},
      {5, 1, false, "again"},
      {5, 3, true, "one is missing"},
      {5, 2, true, "it comes late"},
      {5, 2, false, "and again"},
      {5, 9, true, "far ahead: 1 and 2 are forgotten"},
      {5, 10, true, "far ahead"},
      {5, 2, false, "forgotten, hence too old to tell"},
      {5, 8, true, "not seen, and not too old"},
      {5, 3, false, "too old now"},
      {4, 77, false, "of an earlier life"},
      {6, 1, true, "of a later life all are new"},
      {5, 11, false, "of what is now an earlier life"},
  };
  SeenRequests seen;
  for (const auto& row : kRows) {
    EXPECT_EQ(seen.Admit(row.life, row.id, /*remembered_max=*/3), row.want)
        << row.life << "/" << row.id << ": " << row.why;
  }
}

TEST(Gateway, TellsCallsFromRequestsToTheNode) {
  proto::GatewayRequest call;
  *call.mutable_query() = kv::MakeGet("k");
  EXPECT_TRUE(IsGatewayRequest(kv::Encode(call)));
  proto::ClientRequest request;
  request.set_group(101);
  *request.mutable_query() = kv::MakeGet("k");
  EXPECT_FALSE(IsGatewayRequest(kv::Encode(request)));
  EXPECT_FALSE(IsGatewayRequest(Bytes()));
}

}  // namespace
}  // namespace lockstep::gateway
