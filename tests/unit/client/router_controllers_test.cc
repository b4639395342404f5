// How a router follows the controllers when they change their own members.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "tests/unit/client/router_talk.h"

namespace lockstep::client {
namespace {

using Nodes = std::vector<NodeId>;

// One group; the router knows it, and controllers 1 to 3.
class Controllers : public testing::Test {
 protected:
  Controllers() {
    talk.cluster.Join({1});
    talk.cluster.Settle();
    EXPECT_EQ(talk.Do(kv::MakePut("k", "x")), "ok OK");
  }

  // Something that only a controller answers. The nodes that were asked, in the end the one that
  // answered.
  std::set<uint64_t> AskedBy(const std::variant<proto::Command, proto::Query>& operation) {
    std::set<uint64_t> asked;
    const uint64_t id = talk.Invoke(operation, milliseconds(10000));
    while (!talk.Done(id)) {
      if (talk.Quiet()) talk.PassToWake();
      while (!talk.Quiet()) {
        const auto sent = talk.Take();
        if (sent.gid() == 0) asked.insert(sent.to.value());
        talk.Carry(sent);
      }
    }
    EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
    return asked;
  }
  static proto::Query Newest() { return controller::MakeGetConfiguration(); }
  // A shard's move makes it ask for the configuration.
  void LetItLearn() {
    talk.cluster.Join({2});
    talk.cluster.Settle();
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      EXPECT_EQ(talk.Do(kv::MakePut(KeyOf(shard), "y"), milliseconds(10000)), "ok OK");
    }
  }

  RouterTalk talk;
};

TEST_F(Controllers, ANewerConfigurationNamesThem) {
  talk.cluster.MoveControllers({1, 4, 5});
  LetItLearn();
  EXPECT_EQ(talk.router().controllers().nodes, (Nodes{NodeId(1), NodeId(4), NodeId(5)}));
  talk.cluster.MoveControllers({4, 5, 6});
  for (const uint64_t node : AskedBy(Newest())) EXPECT_TRUE(node == 1 || node == 4 || node == 5);
}

// One after the other they are all replaced, and it keeps up.
TEST_F(Controllers, AllOfThemMayBeReplaced) {
  talk.cluster.MoveControllers({2, 3, 4});
  LetItLearn();
  talk.cluster.MoveControllers({4, 5, 6});
  talk.Pass(milliseconds(500));
  talk.cluster.Leave({1});
  talk.cluster.Settle();
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    EXPECT_EQ(talk.Do(kv::MakePut(KeyOf(shard), "z"), milliseconds(10000)), "ok OK");
  }
  EXPECT_EQ(talk.router().controllers().nodes, (Nodes{NodeId(4), NodeId(5), NodeId(6)}));
  for (int i = 0; i < 5; ++i) {
    for (const uint64_t node : AskedBy(Newest())) EXPECT_GE(node, 4u) << "those have gone";
  }
}

// The line that administers was open before.
TEST_F(Controllers, WhatIsUnderWayGoesToTheNewOnes) {
  AskedBy(Newest());
  talk.cluster.MoveControllers({4, 5, 6});
  const uint64_t id = talk.Invoke(Newest(), milliseconds(10000));
  talk.Pass(milliseconds(300));
  EXPECT_FALSE(talk.Done(id)) << "nobody whom it knows is there";
  talk.Step(LearnControllers{.membership = talk.cluster.controllers_membership(),
                             .nodes = {NodeId(4), NodeId(5), NodeId(6)}});
  talk.Pass(milliseconds(300));
  EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
}

// A node that has left answers, and does not know the group any more.
TEST_F(Controllers, WhoHasLeftIsNoAnswer) {
  talk.cluster.MoveControllers({3, 4, 5});
  const uint64_t id = talk.Invoke(Newest(), milliseconds(10000));
  bool asked_3 = false;
  while (!talk.Done(id)) {
    if (talk.Quiet()) talk.PassToWake();
    while (!talk.Quiet()) {
      const auto sent = talk.Take();
      asked_3 |= sent.to == NodeId(3);
      proto::ClientReply stranger;
      stranger.mutable_result()->set_code(proto::UNKNOWN_GROUP);
      sent.to == NodeId(3) ? talk.Carry(sent) : talk.Answer(sent, stranger);
    }
  }
  EXPECT_TRUE(asked_3);
  EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
}

TEST_F(Controllers, OldNewsHaveNoEffect) {
  talk.Step(LearnControllers{.membership = 9, .nodes = {NodeId(2), NodeId(3)}});
  talk.Step(LearnControllers{.membership = 8, .nodes = {NodeId(7)}});
  EXPECT_EQ(talk.router().controllers().nodes, (Nodes{NodeId(2), NodeId(3)}));
  talk.Step(LearnControllers{.membership = 9, .nodes = {NodeId(7)}});
  EXPECT_EQ(talk.router().controllers().nodes, (Nodes{NodeId(2), NodeId(3)}));
}

TEST_F(Controllers, WhenTheNewOnesAreSilentThoseOfTheOptionsAreAskedAgain) {
  talk.Step(LearnControllers{.membership = 1, .nodes = {NodeId(7), NodeId(8), NodeId(9)}});
  LetItLearn();
  EXPECT_EQ(AskedBy(Newest()).count(1), 1u);
}

}  // namespace
}  // namespace lockstep::client
