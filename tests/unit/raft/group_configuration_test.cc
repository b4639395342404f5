// The steps of a change, and what passes the door.
#include "core/raft/group_configuration.h"

#include <string>
#include <vector>

#include "core/proto/membership.pb.h"
#include "gtest/gtest.h"

namespace lockstep::raft {
namespace {

std::vector<WantedMember> Voters(std::vector<uint64_t> nodes) {
  std::vector<WantedMember> wanted;
  for (const uint64_t node : nodes) wanted.push_back({.node = NodeId(node)});
  return wanted;
}

GroupConfiguration Group(std::vector<NodeId> voters, std::vector<NodeId> learners = {}) {
  return InitialConfiguration(Membership(std::move(voters), {}, std::move(learners)));
}

TEST(GroupConfiguration, StepsOfAReplacement) {
  const GroupConfiguration before = Group({NodeId(1), NodeId(2), NodeId(3)});
  const GroupConfiguration first = FirstStep(before, Voters({1, 2, 4}));
  EXPECT_EQ(DescribeMembers(first), "catching-up voters=1,2,3 learners=4");
  const GroupConfiguration second = NextStep(first);
  EXPECT_EQ(DescribeMembers(second), "joint voters=1,2,4 outgoing=1,2,3");
  EXPECT_EQ(DescribeMembers(NextStep(second)), "settled voters=1,2,4");
  EXPECT_EQ(Cancelled(first), before);
}

TEST(GroupConfiguration, FirstSteps) {
  struct Row {
    const char* name;
    GroupConfiguration before;
    std::vector<WantedMember> wanted;
    const char* want;
  };
  const GroupConfiguration three = Group({NodeId(1), NodeId(2), NodeId(3)});
  const GroupConfiguration learner = Group({NodeId(1), NodeId(2)}, {NodeId(3)});
  const std::vector<WantedMember> demoted = {
      {.node = NodeId(1)}, {.node = NodeId(2)}, {.node = NodeId(3), .voter = false}};
  const Row rows[] = {
      {"removal needs nobody to catch up", three, Voters({1, 2}),
       "joint voters=1,2 outgoing=1,2,3"},
      {"a learner comes at once", Group({NodeId(1), NodeId(2)}), demoted,
       "settled voters=1,2 learners=3"},
      {"and goes at once", learner, Voters({1, 2}), "settled voters=1,2"},
      {"promotion", learner, Voters({1, 2, 3}), "catching-up voters=1,2 learners=3"},
      {"demotion", three, demoted, "joint voters=1,2 outgoing=1,2,3"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(DescribeMembers(FirstStep(row.before, row.wanted)), row.want) << row.name;
  }
  EXPECT_EQ(DescribeMembers(NextStep(FirstStep(three, demoted))), "settled voters=1,2 learners=3");
}

TEST(GroupConfiguration, Wishes) {
  EXPECT_TRUE(Validate(Voters({1, 2})).ok());
  EXPECT_FALSE(Validate({}).ok());
  EXPECT_FALSE(Validate({{.node = NodeId(1), .voter = false}}).ok());
  EXPECT_FALSE(Validate(Voters({1, 0})).ok());
  EXPECT_FALSE(Validate(Voters({1, 2, 1})).ok());
  std::vector<uint64_t> many;
  for (uint64_t i = 1; i <= kGroupMembersMax + 1; ++i) many.push_back(i);
  EXPECT_FALSE(Validate(Voters(many)).ok());
  const GroupConfiguration group = Group({NodeId(1), NodeId(2)}, {NodeId(3)});
  EXPECT_FALSE(IsAsBefore(group, Voters({1, 2})));
  EXPECT_FALSE(IsAsBefore(group, Voters({1, 2, 3})));
  EXPECT_FALSE(IsAsBefore(group, Voters({1, 2, 4})));
  EXPECT_TRUE(IsAsBefore(
      group, {{.node = NodeId(3), .voter = false}, {.node = NodeId(1)}, {.node = NodeId(2)}}));
}

TEST(GroupConfiguration, ThereAndBack) {
  GroupConfiguration group = FirstStep(Group({NodeId(1), NodeId(2)}), Voters({2, 3}));
  group.id = Index(7);
  group.members.back().incarnation = IncarnationId(99);
  const absl::StatusOr<GroupConfiguration> read = DecodeConfiguration(Encode(group).view());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, group);
}

TEST(GroupConfiguration, TheDoor) {
  GroupConfiguration group = FirstStep(Group({NodeId(1), NodeId(2)}), Voters({2, 3}));
  group.id = Index(7);
  const proto::GroupConfiguration good = ToProto(group);
  const auto is_refused = [](const proto::GroupConfiguration& bad) {
    return !DecodeConfiguration(bad.SerializeAsString()).ok();
  };
  ASSERT_FALSE(is_refused(good));
  proto::GroupConfiguration bad = good;
  bad.set_id(0);
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.set_phase(static_cast<proto::GroupConfiguration::Phase>(9));
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.set_phase(proto::GroupConfiguration::SETTLED);  // but somebody comes
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.mutable_members()->SwapElements(0, 1);
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.mutable_members(0)->set_node(0);
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.mutable_members(0)->set_before(static_cast<proto::GroupMember::Standing>(3));
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  for (proto::GroupMember& member : *bad.mutable_members()) {
    member.set_after(proto::GroupMember::LEARNER);  // nobody votes in the end
  }
  EXPECT_TRUE(is_refused(bad));
  bad = good;
  bad.clear_members();
  EXPECT_TRUE(is_refused(bad));
  EXPECT_FALSE(DecodeConfiguration("neither").ok());
}

}  // namespace
}  // namespace lockstep::raft
