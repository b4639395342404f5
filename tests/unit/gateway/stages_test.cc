// An answer says where its time went, and the stages add up to it.
#include <gtest/gtest.h>

#include "core/client/events.h"
#include "tests/unit/gateway/bench.h"

namespace lockstep::gateway {
namespace {

using Reply = proto::GatewayReply;

proto::GatewayRequest Request(proto::Command command) {
  proto::GatewayRequest request;
  *request.mutable_command() = std::move(command);
  return request;
}

proto::GatewayRequest Request(proto::Query query) {
  proto::GatewayRequest request;
  *request.mutable_query() = std::move(query);
  return request;
}

uint64_t Us(Duration duration) { return Microseconds(duration); }

// The answer, which must be there by now; its stages must be all of the time since `asked`.
Reply Answered(Bench& bench, uint64_t node, RequestId id, Instant asked) {
  const Reply* const reply = bench.ReplyTo(node, id);
  EXPECT_NE(reply, nullptr) << "no answer";
  if (reply == nullptr) return {};
  EXPECT_EQ(reply->kind(), Reply::OK) << reply->message();
  EXPECT_EQ(reply->route_us() + reply->hop_us() + client::SumUs(reply->stages()),
            Us(bench.RepliedAt(node, id) - asked))
      << "node " << node;
  return *reply;
}

TEST(Stages, OfAWriteTellTheQueueTheLogAndTheTable) {
  Bench bench;
  bench.Join(1, {k102});
  bench.Ask(3, kv::MakePut("k", ""));  // There is a session from here on.
  const Instant began = bench.now();
  bench.HangLog(3);
  const RequestId first = bench.Call(3, Request(kv::MakeAppend("k", "a")));
  bench.Run(milliseconds(10));
  const RequestId second = bench.Call(3, Request(kv::MakeAppend("k", "b")));
  bench.Run(milliseconds(20));
  bench.HangLog(3, false);
  bench.HangTable(3);
  bench.Run(milliseconds(5));
  bench.HangTable(3, false);
  bench.Run(milliseconds(0));

  const Reply one = Answered(bench, 3, first, began);
  EXPECT_EQ(one.stages().log_us(), Us(milliseconds(30)));
  EXPECT_EQ(one.stages().apply_us(), Us(milliseconds(5)));
  EXPECT_EQ(one.stages().queue_us() + one.route_us() + one.hop_us(), 0u);
  // It waits for the write before it.
  const Reply two = Answered(bench, 3, second, began + milliseconds(10));
  EXPECT_EQ(two.stages().queue_us(), Us(milliseconds(20)));
  EXPECT_EQ(two.stages().apply_us(), Us(milliseconds(5)));
}

TEST(Stages, OfAWriteTellTheOtherReplicas) {
  Bench bench;
  bench.Join(1, {k101});
  bench.Ask(1, kv::MakePut("k", ""));
  const uint64_t leader = bench.LeaderOf(k101);
  bench.Ask(leader, kv::MakePut("k", ""));
  // Nobody hears the leader for a while.
  bench.fate = [&](NodeId from, NodeId, const Bytes&) { return from == NodeId(leader) ? 0 : 1; };
  const Instant began = bench.now();
  const RequestId id = bench.Call(leader, Request(kv::MakeAppend("k", "a")));
  bench.Run(milliseconds(30));
  EXPECT_EQ(bench.ReplyTo(leader, id), nullptr);
  bench.fate = [](NodeId, NodeId, const Bytes&) { return 1; };
  bench.Run(seconds(1));
  const Reply reply = Answered(bench, leader, id, began);
  EXPECT_GE(reply.stages().replicate_us(), Us(milliseconds(30)));
  EXPECT_EQ(reply.stages().log_us(), 0u) << "its own disk took no time";
}

TEST(Stages, OfAReadTellTheBarrierAndTheTable) {
  Bench bench;
  bench.Join(1, {k101});
  bench.Ask(1, kv::MakePut("k", ""));
  const uint64_t leader = bench.LeaderOf(k101);
  bench.fate = [&](NodeId from, NodeId, const Bytes&) { return from == NodeId(leader) ? 0 : 1; };
  const Instant began = bench.now();
  const RequestId id = bench.Call(leader, Request(kv::MakeGet("k")));
  bench.Run(milliseconds(30));
  bench.fate = [](NodeId, NodeId, const Bytes&) { return 1; };
  bench.Run(milliseconds(0));
  bench.HangTable(leader);
  bench.Run(milliseconds(50));
  bench.HangTable(leader, false);
  bench.Run(seconds(1));
  const Reply reply = Answered(bench, leader, id, began);
  EXPECT_GE(reply.stages().barrier_us(), Us(milliseconds(30)));
  EXPECT_GT(reply.stages().read_us(), 0u);
  EXPECT_EQ(reply.stages().queue_us() + reply.stages().apply_us(), 0u);
}

// What the gateway tried in vain is its own time.
TEST(Stages, AttemptsInVainArePartOfTheRoute) {
  Bench bench;
  bench.Join(1, {k102});
  bench.Ask(2, kv::MakePut("k", ""));
  int lost = 0;
  bench.fate = [&](NodeId from, NodeId to, const Bytes& message) {
    const bool request = from == NodeId(2) && to == NodeId(3) && Bench::IsForwarding(message);
    return request && lost++ == 0 ? 0 : 1;
  };
  const Instant began = bench.now();
  const RequestId id = bench.Call(2, Request(kv::MakeAppend("k", "a")));
  bench.Run(seconds(1));
  const Reply reply = Answered(bench, 2, id, began);
  EXPECT_GE(lost, 2);
  EXPECT_GE(reply.route_us(), Us(Bench::Options().router.attempt_timeout));
}

TEST(Stages, OfSeveralShardsAreThoseOfTheLast) {
  Bench bench;
  bench.Join(1, {k101, k102});
  const std::string a = bench.KeyOf(k101);
  const std::string b = bench.KeyOf(k102);
  bench.HangTable(3);  // With the only replica of 102.
  const Instant began = bench.now();
  const RequestId id = bench.Call(2, Request(kv::MakeGetMany({a, b})));
  bench.Run(milliseconds(40));
  bench.HangTable(3, false);
  bench.Run(milliseconds(0));
  const Reply reply = Answered(bench, 2, id, began);
  EXPECT_EQ(reply.stages().barrier_us() + reply.stages().read_us(), Us(milliseconds(40)));
}

}  // namespace
}  // namespace lockstep::gateway
