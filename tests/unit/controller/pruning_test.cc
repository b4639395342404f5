// Old configurations go when the last group that may ask for them has come past them.
#include "core/controller/pruning.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

proto::GetConfiguration Ask(uint64_t num, uint64_t member_gid = 0) {
  proto::GetConfiguration get;
  get.set_num(num);
  get.set_member_gid(member_gid);
  return get;
}

proto::Membership MembershipOf(const Replica& replica) {
  proto::Query query;
  query.mutable_get_membership();
  return replica.Query(query).membership();
}

// "before 4, passed 2@3".
std::string Decide(const Replica& replica, const Needs& needs, uint64_t kept = 1) {
  const std::optional<proto::PruneHistory> prune =
      WhatNobodyNeeds(MembershipOf(replica), needs, kept);
  if (!prune.has_value()) return "nothing";
  std::string text = absl::StrCat("before ", prune->before());
  for (const proto::MemberGroup& group : prune->passed()) {
    absl::StrAppend(&text, ", passed ", group.gid(), "@", group.left());
  }
  return text;
}

void Execute(Replica& replica, const Needs& needs) {
  proto::Command command;
  *command.mutable_prune_history() = *WhatNobodyNeeds(MembershipOf(replica), needs, 1);
  ASSERT_EQ(replica.Apply(command).code(), proto::OK);
}

// Configurations 1: {1}, 2: {1, 2}, 3: {1}, 4: {1, 3}.
void MakeFour(Admin& admin) {
  admin.Do(JoinOf({1}));
  admin.Do(JoinOf({2}));
  admin.Do(LeaveOf({2}));
  admin.Do(JoinOf({3}));
}

TEST(Pruning, WaitsForTheLastGroup) {
  Replica replica;
  Admin admin(replica);
  MakeFour(admin);
  Needs needs;
  EXPECT_EQ(Decide(replica, needs), "nothing");  // Nobody was heard.
  NoteNeed(GroupId(1), Ask(5), &needs);
  NoteNeed(GroupId(3), Ask(5), &needs);
  EXPECT_EQ(Decide(replica, needs), "nothing");  // Group 2 may not know that it ever joined.
  NoteNeed(GroupId(2), Ask(0, 2), &needs);
  EXPECT_EQ(Decide(replica, needs), "nothing");
  NoteNeed(GroupId(2), Ask(3), &needs);  // It has come to 2, and asks for 3.
  EXPECT_EQ(Decide(replica, needs), "before 3");
  NoteNeed(GroupId(2), Ask(3, 2), &needs);  // It knows that it has left.
  EXPECT_EQ(Decide(replica, needs), "before 4, passed 2@3");
}

TEST(Pruning, AGroupThatHasLeftAndKnowsItIsNotWaitedForAgain) {
  Replica replica;
  Admin admin(replica);
  MakeFour(admin);
  Needs needs;
  NoteNeed(GroupId(2), Ask(3, 2), &needs);
  EXPECT_EQ(Decide(replica, needs), "before 1, passed 2@3");
  Execute(replica, needs);
  // Another leader has not heard of it, and need not.
  Needs others;
  NoteNeed(GroupId(1), Ask(5), &others);
  NoteNeed(GroupId(3), Ask(5), &others);
  EXPECT_EQ(Decide(replica, others), "before 4");
  Execute(replica, others);
  EXPECT_EQ(MembershipOf(replica).oldest(), 4u);
  replica.Reload();
  EXPECT_EQ(MembershipOf(replica).groups_size(), 2);
  EXPECT_EQ(Decide(replica, others), "nothing");
}

TEST(Pruning, AGroupThatComesBackIsWaitedForAgain) {
  Replica replica;
  Admin admin(replica);
  MakeFour(admin);
  admin.Do(JoinOf({2}));  // 5, before it was forgotten.
  Needs needs;
  NoteNeed(GroupId(1), Ask(6), &needs);
  NoteNeed(GroupId(3), Ask(6), &needs);
  NoteNeed(GroupId(2), Ask(3, 2), &needs);
  EXPECT_EQ(Decide(replica, needs), "before 4");
  // What was decided before it came back does it no harm.
  proto::Command late;
  late.mutable_prune_history()->set_before(4);
  late.mutable_prune_history()->add_passed()->set_gid(2);
  late.mutable_prune_history()->mutable_passed(0)->set_left(3);
  ASSERT_EQ(replica.Apply(late).code(), proto::OK);
  EXPECT_EQ(MembershipOf(replica).groups_size(), 3);
}

TEST(Pruning, TheNewestStayForPeople) {
  Replica replica;
  Admin admin(replica);
  MakeFour(admin);
  Needs needs;
  for (const uint64_t gid : {1u, 2u, 3u}) NoteNeed(GroupId(gid), Ask(5), &needs);
  EXPECT_EQ(Decide(replica, needs, 100), "before 1, passed 2@3");
  EXPECT_EQ(Decide(replica, needs, 3), "before 2, passed 2@3");
  EXPECT_EQ(Decide(replica, needs, 1), "before 4, passed 2@3");
}

TEST(Pruning, NeedsOnlyGrow) {
  Needs needs;
  NoteNeed(GroupId(1), Ask(7), &needs);
  NoteNeed(GroupId(1), Ask(3), &needs);
  EXPECT_EQ(needs.at(GroupId(1)), ConfigurationNum(7));
}

}  // namespace
}  // namespace lockstep::controller
