// Connections that break: what was under way fails at once, and nothing is sent in vain for a
// while.
#include <gtest/gtest.h>

#include "tests/unit/gateway/bench.h"

namespace lockstep::gateway {
namespace {

using Reply = proto::GatewayReply;
using Case = proto::NodeMessage::BodyCase;

// Group 102 lives on node 3 alone; node 2 asks. Configuration and session are known.
void Prepare(Bench& bench) {
  bench.Join(1, {k102});
  ASSERT_EQ(bench.Ask(2, kv::MakePut("k", "v")).kind(), Reply::OK);
}

proto::GatewayRequest Put(Duration patience) {
  proto::GatewayRequest request;
  *request.mutable_command() = kv::MakePut("k", "w");
  request.set_patience_us(static_cast<uint64_t>(patience.count() / 1000));
  return request;
}

TEST(Links, NothingIsSentWhereTheConnectionBroke) {
  Bench bench;
  Prepare(bench);
  bench.Link(2, 3, /*up=*/false);
  bench.sent.clear();
  const Reply reply = bench.Ask(2, Put(milliseconds(300)));
  EXPECT_EQ(bench.CountSent(2, 3, Case::kForwardedRequest), 0u);
  EXPECT_EQ(reply.kind(), Reply::NOT_EXECUTED) << "it was never sent";
  EXPECT_EQ(static_cast<absl::StatusCode>(reply.status()), absl::StatusCode::kDeadlineExceeded);
}

TEST(Links, TheDoubtEnds) {
  Bench bench;
  Prepare(bench);
  bench.Link(2, 3, /*up=*/false);
  const Instant broke = bench.now();
  EXPECT_EQ(bench.Ask(2, Put(seconds(5))).kind(), Reply::OK);
  EXPECT_GE(bench.now() - broke, Bench::Options().link_doubt);
  bench.Link(2, 3, /*up=*/false);
  bench.Link(2, 3, /*up=*/true);
  const Instant mended = bench.now();
  EXPECT_EQ(bench.Ask(2, Put(seconds(5))).kind(), Reply::OK);
  EXPECT_LT(bench.now() - mended, milliseconds(100)) << "the connection is back: no doubt";
}

// The request may have arrived: nobody knows what became of it.
TEST(Links, WhatWasUnderWayIsUnknown) {
  Bench bench;
  Prepare(bench);
  bench.fate = [](NodeId, NodeId to, const Bytes& message) {
    return to == NodeId(2) && Bench::IsForwarding(message) ? 0 : 1;  // Answers are lost.
  };
  const RequestId id = bench.Call(2, Put(milliseconds(300)));
  bench.Run(milliseconds(20));
  bench.Link(2, 3, /*up=*/false);
  bench.Run(seconds(1));
  ASSERT_NE(bench.ReplyTo(2, id), nullptr);
  EXPECT_EQ(bench.ReplyTo(2, id)->kind(), Reply::UNKNOWN);
}

// An attempt that waits for its answer need not wait for its time-out, which is 200 ms.
TEST(Links, WhatWasUnderWayIsTriedAgainAtOnce) {
  Bench bench;
  Prepare(bench);
  bool lost = true;
  bench.fate = [&](NodeId, NodeId to, const Bytes& message) {
    return lost && to == NodeId(3) && Bench::IsForwarding(message) ? 0 : 1;
  };
  const RequestId id = bench.Call(2, Put(seconds(5)));
  bench.Run(milliseconds(10));
  lost = false;
  bench.Run(milliseconds(10));
  EXPECT_EQ(bench.ReplyTo(2, id), nullptr) << "it waits";
  bench.Link(2, 3, /*up=*/false);
  bench.Link(2, 3, /*up=*/true);
  bench.Run(milliseconds(50));
  ASSERT_NE(bench.ReplyTo(2, id), nullptr);
  EXPECT_EQ(bench.ReplyTo(2, id)->kind(), Reply::OK);
}

TEST(Links, TheOldestIsGivenUpForANewOne) {
  GatewayOptions options = Bench::Options();
  options.forwarded_max = 2;
  Bench bench(options);
  Prepare(bench);
  bench.fate = [](NodeId, NodeId to, const Bytes& message) {
    return to == NodeId(2) && Bench::IsForwarding(message) ? 0 : 1;  // Answers are lost.
  };
  std::vector<RequestId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(bench.Call(2, Put(milliseconds(150))));
  bench.Run(seconds(2));
  for (const RequestId id : ids) {
    ASSERT_NE(bench.ReplyTo(2, id), nullptr);
    EXPECT_EQ(bench.ReplyTo(2, id)->kind(), Reply::UNKNOWN) << "each was sent, none was answered";
  }
}

}  // namespace
}  // namespace lockstep::gateway
