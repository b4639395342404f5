// What leaves at once, what waits for the end of the turn, and what stays inside; and that the two
// kinds of messages on the wire are never taken for each other.
#include "core/node/courier.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/kv/command.h"
#include "core/node/describe.h"
#include "core/raft/codec.h"
#include "tests/support/random_messages.h"

namespace lockstep::node {
namespace {

class Sent final : public Transport {
 public:
  void Send(NodeId to, Bytes message) override { messages.emplace_back(to, std::move(message)); }
  std::vector<std::string> Take() {
    std::vector<std::string> lines;
    for (const auto& [to, message] : messages) {
      lines.push_back(absl::StrCat(to.value(), ": ", DescribeMessage(message)));
    }
    messages.clear();
    return lines;
  }

  std::vector<std::pair<NodeId, Bytes>> messages;
};

raft::Message HeartbeatOf(uint64_t term) {
  return {Term(term), raft::Heartbeat{.commit = Index(), .read_seq = ReadSeq()}};
}

proto::NodeMessage Asks(uint64_t num) {
  proto::NodeMessage message;
  message.mutable_configuration_request()->set_from_group(5);
  message.mutable_configuration_request()->mutable_get()->set_num(num);
  return message;
}

using Lines = std::vector<std::string>;

TEST(Courier, HeartbeatsOfSeveralGroupsLeaveTogether) {
  Sent sent;
  Courier courier(NodeId(1), sent);
  courier.BundleHeartbeats();
  courier.Send(NodeId(2), GroupId(7), HeartbeatOf(3));
  courier.Send(NodeId(3), GroupId(7), HeartbeatOf(3));
  courier.Send(NodeId(2), GroupId(8), {Term(4), raft::HeartbeatReply{.read_seq = ReadSeq()}});
  EXPECT_EQ(sent.Take(), Lines{});
  courier.Send(NodeId(2), GroupId(8), {Term(4), raft::VoteReply{.granted = true}});
  EXPECT_EQ(sent.Take(), Lines{"2: g8 term=4 vote:yes"}) << "nothing else waits";
  courier.Flush();
  EXPECT_EQ(sent.Take(), (Lines{"2: g7 term=3 heartbeat commit=0; g8 term=4 heartbeat:ok",
                                "3: g7 term=3 heartbeat commit=0"}));
  courier.Flush();
  EXPECT_EQ(sent.Take(), Lines{}) << "once";
}

// One alone is sent as it is, so that a node of one group never meets a bundle.
TEST(Courier, ABundleOfOneIsNone) {
  Sent sent;
  Courier courier(NodeId(1), sent);
  courier.BundleHeartbeats();
  courier.Send(NodeId(2), GroupId(7), HeartbeatOf(3));
  courier.Flush();
  ASSERT_EQ(sent.messages.size(), 1u);
  EXPECT_FALSE(IsNodeMessage(sent.messages[0].second));
  courier.Send(NodeId(2), GroupId(7), HeartbeatOf(3));
  courier.Send(NodeId(2), GroupId(8), HeartbeatOf(3));
  courier.Flush();
  ASSERT_EQ(sent.messages.size(), 2u);
  EXPECT_TRUE(IsNodeMessage(sent.messages[1].second));
}

TEST(Courier, OfOneGroupNothingWaits) {
  Sent sent;
  Courier courier(NodeId(1), sent);
  courier.Send(NodeId(2), GroupId(7), HeartbeatOf(3));
  EXPECT_EQ(sent.Take(), Lines{"2: g7 term=3 heartbeat commit=0"});
  courier.Flush();
  EXPECT_EQ(sent.Take(), Lines{});
}

TEST(Courier, WhatIsForTheNodeItselfStaysInside) {
  Sent sent;
  Courier courier(NodeId(1), sent);
  courier.BundleHeartbeats();
  courier.Send(NodeId(1), Asks(3));
  courier.Send(NodeId(2), Asks(4));
  courier.Send(NodeId(1), Asks(5));
  EXPECT_EQ(sent.Take(), Lines{"2: group 5 asks for configuration 4"});
  const std::vector<proto::NodeMessage> local = courier.TakeLocal();
  ASSERT_EQ(local.size(), 2u);
  EXPECT_EQ(local[0].configuration_request().get().num(), 3u);
  EXPECT_EQ(local[1].configuration_request().get().num(), 5u);
  EXPECT_TRUE(courier.TakeLocal().empty()) << "once";
}

// --- The wire

// proto3 leaves out fields that are 0: a message of group 0 in term 0 begins with its body, which
// may be empty.
TEST(Wire, RaftsMessagesAreNeverTakenForOthers) {
  std::set<size_t> kinds;
  Rng rng(1);
  for (int i = 0; i < 20'000; ++i) {
    raft::Message message = test::RandomMessage(rng);
    kinds.insert(message.body.index());
    if (i % 2 == 0) message.term = Term();
    const GroupId group(i % 3 == 0 ? 0 : rng.Next());
    const Bytes bytes = raft::EncodePeerMessage(group, message);
    ASSERT_FALSE(IsNodeMessage(bytes)) << raft::Describe(message);
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<raft::Body>);
}

TEST(Wire, OtherMessagesAreNeverTakenForRafts) {
  proto::NodeMessage shard;
  shard.mutable_shard();
  proto::NodeMessage answer;
  answer.mutable_configuration_answer();
  proto::NodeMessage bundle;
  bundle.add_bundle();
  for (const proto::NodeMessage& message : {shard, answer, bundle, Asks(0)}) {
    EXPECT_TRUE(IsNodeMessage(kv::Encode(message))) << message.body_case();
  }
}

// Whatever arrives: it is one of the two, or neither, and somebody says so.
TEST(Wire, AnyBytesMayCome) {
  EXPECT_FALSE(IsNodeMessage(Bytes()));
  Rng rng(2);
  uint64_t node_messages = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string bytes(rng.Below(12), '\0');
    for (char& byte : bytes) byte = static_cast<char>(rng.Below(256));
    if (!bytes.empty() && rng.Chance({1, 2})) bytes.insert(0, "\xf2\x01");
    const Bytes message = Bytes::Copy(absl::string_view(bytes));
    node_messages += IsNodeMessage(message);
    DescribeMessage(message);
  }
  EXPECT_GT(node_messages, 5'000u);
  EXPECT_LT(node_messages, 150'000u);
}

}  // namespace
}  // namespace lockstep::node
