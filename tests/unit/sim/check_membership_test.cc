// Changes of membership before the checkers: each mistake is found, and what is right is quiet.
#include <string>
#include <vector>

#include "core/raft/group_configuration.h"
#include "gtest/gtest.h"
#include "tests/unit/sim/check_story.h"

namespace lockstep::sim {
namespace {

std::vector<NodeId> Nodes(const std::vector<uint64_t>& numbers) {
  std::vector<NodeId> nodes;
  for (const uint64_t number : numbers) nodes.emplace_back(number);
  return nodes;
}

raft::GroupConfiguration Step(const std::vector<uint64_t>& before,
                              const std::vector<uint64_t>& after) {
  std::vector<raft::WantedMember> wanted;
  for (const NodeId node : Nodes(after)) wanted.push_back({.node = node});
  return raft::FirstStep(raft::InitialConfiguration(raft::Membership(Nodes(before))), wanted);
}

Entry EntryOf(raft::GroupConfiguration configuration, uint64_t index, uint64_t term) {
  configuration.id = Index(index);
  return {Index(index), Term(term), EntryKind::kConfiguration, raft::Encode(configuration)};
}

Entry CatchingUp(const std::vector<uint64_t>& before, const std::vector<uint64_t>& after,
                 uint64_t index, uint64_t term) {
  return EntryOf(Step(before, after), index, term);
}
Entry Joint(const std::vector<uint64_t>& before, const std::vector<uint64_t>& after, uint64_t index,
            uint64_t term) {
  const raft::GroupConfiguration first = Step(before, after);
  const bool joint = first.phase == raft::ChangePhase::kJoint;
  return EntryOf(joint ? first : raft::NextStep(first), index, term);
}
Entry Settled(const std::vector<uint64_t>& voters, uint64_t index, uint64_t term) {
  return EntryOf(raft::InitialConfiguration(raft::Membership(Nodes(voters))), index, term);
}

const Entry kNoop1 = MakeEntry(1, 1);

// Nodes 1 to 5 are there; 1, 2 and 3 are the group, 1 leads it and has committed its no-op.
Story Begun() {
  Story story(0);
  story.checkers().DeclareMembers(GroupId(1), raft::Membership(Nodes({1, 2, 3})));
  for (uint64_t node = 1; node <= 5; ++node) story.Boot(node, 0, 0);
  story.Elect(1, 1, {2});
  for (const uint64_t node : {3u, 4u, 5u}) story.HardState(node, 1, 0);
  story.Replicate(1, 1, kNoop1, {2, 3});
  return story;
}

// 3 is being replaced by 4, which has the log.
Story JointNow() {
  Story story = Begun();
  story.Replicate(1, 1, CatchingUp({1, 2, 3}, {1, 2, 4}, 2, 1), {2, 3});
  story.Append(4, kNoop1).Append(4, CatchingUp({1, 2, 3}, {1, 2, 4}, 2, 1)).Ack(4, 1, 1, 2);
  return story.Append(1, Joint({1, 2, 3}, {1, 2, 4}, 3, 1));
}

TEST(MembershipChecks, AReplacementIsQuiet) {
  Story story = JointNow();
  const Entry joint = Joint({1, 2, 3}, {1, 2, 4}, 3, 1);
  story.Append(2, joint).Ack(2, 1, 1, 3).Append(4, joint).Ack(4, 1, 1, 3).Commit(1, 3);
  story.Replicate(1, 1, Settled({1, 2, 4}, 4, 1), {2, 4});
  EXPECT_EQ(story.property(), "") << story.evidence();
  // 3 is out: it does not help to elect anybody.
  story.HardState(2, 2, 2).HardState(3, 2, 2).Vote(3, 2, 2).BecomeLeader(2, 2, 4);
  EXPECT_EQ(story.property(), "Election Safety") << story.evidence();
}

TEST(MembershipChecks, OnlyTheDeclaredDecide) {
  Story story(0);
  story.checkers().DeclareMembers(GroupId(1), raft::Membership(Nodes({1, 2, 3})));
  for (uint64_t node = 1; node <= 5; ++node) story.Boot(node, 0, 0);
  EXPECT_EQ(story.Elect(1, 1, {4, 5}).property(), "Election Safety");
}

TEST(MembershipChecks, AStrangerDoesNotLead) {
  Story story = Begun();
  EXPECT_EQ(story.Elect(4, 2, {1, 2, 3}).property(), "Membership");
}

TEST(MembershipChecks, ALearnerCommitsNothing) {
  Story story = Begun();
  const Entry first = CatchingUp({1, 2, 3}, {1, 2, 3, 4}, 2, 1);
  story.Append(1, first).Append(4, kNoop1).Append(4, first).Ack(4, 1, 1, 2).Commit(1, 2);
  EXPECT_EQ(story.property(), "Durability") << story.evidence();
}

TEST(MembershipChecks, BothMajoritiesCommit) {
  const Entry joint = Joint({1, 2, 3}, {1, 2, 4}, 3, 1);
  // 1 and 3 are two of 1, 2, 3, but one of 1, 2, 4.
  Story one = JointNow();
  one.Append(3, joint).Ack(3, 1, 1, 3).Commit(1, 3);
  EXPECT_EQ(one.property(), "Durability") << one.evidence();
  Story both = JointNow();
  both.Append(3, joint).Ack(3, 1, 1, 3).Append(4, joint).Ack(4, 1, 1, 3).Commit(1, 3);
  EXPECT_EQ(both.property(), "") << both.evidence();
}

TEST(MembershipChecks, BothMajoritiesElect) {
  const Entry joint = Joint({1, 2, 3}, {1, 2, 4}, 3, 1);
  const auto elect = [&](std::vector<uint64_t> voters) {
    Story story = JointNow();
    story.Append(2, joint).HardState(2, 2, 2);
    for (const uint64_t voter : voters) story.HardState(voter, 2, 2).Vote(voter, 2, 2);
    return story.BecomeLeader(2, 2, 3).property();
  };
  EXPECT_EQ(elect({3}), "Election Safety");
  EXPECT_EQ(elect({4}), "Election Safety");
  EXPECT_EQ(elect({3, 4}), "");
  EXPECT_EQ(elect({1}), "");
}

TEST(MembershipChecks, ARemovedLeaderDoesNotCountItself) {
  Story story = Begun();
  const Entry joint = Joint({1, 2, 3}, {2, 3}, 2, 1);
  story.Replicate(1, 1, joint, {2, 3});
  const Entry settled = Settled({2, 3}, 3, 1);
  story.Append(1, settled).Append(2, settled).Ack(2, 1, 1, 3).Commit(1, 3);
  EXPECT_EQ(story.property(), "Durability") << story.evidence();
}

TEST(MembershipChecks, OneChangeAtATime) {
  Story story = Begun();
  story.Append(1, CatchingUp({1, 2, 3}, {1, 2, 4}, 2, 1));
  EXPECT_EQ(story.property(), "");
  story.Append(1, Settled({1, 2, 3}, 3, 1));
  EXPECT_EQ(story.property(), "Membership") << story.evidence();
}

TEST(MembershipChecks, AnEntryOfTheTermFirst) {
  Story story = Begun();
  story.Elect(2, 2, {3}).Append(2, MakeEntry(2, 2));
  story.Append(2, CatchingUp({1, 2, 3}, {1, 2, 4}, 3, 2));
  EXPECT_EQ(story.property(), "Membership") << story.evidence();
}

TEST(MembershipChecks, MajoritiesMeet) {
  EXPECT_EQ(Begun().Append(1, Settled({1, 4, 5}, 2, 1)).property(), "Membership");
  EXPECT_EQ(Begun().Append(1, Joint({1, 4, 5}, {4, 5}, 2, 1)).property(), "Membership");
  EXPECT_EQ(Begun().Append(1, Joint({1, 2, 3}, {4, 5}, 2, 1)).property(), "");
}

TEST(MembershipChecks, ATruncationTakesAChangeBack) {
  Story story = Begun();
  story.Append(1, CatchingUp({1, 2, 3}, {1, 2, 4}, 2, 1));
  const Entry noop = MakeEntry(2, 2);
  story.Elect(2, 2, {3}).Replicate(2, 2, noop, {3});
  story.HardState(1, 2, 0).Follow(1, 2, 2).Truncate(1, 2, 2).Append(1, noop);
  // So 2 is enough again, and nothing of the change is in force at 1.
  story.Elect(1, 3, {2});
  EXPECT_EQ(story.property(), "") << story.evidence();
}

TEST(MembershipChecks, EverybodyKnowsWhatItsLogSays) {
  Story story = JointNow();
  story.Append(2, Joint({1, 2, 3}, {1, 2, 4}, 3, 1)).HardState(2, 2, 2);
  story.HardState(1, 2, 2).Vote(1, 2, 2).BecomeLeader(2, 2, /*members=*/2);
  EXPECT_EQ(story.property(), "Membership") << story.evidence();
}

TEST(MembershipChecks, ASnapshotBringsWhatIsInForce) {
  const auto install = [](uint64_t members) {
    Story story = JointNow();
    const Entry joint = Joint({1, 2, 3}, {1, 2, 4}, 3, 1);
    story.Append(2, joint).Ack(2, 1, 1, 3).Commit(1, 3);
    story.MoveBase(5, 3, 1, /*installed=*/true);
    return story.NoteInstalled(5, 3, 1, members).property();
  };
  EXPECT_EQ(install(3), "");
  EXPECT_EQ(install(2), "Membership");
  EXPECT_EQ(install(0), "Membership");
}

TEST(MembershipChecks, BytesThatNoLeaderWrites) {
  const Entry bad{Index(2), Term(1), EntryKind::kConfiguration, Bytes::Copy("nonsense")};
  EXPECT_EQ(Begun().Append(1, bad).property(), "Membership");
}

}  // namespace
}  // namespace lockstep::sim
