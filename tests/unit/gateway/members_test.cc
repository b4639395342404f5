// Nodes come into groups and go, asked of a gateway.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/unit/gateway/bench.h"

namespace lockstep::gateway {
namespace {

using Reply = proto::GatewayReply;
using lockstep::v1::GroupChange;

proto::GatewayRequest Change(uint64_t add, uint64_t remove, std::vector<uint64_t> groups = {}) {
  proto::GatewayRequest request;
  request.mutable_change_nodes()->set_add(add);
  request.mutable_change_nodes()->set_remove(remove);
  for (const uint64_t group : groups) request.mutable_change_nodes()->add_groups(group);
  return request;
}

absl::StatusCode StatusOf(const Reply& reply) {
  return static_cast<absl::StatusCode>(reply.status());
}

// What the group's leader says of its members; nullptr and a failure: nobody leads.
const lockstep::v1::ReplicaStatus* Leading(const Reply& status, GroupId group) {
  for (const auto& node : status.cluster_status().nodes()) {
    for (const auto& replica : node.replicas()) {
      if (replica.group() == group.value() && replica.role() == lockstep::v1::LEADER) {
        return &replica;
      }
    }
  }
  ADD_FAILURE() << "nobody leads group " << group;
  return nullptr;
}

// "1 2 joins:3 learner:4", in the leader's words.
std::string MembersOf(Bench& bench, GroupId group) {
  const Reply status = bench.Status(1);
  const lockstep::v1::ReplicaStatus* leading = Leading(status, group);
  std::string text;
  if (leading == nullptr) return text;
  for (const auto& member : leading->group_members()) {
    if (!text.empty()) text += " ";
    if (member.joins()) text += "joins:";
    if (member.leaves()) text += "leaves:";
    if (!member.voter() && !member.joins()) text += "learner:";
    text += std::to_string(member.node());
  }
  return text;
}

TEST(Members, ANodeLeavesAGroupAndComesBack) {
  Bench bench;
  for (const uint64_t asked : {uint64_t{1}, uint64_t{2}}) {
    const Reply gone = bench.Ask(asked, Change(0, 2, {101}));
    ASSERT_EQ(gone.kind(), Reply::OK) << gone.message();
    ASSERT_EQ(gone.groups_size(), 1);
    EXPECT_EQ(gone.groups(0).group(), 101u);
    EXPECT_EQ(gone.groups(0).outcome(), GroupChange::BEGUN);
    EXPECT_GT(gone.groups(0).membership_id(), 0u);
    bench.Run(seconds(2));
    EXPECT_EQ(MembersOf(bench, k101), "1 3");

    const Reply back = bench.Ask(asked, Change(2, 0, {101}));
    ASSERT_EQ(back.kind(), Reply::OK) << back.message();
    EXPECT_GT(back.groups(0).membership_id(), gone.groups(0).membership_id());
    bench.Run(seconds(2));
    EXPECT_EQ(MembersOf(bench, k101), "1 2 3");
  }
}

TEST(Members, WithoutGroupsAnAddedNodeComesIntoAllOfTheConfigurationAndTheController) {
  Bench bench;
  bench.Join(1, {k101, k102});
  const Reply reply = bench.Ask(2, Change(3, 0));
  ASSERT_EQ(reply.kind(), Reply::OK) << reply.message();
  ASSERT_EQ(reply.groups_size(), 3);
  EXPECT_EQ(reply.groups(0).group(), 0u);
  EXPECT_EQ(reply.groups(0).outcome(), GroupChange::BEGUN);
  EXPECT_EQ(reply.groups(1).group(), 101u);
  EXPECT_EQ(reply.groups(1).outcome(), GroupChange::UNCHANGED);
  EXPECT_EQ(reply.groups(2).group(), 102u);
  EXPECT_EQ(reply.groups(2).outcome(), GroupChange::UNCHANGED);
  EXPECT_TRUE(absl::StrContains(reply.groups(2).message(), "is a voter of group 102 already"));
}

TEST(Members, WithoutTheControllerAGroupHasToBeNamed) {
  Bench bench;
  bench.Join(1, {k101});
  bench.Silence(1);
  const Reply all = bench.Ask(2, Change(3, 0));
  EXPECT_EQ(all.kind(), Reply::NOT_EXECUTED);
  EXPECT_EQ(StatusOf(all), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(all.message(), "name the groups")) << all.message();
  bench.Run(seconds(2));
  EXPECT_EQ(bench.Ask(2, Change(2, 0, {101})).kind(), Reply::OK);
}

TEST(Members, WithoutGroupsANodeLeavesAllThatHaveItExceptWhereItIsTheLast) {
  Bench bench;
  const Reply reply = bench.Ask(1, Change(0, 3));
  ASSERT_EQ(reply.kind(), Reply::OK) << "something has begun";
  ASSERT_EQ(reply.groups_size(), 2);
  EXPECT_EQ(reply.groups(0).outcome(), GroupChange::BEGUN);
  EXPECT_EQ(reply.groups(1).group(), 102u);
  EXPECT_EQ(reply.groups(1).outcome(), GroupChange::REFUSED);
  EXPECT_EQ(reply.groups(1).reason(), GroupChange::LAST_VOTER);
  bench.Run(seconds(2));
  EXPECT_EQ(MembersOf(bench, k102), "3");

  const Reply again = bench.Ask(1, Change(0, 3));
  EXPECT_EQ(again.kind(), Reply::NOT_EXECUTED) << "nothing has begun";
  EXPECT_EQ(StatusOf(again), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(again.groups_size(), 1) << "group 101 has it no more";
  EXPECT_TRUE(absl::StrContains(again.message(), "node 3 is the last voter of group 102"));

  const Reply stranger = bench.Ask(1, Change(0, 9));
  EXPECT_EQ(stranger.kind(), Reply::OK) << "it is nowhere";
  EXPECT_EQ(stranger.groups_size(), 0);
}

TEST(Members, AChangeIsCalledOffByRemovingWhoCatchesUp) {
  Bench bench;
  bench.fate = [](NodeId from, NodeId to, const Bytes& message) {
    return Bench::IsForwarding(message) || from != NodeId(3) || to != NodeId(2) ? 1 : 0;
  };
  ASSERT_EQ(bench.Ask(1, Change(2, 0, {102})).kind(), Reply::OK);
  bench.Run(seconds(1));
  EXPECT_EQ(MembersOf(bench, k102), "joins:2 3");
  const Reply again = bench.Ask(1, Change(2, 0, {102}));
  EXPECT_EQ(again.groups(0).outcome(), GroupChange::UNCHANGED) << "it joins already";

  const Reply other = bench.Ask(1, Change(1, 0, {102}));
  EXPECT_EQ(other.kind(), Reply::NOT_EXECUTED);
  EXPECT_EQ(StatusOf(other), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(other.groups(0).reason(), GroupChange::CHANGE_PENDING);
  EXPECT_TRUE(absl::StrContains(other.message(), "call it off")) << other.message();

  const Reply off = bench.Ask(1, Change(0, 2, {102}));
  ASSERT_EQ(off.kind(), Reply::OK) << off.message();
  EXPECT_TRUE(absl::StrContains(off.groups(0).message(), "called off"));
  bench.Run(seconds(1));
  EXPECT_EQ(MembersOf(bench, k102), "3");
}

TEST(Members, AReplacementIsOneChange) {
  Bench bench;
  bench.fate = [](NodeId from, NodeId to, const Bytes& message) {
    return Bench::IsForwarding(message) || from != NodeId(3) || to != NodeId(1) ? 1 : 0;
  };
  const Reply reply = bench.Ask(2, Change(1, 3, {102}));
  ASSERT_EQ(reply.kind(), Reply::OK) << reply.message();
  EXPECT_TRUE(absl::StrContains(reply.groups(0).message(), "in place of node 3"));
  bench.Run(seconds(1));
  EXPECT_EQ(MembersOf(bench, k102), "joins:1 leaves:3");
  const Reply stranger = bench.Ask(2, Change(1, 9, {101}));
  EXPECT_EQ(stranger.groups(0).outcome(), GroupChange::UNCHANGED)
      << "as if it had been done before";
  const Reply nobody = bench.Ask(2, Change(2, 1, {0}));
  EXPECT_EQ(nobody.groups(0).outcome(), GroupChange::BEGUN) << nobody.message();
  const Reply missing = bench.Ask(2, Change(3, 2, {0}));
  EXPECT_EQ(missing.groups(0).outcome(), GroupChange::REFUSED);
}

TEST(Members, WhoIsToComeMustAnswer) {
  Bench bench;
  const Reply unknown = bench.Ask(1, Change(9, 0, {101}));
  EXPECT_EQ(unknown.kind(), Reply::NOT_EXECUTED);
  EXPECT_EQ(unknown.groups(0).reason(), GroupChange::NODE_SILENT);
  EXPECT_TRUE(absl::StrContains(unknown.message(), "lockstepd --join HOST:PORT --node-id 9"))
      << unknown.message();
  bench.Silence(2);
  const Reply silent = bench.Ask(1, Change(2, 0, {102}));
  EXPECT_EQ(silent.groups(0).reason(), GroupChange::NODE_SILENT);
  EXPECT_TRUE(absl::StrContains(silent.message(), "node 2 does not answer (no answer in time)"))
      << silent.message();
  EXPECT_EQ(MembersOf(bench, k102), "3");
}

TEST(Members, WhatMakesNoSenseIsRefusedAtOnce) {
  struct Row {
    proto::GatewayRequest request;
    const char* want;
  };
  proto::GatewayRequest port = Change(2, 0);
  port.mutable_change_nodes()->set_address("host");
  proto::GatewayRequest high = Change(2, 0);
  high.mutable_change_nodes()->set_address("host:65536");
  proto::GatewayRequest useless = Change(0, 2);
  useless.mutable_change_nodes()->set_address("host:1");
  proto::GatewayRequest many = Change(2, 0, std::vector<uint64_t>(5000, 101));
  Bench bench;
  const size_t sent = bench.sent.size();
  for (const Row& row :
       {Row{Change(0, 0), "node ids begin at 1"},
        Row{Change(2, 2), "node 2 cannot be replaced by itself"},
        Row{port, "\"host\" is no address: write HOST:PORT"},
        Row{high, "\"host:65536\" has no port: HOST:PORT with a port of 1 to 65535"},
        Row{useless, "an address is for a node that comes"}, Row{many, "5000 groups are named"}}) {
    const Reply reply = bench.Ask(1, row.request);
    EXPECT_EQ(reply.kind(), Reply::NOT_EXECUTED);
    EXPECT_EQ(StatusOf(reply), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(reply.message(), row.want)) << reply.message();
  }
  EXPECT_EQ(bench.sent.size(), sent) << "nobody else was asked";
  const Reply nowhere = bench.Ask(1, Change(2, 0, {555}));
  EXPECT_EQ(StatusOf(nowhere), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(nowhere.message(), "no node that answers hosts group 555"));
}

TEST(Members, AnAnswerThatIsLostIsUnknown) {
  Bench bench;
  const uint64_t leader = bench.LeaderOf(k101);
  const uint64_t asked = leader % 3 + 1;
  const uint64_t gone = asked % 3 + 1;
  bench.fate = [&](NodeId from, NodeId, const Bytes& message) {
    if (from != NodeId(leader) || !Bench::IsForwarding(message)) return 1;
    const proto::NodeMessage decoded = Decoded(message);
    proto::ClientReply reply;
    return reply.ParseFromString(decoded.forwarded_reply().reply()) && reply.has_membership() ? 0
                                                                                              : 1;
  };
  proto::GatewayRequest request = Change(0, gone, {101, 555});
  request.set_patience_us(2'000'000);
  const Instant begin = bench.now();
  const Reply reply = bench.Ask(asked, request);
  EXPECT_EQ(reply.kind(), Reply::UNKNOWN);
  EXPECT_EQ(StatusOf(reply), absl::StatusCode::kDeadlineExceeded);
  ASSERT_EQ(reply.groups_size(), 2);
  EXPECT_EQ(reply.groups(0).outcome(), GroupChange::UNKNOWN);
  EXPECT_EQ(reply.groups(1).outcome(), GroupChange::REFUSED) << "each for itself";
  EXPECT_GE(bench.now() - begin, seconds(2));
  EXPECT_LT(bench.now() - begin, seconds(3));
}

}  // namespace
}  // namespace lockstep::gateway
