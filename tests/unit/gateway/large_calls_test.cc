// Large calls are worked on a copy at a time, each in a turn of its own: between two of them all
// else goes on.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/gateway/gateway.h"
#include "tests/unit/gateway/bench.h"

namespace lockstep::gateway {
namespace {

using Reply = proto::GatewayReply;

constexpr uint64_t kLarge = 500;

GatewayOptions Options() {
  GatewayOptions options = Bench::Options();
  options.large_bytes = kLarge;
  return options;
}

proto::GatewayRequest PutRequest(const std::string& key, size_t bytes) {
  proto::GatewayRequest request;
  *request.mutable_command() = kv::MakePut(key, std::string(bytes, 'v'));
  return request;
}

proto::GatewayRequest GetRequest(const std::string& key) {
  proto::GatewayRequest request;
  *request.mutable_query() = kv::MakeGet(key);
  return request;
}

int RingWhileDue(Bench& bench, uint64_t node) {
  int rings = 0;
  while (rings < 100 && bench.Ring(node)) ++rings;
  return rings;
}

// Key of group 102, which node 3 hosts alone; its session is there already.
std::string Prepared(Bench& bench) {
  EXPECT_EQ(bench.Join(1, {k101, k102}).kind(), Reply::OK);
  const std::string key = bench.KeyOf(k102);
  EXPECT_EQ(bench.Ask(3, kv::MakePut(key, "small")).kind(), Reply::OK);
  RingWhileDue(bench, 3);
  return key;
}

TEST(LargeCalls, EachCopyHasATurnOfItsOwn) {
  Bench bench(Options());
  const std::string key = Prepared(bench);
  const RequestId put = bench.Call(3, PutRequest(key, 2 * kLarge));
  EXPECT_EQ(RingWhileDue(bench, 3), 3) << "it is parsed, becomes an attempt, and reaches the node";
  bench.Settle();
  ASSERT_NE(bench.ReplyTo(3, put), nullptr);
  EXPECT_EQ(bench.ReplyTo(3, put)->kind(), Reply::OK);

  const RequestId get = bench.Call(3, GetRequest(key));
  bench.Settle();
  EXPECT_EQ(bench.ReplyTo(3, get), nullptr);
  EXPECT_EQ(RingWhileDue(bench, 3), 2) << "the reply is parsed, and becomes the answer";
  ASSERT_NE(bench.ReplyTo(3, get), nullptr);
  EXPECT_EQ(bench.ReplyTo(3, get)->result().value(), std::string(2 * kLarge, 'v'));
}

TEST(LargeCalls, SmallOnesDoNotWaitForThem) {
  Bench bench(Options());
  const std::string key = Prepared(bench);
  std::vector<RequestId> large;
  for (int i = 0; i < 5; ++i) large.push_back(bench.Call(3, PutRequest(key, 2 * kLarge)));
  const RequestId small = bench.Call(3, PutRequest(key, 10));
  bench.Settle();
  ASSERT_NE(bench.ReplyTo(3, small), nullptr) << "nothing keeps it";
  for (const RequestId id : large) EXPECT_EQ(bench.ReplyTo(3, id), nullptr);
  EXPECT_EQ(RingWhileDue(bench, 3), 15);
  bench.Settle();
  for (const RequestId id : large) {
    ASSERT_NE(bench.ReplyTo(3, id), nullptr);
    EXPECT_EQ(bench.ReplyTo(3, id)->kind(), Reply::OK);
  }
}

TEST(LargeCalls, ReachOtherNodesAndComeBack) {
  Bench bench(Options());
  const std::string key = Prepared(bench);
  EXPECT_EQ(bench.Ask(1, kv::MakePut(key, std::string(2 * kLarge, 'v'))).kind(), Reply::OK);
  for (uint64_t node = 1; node <= 3; ++node) {
    const Reply reply = bench.Ask(node, kv::MakeGet(key));
    ASSERT_EQ(reply.kind(), Reply::OK);
    EXPECT_EQ(reply.result().value(), std::string(2 * kLarge, 'v')) << "through node " << node;
  }
}

}  // namespace
}  // namespace lockstep::gateway
