// Questions about the whole cluster: how everybody is, joins without members, transfers.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/unit/gateway/bench.h"

namespace lockstep::gateway {
namespace {

using Reply = proto::GatewayReply;
using lockstep::v1::NodeStatus;

const NodeStatus& Of(const Reply& reply, int node) {
  EXPECT_EQ(reply.cluster_status().nodes_size(), 3);
  return reply.cluster_status().nodes(node - 1);
}

TEST(Inquiry, EverybodyTellsHowItIs) {
  Bench bench;
  bench.Join(1, {k101});
  const std::string key = bench.KeyOf(k101);
  bench.Ask(1, kv::MakePut(key, "value"));
  bench.Run(seconds(1));
  for (uint64_t asked = 1; asked <= 3; ++asked) {
    const Reply reply = bench.Status(asked, /*shards=*/true);
    ASSERT_EQ(reply.kind(), Reply::OK);
    EXPECT_EQ(reply.cluster_status().answered_by(), asked);
    EXPECT_EQ(reply.cluster_status().configuration_num(), 1u);
    EXPECT_EQ(reply.cluster_status().configuration().groups_size(), 1);
    for (int node = 1; node <= 3; ++node) {
      EXPECT_TRUE(Of(reply, node).online()) << node;
      EXPECT_EQ(Of(reply, node).error(), "");
      EXPECT_EQ(Of(reply, node).replicas_size(), node == 2 ? 1 : 2);
    }
    const lockstep::v1::ReplicaStatus& replica = Of(reply, 2).replicas(0);
    EXPECT_EQ(replica.group(), 101u);
    EXPECT_EQ(replica.members_size(), 3);
    EXPECT_EQ(replica.shards_size(), static_cast<int>(kShards));
    EXPECT_EQ(replica.keys(), 1u);
    EXPECT_EQ(replica.value_bytes(), key.size() + 5);
  }
}

TEST(Inquiry, WhoIsSilentIsOffline) {
  Bench bench;
  bench.Silence(3);
  const Instant asked = bench.now();
  const Reply reply = bench.Status(2);
  ASSERT_EQ(reply.kind(), Reply::OK);
  EXPECT_GE(bench.now() - asked, Bench::Options().status_patience);
  EXPECT_LT(bench.now() - asked, 2 * Bench::Options().status_patience);
  EXPECT_TRUE(Of(reply, 1).online());
  EXPECT_FALSE(Of(reply, 3).online());
  EXPECT_EQ(Of(reply, 3).error(), "no answer in time");
  EXPECT_EQ(Of(reply, 3).peer_address(), "server-3:1") << "what is known all the same";
}

TEST(Inquiry, WhoCannotBeReachedIsNotWaitedFor) {
  Bench bench;
  bench.Silence(3);
  bench.Link(2, 3, /*up=*/false);
  const Instant asked = bench.now();
  const Reply reply = bench.Status(2);
  EXPECT_LT(bench.now() - asked, milliseconds(100));
  EXPECT_EQ(Of(reply, 3).error(), "it cannot be reached");
}

TEST(Inquiry, NobodyWaitsForTheController) {
  Bench bench;
  bench.Join(1, {k101});
  bench.Silence(1);
  const Reply reply = bench.Status(2);
  ASSERT_EQ(reply.kind(), Reply::OK);
  EXPECT_EQ(reply.cluster_status().configuration_num(), 0u);
  EXPECT_TRUE(Of(reply, 3).online());
}

// It knows all but what its table would say.
TEST(Inquiry, ANodeWhoseTableHangsIsOnline) {
  Bench bench;
  bench.Join(1, {k101});
  bench.HangTable(2);
  for (const uint64_t asked : {uint64_t{2}, uint64_t{3}}) {
    const Reply reply = bench.Status(asked, /*shards=*/true);
    EXPECT_TRUE(Of(reply, 2).online()) << "asked at " << asked;
    EXPECT_EQ(Of(reply, 2).replicas(0).shards_size(), 0);
    EXPECT_EQ(Of(reply, 3).replicas(0).shards_size(), static_cast<int>(kShards));
  }
}

TEST(Inquiry, AGroupJoinsWithTheMembersThatItHas) {
  Bench bench;
  ASSERT_EQ(bench.Join(3, {k101, k102}).kind(), Reply::OK);
  proto::Query query;
  query.mutable_get_configuration();
  const Reply reply = bench.Ask(2, query);
  ASSERT_EQ(reply.result().configuration().groups_size(), 2);
  const proto::ShardGroup& group = reply.result().configuration().groups(0);
  ASSERT_EQ(group.members_size(), 3);
  EXPECT_EQ(group.members(1).node(), 2u);
  EXPECT_EQ(group.members(1).address(), "server-2:1");
  EXPECT_EQ(reply.result().configuration().groups(1).members_size(), 1);
}

TEST(Inquiry, AGroupThatNobodyHostsDoesNotJoin) {
  Bench bench;
  const Reply reply = bench.Join(1, {GroupId(555)});
  EXPECT_EQ(reply.kind(), Reply::NOT_EXECUTED);
  EXPECT_NE(reply.message().find("no node that answers hosts group 555"), std::string::npos)
      << reply.message();
  EXPECT_EQ(bench.Status(1).cluster_status().configuration_num(), 0u);
}

// With members that are named, who may know better: but those that answer do.
TEST(Inquiry, AGroupThatItsMembersDoNotHostDoesNotJoin) {
  Bench bench;
  proto::GatewayRequest request;
  proto::ShardGroup& group = *request.mutable_join()->add_groups();
  group.set_gid(555);
  group.add_members()->set_node(2);
  const Reply reply = bench.Ask(1, request);
  EXPECT_EQ(reply.kind(), Reply::NOT_EXECUTED);
  EXPECT_TRUE(absl::StrContains(reply.message(),
                                "node 2 answers, and hosts no replica of group 555: start the "
                                "group's nodes with --group 555="))
      << reply.message();
  group.mutable_members(0)->set_node(9);
  group.mutable_members(0)->set_address("server-9:1");
  EXPECT_EQ(bench.Ask(1, request).kind(), Reply::OK) << "node 9 is yet to come";
}

TEST(Inquiry, ATransferIsPassedOnToTheLeader) {
  Bench bench;
  const uint64_t leader = bench.LeaderOf(k101);
  const uint64_t next = leader % 3 + 1;
  const uint64_t asked = next % 3 + 1;
  proto::GatewayRequest request;
  request.mutable_transfer()->set_group(101);
  request.mutable_transfer()->set_to(next);
  EXPECT_EQ(bench.Ask(asked, request).kind(), Reply::OK);
  bench.Run(seconds(1));
  EXPECT_EQ(bench.LeaderOf(k101), next);
  request.mutable_transfer()->set_group(555);
  const Reply nobody = bench.Ask(asked, request);
  EXPECT_EQ(nobody.kind(), Reply::NOT_EXECUTED);
  EXPECT_EQ(static_cast<absl::StatusCode>(nobody.status()), absl::StatusCode::kUnavailable);
}

// Seed 319 of the shard profile: the leader's answer was lost, and the call was never answered.
TEST(Inquiry, ATransferWhoseAnswerIsLostEndsAsUnknown) {
  Bench bench;
  const uint64_t leader = bench.LeaderOf(k101);
  const uint64_t asked = leader % 3 + 1;
  bench.fate = [&](NodeId from, NodeId, const Bytes& message) {
    if (from != NodeId(leader) || !Bench::IsForwarding(message)) return 1;
    const proto::NodeMessage decoded = Decoded(message);
    proto::ClientReply reply;
    return reply.ParseFromString(decoded.forwarded_reply().reply()) && reply.has_node_status() ? 1
                                                                                               : 0;
  };
  proto::GatewayRequest request;
  request.mutable_transfer()->set_group(101);
  request.set_patience_us(2'000'000);
  const Instant begin = bench.now();
  const Reply reply = bench.Ask(asked, request);
  EXPECT_EQ(reply.kind(), Reply::UNKNOWN);
  EXPECT_EQ(static_cast<absl::StatusCode>(reply.status()), absl::StatusCode::kDeadlineExceeded);
  EXPECT_GE(bench.now() - begin, seconds(2));
  EXPECT_LT(bench.now() - begin, seconds(3));
}

}  // namespace
}  // namespace lockstep::gateway
