// Groups that change their members, and a controller that changes its own: what configurations make
// of it. Reports come late, repeated and from groups that are members no more.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

struct Report {
  uint64_t gid = 0;
  uint64_t joined = 0;
  uint64_t membership = 0;
  std::vector<uint64_t> nodes;
};

proto::Command Set(const Report& report) {
  proto::SetMembers set;
  set.set_gid(report.gid);
  set.set_joined(report.joined);
  set.set_membership(report.membership);
  for (const uint64_t node : report.nodes) set.add_nodes(node);
  return MakeSetMembers(set);
}

// "11=node11:7000 14=".
std::string MembersOf(const Configuration& configuration, uint64_t gid) {
  std::string text;
  for (const Member& member : configuration.Find(GroupId(gid))->members) {
    absl::StrAppend(&text, text.empty() ? "" : " ", member.node.value(), "=", member.address);
  }
  return text;
}

TEST(Members, TheNextConfigurationHasThemAndNothingElseIsNew) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1, 2}));
  admin.Do(MakeMove(ShardId(0), GroupId(2)));
  const Configuration before = replica.Get();
  const proto::Result result = replica.Apply(Set({2, 1, 7, {21, 24, 25}}));
  EXPECT_EQ(result.code(), proto::OK);
  EXPECT_EQ(result.configuration_num(), 3u);
  EXPECT_EQ(MembersOf(replica.Get(), 2), "21=node21:7000 24= 25=") << "who stays keeps the address";

  Configuration same = replica.Get();
  EXPECT_EQ(same.Find(GroupId(2))->membership, 7u);
  EXPECT_TRUE(same.handovers.empty());
  same.num = before.num;
  same.handovers = before.handovers;
  same.groups = before.groups;
  EXPECT_EQ(same, before) << "owners, pins and the other group stay";
  EXPECT_EQ(replica.Get().Find(GroupId(2))->joined, ConfigurationNum(1));
  EXPECT_EQ(MembersOf(replica.Get(2), 2), "21=node21:7000 22=node22:7000 23=node23:7000")
      << "history does not change";
}

TEST(Members, OldAndRepeatedReportsChangeNothing) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1}));
  replica.Apply(Set({1, 1, 7, {11, 12, 14}}));
  const auto dump = replica.dump();
  for (const Report& late : std::vector<Report>{
           {1, 1, 7, {11, 12, 14}},  // again
           {1, 1, 5, {11, 12, 13}},  // overtaken
           {1, 2, 9, {11, 12, 15}},  // it has not joined then
           {2, 1, 9, {21, 22, 23}},  // no member
       }) {
    const proto::Result result = replica.Apply(Set(late));
    EXPECT_EQ(result.code(), proto::OK);
    EXPECT_EQ(result.configuration_num(), 2u) << late.membership;
    EXPECT_EQ(replica.dump(), dump) << late.membership;
  }
}

// A gid that comes back is another group, though its log may count on where it was.
TEST(Members, AGroupThatJoinsAnewBeginsWithWhatItsJoinSays) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1, 2}));
  replica.Apply(Set({1, 1, 7, {14, 15, 16}}));
  admin.Do(LeaveOf({1}));
  EXPECT_EQ(replica.Get().departed[0].membership, 7u) << "where its data is";
  admin.Do(JoinOf({1}));
  EXPECT_EQ(replica.Get().Find(GroupId(1))->membership, 0u);
  replica.Apply(Set({1, 4, 5, {12, 13}}));
  EXPECT_EQ(MembersOf(replica.Get(), 1), "12=node12:7000 13=node13:7000");
  EXPECT_EQ(replica.Get().former[0].membership, 7u);
}

// Others may still fetch from it, also when it is a member again.
TEST(Members, AGroupThatHasLeftIsFollowed) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1, 2}));
  admin.Do(LeaveOf({1}));
  ASSERT_EQ(replica.Get().former.size(), 1u);
  EXPECT_EQ(replica.Get().former[0].gid, GroupId(1));
  EXPECT_EQ(replica.Get().former[0].joined, ConfigurationNum(1));
  replica.Apply(Set({1, 1, 9, {17, 18, 19}}));
  EXPECT_EQ(replica.Get().num, ConfigurationNum(3));
  EXPECT_EQ(replica.Get().former[0].membership, 9u);
  EXPECT_EQ(replica.Get().former[0].members[0].node, NodeId(17));
  EXPECT_TRUE(replica.Get().handovers.empty());
  replica.Apply(Set({1, 1, 8, {14, 15, 16}}));
  EXPECT_EQ(replica.Get().num, ConfigurationNum(3)) << "late";
  admin.Do(JoinOf({1}));
  replica.Apply(Set({1, 1, 11, {12, 13}}));
  EXPECT_EQ(replica.Get().Find(GroupId(1))->membership, 0u) << "said by the one that left";
  EXPECT_EQ(replica.Get().former[0].membership, 11u);
  admin.Do(LeaveOf({1}));
  ASSERT_EQ(replica.Get().former.size(), 2u);
  EXPECT_EQ(replica.Get().former[1].joined, ConfigurationNum(4));
}

