// Gateways and the members of the controller: what a node's groups are told is news for its
// gateway, and is there after a restart.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/controller/admin.h"
#include "tests/unit/gateway/bench.h"

namespace lockstep::gateway {
namespace {

using Reply = proto::GatewayReply;

// An answer to what `group` asks: the configuration that everybody knows, by a new controller.
proto::NodeMessage Misleading(Bench& bench, GroupId group, uint64_t controller,
                              uint64_t membership) {
  const Reply known = bench.Ask(1, controller::MakeGetConfiguration());
  proto::NodeMessage message;
  proto::ConfigurationAnswer& answer = *message.mutable_configuration_answer();
  answer.set_to_group(group.value());
  *answer.mutable_configuration() = known.result().configuration();
  proto::Controllers& controllers = *answer.mutable_configuration()->mutable_controllers();
  controllers.set_membership(membership);
  controllers.add_nodes(controller);
  return message;
}

// Node 3, which has group 102, is told that node 2 is the controller now. That is not so: node 1
// is, as the options say.
void Mislead(Bench& bench, uint64_t membership) {
  bench.Deliver(1, 3, Misleading(bench, k102, 2, membership));
  bench.Settle();
  bench.sent.clear();
}

// The leader of group 101 is told that node 3 is the controller now, with the next configuration,
// which it writes into its log.
void MisleadByLog(Bench& bench, uint64_t membership) {
  proto::NodeMessage message = Misleading(bench, k101, 3, membership);
  proto::Configuration& next = *message.mutable_configuration_answer()->mutable_configuration();
  next.set_num(next.num() + 1);
  next.clear_handovers();
  bench.Deliver(1, bench.LeaderOf(k101), message);
  bench.Run(seconds(1));
  bench.sent.clear();
}

// Questions of node 3's group to node 2 for configurations.
auto Questions(const Bench& bench) {
  return std::count_if(bench.sent.begin(), bench.sent.end(), [](const Bench::Sent& one) {
    return one.from == NodeId(3) && one.to == NodeId(2) && !Bench::IsForwarding(one.message) &&
           Decoded(one.message).has_configuration_request();
  });
}

TEST(GatewayControllers, WhatItsGroupsAreToldItHears) {
  Bench bench;
  bench.Join(1, {k102});
  Mislead(bench, 9);
  EXPECT_EQ(bench.Ask(3, controller::MakeGetConfiguration()).kind(), Reply::OK)
      << "where the new ones are of no use, those of the options are asked again";
  EXPECT_GT(bench.CountSent(3, 2, proto::NodeMessage::kForwardedRequest), 0u);
}

TEST(GatewayControllers, WhoOnlyFollowsHearsOfThemByTheLog) {
  Bench bench;
  bench.Join(1, {k101});
  ASSERT_NE(bench.LeaderOf(k101), 2u) << "this seed's leader is to be another one";
  EXPECT_EQ(bench.Ask(2, controller::MakeGetConfiguration()).kind(), Reply::OK);
  EXPECT_EQ(bench.CountSent(2, 3, proto::NodeMessage::kForwardedRequest), 0u);
  MisleadByLog(bench, 9);
  EXPECT_EQ(bench.Ask(2, controller::MakeGetConfiguration()).kind(), Reply::OK)
      << "where the new one is of no use, those of the options are asked again";
  EXPECT_GT(bench.CountSent(2, 3, proto::NodeMessage::kForwardedRequest), 0u);
}

TEST(GatewayControllers, AreRememberedOverARestart) {
  Bench bench;
  bench.Join(1, {k102});
  bench.sent.clear();
  bench.Run(seconds(2));
  EXPECT_EQ(Questions(bench), 0);
  Mislead(bench, 9);
  bench.Restart(3);
  bench.sent.clear();
  bench.Run(seconds(2));
  EXPECT_GT(Questions(bench), 0);
}

}  // namespace
}  // namespace lockstep::gateway