TEST(Members, TheGroupsThatLeftFirstAreForgottenFirst) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1}));
  for (size_t i = 0; i < kFormerMax + 2; ++i) {
    admin.Do(JoinOf({2}));
    admin.Do(LeaveOf({2}));
  }
  const std::vector<Group> former = replica.Get().former;
  ASSERT_EQ(former.size(), kFormerMax);
  EXPECT_EQ(former.front().joined, ConfigurationNum(6)) << "after those of 2 and 4";
  EXPECT_EQ(former.back().joined.Next(), replica.Get().num);
}

TEST(Members, HandoversNameTheMembersOfTheirTime) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1}));
  replica.Apply(Set({1, 1, 7, {14, 15, 16}}));
  admin.Do(JoinOf({2}));
  admin.Do(LeaveOf({1}));
  ASSERT_EQ(replica.Get().departed.size(), 1u);
  EXPECT_EQ(replica.Get().departed[0].members[0].node, NodeId(14));
}

TEST(Members, TheControllersOwnAreNamedOnceTheyHaveChanged) {
  Replica replica;
  Admin admin(replica);
  EXPECT_EQ(replica.Apply(Set({0, 0, 3, {4, 5, 6}})).configuration_num(), 0u)
      << "nobody follows configurations yet";
  admin.Do(JoinOf({1}));
  EXPECT_EQ(replica.Get().controllers, Controllers());
  EXPECT_EQ(replica.Apply(Set({0, 0, 3, {4, 5, 6}})).configuration_num(), 2u);
  const Controllers newest{.membership = 3, .nodes = {NodeId(4), NodeId(5), NodeId(6)}};
  EXPECT_EQ(replica.Get().controllers, newest);
  EXPECT_EQ(replica.Apply(Set({0, 0, 2, {1, 2, 3}})).configuration_num(), 2u) << "late";
  admin.Do(JoinOf({2}));
  EXPECT_EQ(replica.Get().controllers, newest) << "from one to the next";
  replica.Reload();
  EXPECT_EQ(replica.machine().newest().controllers, newest);
  EXPECT_EQ(Replica(replica).machine().newest(), replica.Get());
}

// The configuration without groups says who had the shards last, and the next one hands them on
// from there: nothing may come between.
TEST(Members, NothingComesBetweenTheLastOwnersAndTheNext) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1}, 3));
  admin.Do(LeaveOf({1}, /*force=*/true));
  EXPECT_EQ(replica.Apply(Set({0, 0, 3, {4, 5, 6}})).configuration_num(), 2u);
  admin.Do(JoinOf({2}));
  EXPECT_EQ(HandoversOf(replica.Get()), "0:1->2 1:1->2 2:1->2");
}

TEST(Members, WhatMakesNoSenseIsRefused) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1}));
  struct Row {
    Report report;
    const char* want;
  };
  const std::string many = "the number of members of group 1, 65 exceeds kReportedMembersMax (64)";
  std::vector<uint64_t> nodes;
  for (uint64_t node = 1; node <= 65; ++node) nodes.push_back(node);
  for (const Row& row : std::vector<Row>{
           {{1, 1, 0, {11}}, "set_members of group 1 with membership 0 and joined 1: give both"},
           {{1, 0, 5, {11}}, "set_members of group 1 with membership 5 and joined 0: give both"},
           {{0, 1, 5, {11}}, "set_members of the controller with membership 5 and joined 1: "},
           {{1, 1, 5, {}}, "set_members leaves group 1 without members: give its voters"},
           {{1, 1, 5, {0, 11}}, "the members in set_members of group 1 do not ascend from 1"},
           {{1, 1, 5, {12, 11}}, "the members in set_members of group 1 do not ascend from 1"},
           {{1, 1, 5, nodes}, many.c_str()},
       }) {
    const proto::Result result = replica.Apply(Set(row.report));
    EXPECT_NE(result.code(), proto::OK) << row.want;
    EXPECT_EQ(result.message().substr(0, std::string(row.want).size()), row.want);
  }
  const Bytes client = kv::Encode(Set({1, 1, 5, {11}}));
  EXPECT_EQ(kv::Replica::Parse(replica.ApplyBytes(client)).code(), proto::INVALID_ARGUMENT)
      << "clients may not speak for groups";
  EXPECT_EQ(replica.Get().num, ConfigurationNum(1));
}

TEST(Members, ConfigurationsOfOthersAreLookedAt) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1}));
  replica.Apply(Set({0, 0, 3, {4, 5, 6}}));
  const proto::Configuration good = ToProto(replica.Get());
  EXPECT_TRUE(FromProto(good).ok());
  proto::Configuration bad = good;
  bad.mutable_controllers()->set_membership(0);
  EXPECT_FALSE(FromProto(bad).ok());
  bad = good;
  bad.mutable_controllers()->clear_nodes();
  EXPECT_FALSE(FromProto(bad).ok());
  bad = good;
  bad.mutable_controllers()->set_nodes(0, 0);
  EXPECT_FALSE(FromProto(bad).ok());
  bad = good;
  bad.mutable_controllers()->set_nodes(0, 5);
  EXPECT_FALSE(FromProto(bad).ok());
}

}  // namespace
}  // namespace lockstep::controller
