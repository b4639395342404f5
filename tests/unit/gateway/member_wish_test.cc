// What a wish for other nodes means in a group whose change is under way, and what answers mean.
#include "core/gateway/member_wish.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "core/gateway/group_change.h"

namespace lockstep::gateway {
namespace {

using lockstep::v1::GroupChange;
using lockstep::v1::GroupMemberStatus;
using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

constexpr GroupId kGroup{101};

// Nodes 1 to 5 are online, of incarnations 11 to 15; node 1 leads with configuration 7.
class Group {
 public:
  explicit Group(lockstep::v1::ChangePhase phase = lockstep::v1::SETTLED) {
    for (uint64_t node = 1; node <= 5; ++node) {
      NodeStatus& status = nodes.emplace_back();
      status.set_node(node);
      status.set_online(true);
      status.set_incarnation(10 + node);
    }
    ReplicaStatus& replica = *nodes[0].add_replicas();
    replica.set_group(kGroup.value());
    replica.set_role(lockstep::v1::LEADER);
    replica.set_leader(1);
    replica.set_term(3);
    replica.set_membership_id(7);
    replica.set_change_phase(phase);
  }
  GroupMemberStatus& Add(uint64_t node, bool voter) {
    GroupMemberStatus& member = *nodes[0].mutable_replicas(0)->add_group_members();
    member.set_node(node);
    member.set_incarnation(10 + node);
    member.set_voter(voter);
    return member;
  }
  // "7: 1.11 2.12 learner:4.14", or why the leader is not asked.
  std::string Wanted(uint64_t add, uint64_t remove, bool learner = false) const {
    proto::ChangeNodes question;
    question.set_add(add);
    question.set_remove(remove);
    question.set_learner(learner);
    const auto wish = WishFor(question, kGroup, nodes);
    if (const auto* change = std::get_if<GroupChange>(&wish)) {
      return change->outcome() == GroupChange::REFUSED
                 ? GroupChange::Reason_Name(change->reason())
                 : GroupChange::Outcome_Name(change->outcome());
    }
    const proto::ChangeMembership& asked = std::get<Wish>(wish).change;
    std::string text = absl::StrCat(asked.expected(), ":");
    for (const proto::WantedMember& member : asked.members()) {
      absl::StrAppend(&text, member.learner() ? " learner:" : " ", member.node(), ".",
                      member.incarnation());
    }
    return text;
  }

  std::vector<NodeStatus> nodes;
};

TEST(MemberWish, NamesEverybodyWithTheirIncarnations) {
  Group group;
  group.Add(1, /*voter=*/true);
  group.Add(2, /*voter=*/true);
  group.Add(4, /*voter=*/false);
  EXPECT_EQ(group.Wanted(3, 0), "7: 1.11 2.12 learner:4.14 3.13");
  EXPECT_EQ(group.Wanted(3, 0, /*learner=*/true), "7: 1.11 2.12 learner:4.14 learner:3.13");
  EXPECT_EQ(group.Wanted(4, 0), "7: 1.11 2.12 4.14") << "a learner is promoted";
  EXPECT_EQ(group.Wanted(4, 2), "7: 1.11 4.14");
  EXPECT_EQ(group.Wanted(0, 4), "7: 1.11 2.12");
  EXPECT_EQ(group.Wanted(0, 1), "7: 2.12 learner:4.14") << "the leader itself";
  EXPECT_EQ(group.Wanted(2, 0), "UNCHANGED");
  EXPECT_EQ(group.Wanted(4, 0, /*learner=*/true), "UNCHANGED");
  EXPECT_EQ(group.Wanted(0, 5), "UNCHANGED");
  EXPECT_EQ(group.Wanted(2, 0, /*learner=*/true), "MEMBER_ALREADY");
  EXPECT_EQ(group.Wanted(3, 5), "NOT_A_MEMBER");
  group.nodes[2].set_online(false);
  EXPECT_EQ(group.Wanted(3, 0), "NODE_SILENT");
  group.nodes[3].set_incarnation(99);
  EXPECT_EQ(group.Wanted(4, 0), "7: 1.11 2.12 4.99") << "the leader sees that it lost its data";
}

TEST(MemberWish, LearnersAloneDecideNothing) {
  Group group;
  group.Add(1, /*voter=*/true);
  group.Add(4, /*voter=*/false);
  EXPECT_EQ(group.Wanted(0, 1), "LAST_VOTER");
  EXPECT_EQ(group.Wanted(4, 1), "7: 4.14");
}

TEST(MemberWish, WhoCatchesUpIsCalledOff) {
  Group group(lockstep::v1::CATCHING_UP);
  group.Add(1, /*voter=*/true);
  group.Add(2, /*voter=*/true).set_leaves(true);
  group.Add(4, /*voter=*/false).set_joins(true);
  EXPECT_EQ(group.Wanted(0, 4), "7: 1.11 2.12") << "who leaves stays";
  EXPECT_EQ(group.Wanted(4, 2), "UNCHANGED") << "under way already";
  EXPECT_EQ(group.Wanted(0, 2), "UNCHANGED") << "it leaves already";
  EXPECT_EQ(group.Wanted(3, 0), "7: 1.11 4.14 3.13") << "for the leader to refuse";
}

TEST(MemberWish, AJointChangeCannotBeCalledOff) {
  Group group(lockstep::v1::JOINT);
  group.Add(1, /*voter=*/true);
  group.Add(4, /*voter=*/true).set_joins(true);
  EXPECT_EQ(group.Wanted(0, 4), "7: 1.11") << "a change of its own, which the leader refuses";
}

TEST(MemberWish, TheLeaderOfTheHighestTermIsAsked) {
  Group group;
  group.Add(1, /*voter=*/true);
  ReplicaStatus& newer = *group.nodes[1].add_replicas();
  newer.set_group(kGroup.value());
  newer.set_term(4);
  newer.set_leader(3);
  EXPECT_EQ(group.Wanted(2, 0), "NO_LEADER") << "node 3 has not said that it leads";
  ReplicaStatus& leading = *group.nodes[2].add_replicas() = newer;
  leading.set_role(lockstep::v1::LEADER);
  leading.set_membership_id(9);
  EXPECT_EQ(group.Wanted(2, 0), "9: 2.12");
  group.nodes[0].clear_replicas();
  group.nodes[1].clear_replicas();
  group.nodes[2].clear_replicas();
  EXPECT_EQ(group.Wanted(2, 0), "NO_SUCH_GROUP");
}

TEST(MemberWish, EveryRefusalHasAReasonAndACode) {
  using proto::MembershipAnswer;
  struct Row {
    proto::Code code;
    MembershipAnswer::Refusal refusal;
    GroupChange::Outcome outcome;
    GroupChange::Reason reason;
    absl::StatusCode status;  // of the whole answer
  };
  constexpr auto kRefused = GroupChange::REFUSED;
  constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;
  constexpr auto kUnavailable = absl::StatusCode::kUnavailable;
  constexpr auto kNo = proto::FAILED_PRECONDITION;
  for (const Row& row : {
           Row{proto::OK, MembershipAnswer::NONE, GroupChange::BEGUN, GroupChange::NONE,
               absl::StatusCode::kOk},
           Row{kNo, MembershipAnswer::SAME_MEMBERS, GroupChange::UNCHANGED, GroupChange::NONE,
               absl::StatusCode::kOk},
           Row{kNo, MembershipAnswer::CHANGE_PENDING, kRefused, GroupChange::CHANGE_PENDING,
               kPrecondition},
           Row{kNo, MembershipAnswer::CONFIGURATION_MOVED, kRefused,
               GroupChange::CONFIGURATION_MOVED, kUnavailable},
           Row{kNo, MembershipAnswer::NO_ENTRY_OF_TERM, kRefused, GroupChange::LEADER_TOO_NEW,
               kUnavailable},
           Row{kNo, MembershipAnswer::UNSAFE, kRefused, GroupChange::UNSAFE, kPrecondition},
           Row{kNo, MembershipAnswer::OTHER_INCARNATION, kRefused, GroupChange::OTHER_INCARNATION,
               kPrecondition},
           Row{proto::NOT_LEADER, MembershipAnswer::NONE, kRefused, GroupChange::NO_LEADER,
               kUnavailable},
           Row{proto::UNKNOWN_GROUP, MembershipAnswer::NONE, kRefused, GroupChange::NO_SUCH_GROUP,
               absl::StatusCode::kNotFound},
           Row{proto::OVERLOADED, MembershipAnswer::NONE, kRefused, GroupChange::OVERLOADED,
               absl::StatusCode::kResourceExhausted},
           Row{proto::INVALID_ARGUMENT, MembershipAnswer::NONE, kRefused, GroupChange::INVALID,
               absl::StatusCode::kInvalidArgument},
           Row{proto::LEADERSHIP_LOST, MembershipAnswer::NONE, GroupChange::UNKNOWN,
               GroupChange::NONE, absl::StatusCode::kDeadlineExceeded},
           Row{proto::CODE_UNSPECIFIED, MembershipAnswer::NONE, GroupChange::UNKNOWN,
               GroupChange::NONE, absl::StatusCode::kDeadlineExceeded},
       }) {
    proto::ClientReply reply;
    reply.mutable_result()->set_code(row.code);
    reply.mutable_result()->set_message("why");
    if (row.code == kNo) reply.mutable_membership()->set_refusal(row.refusal);
    reply.mutable_membership()->mutable_configuration()->set_id(8);
    const GroupChange change = ChangeOf(kGroup, reply, "effect");
    const std::string name =
        absl::StrCat(proto::Code_Name(row.code), " ", MembershipAnswer::Refusal_Name(row.refusal));
    EXPECT_EQ(change.outcome(), row.outcome) << name;
    EXPECT_EQ(change.reason(), row.reason) << name;
    EXPECT_EQ(change.membership_id(), 8u) << name;
    EXPECT_FALSE(change.message().empty()) << name;
    const proto::GatewayReply whole = ToReply({change});
    EXPECT_EQ(static_cast<absl::StatusCode>(whole.status()), row.status) << name;
    const bool unknown = row.outcome == GroupChange::UNKNOWN;
    EXPECT_EQ(whole.kind() == proto::GatewayReply::UNKNOWN, unknown) << name;
  }
}

TEST(MemberWish, TheWholeIsAnErrorOnlyWhereNothingHasBegun) {
  const auto one = [](uint64_t group, GroupChange::Outcome outcome) {
    GroupChange change;
    change.set_group(group);
    change.set_outcome(outcome);
    change.set_message("why");
    return change;
  };
  const GroupChange begun = one(1, GroupChange::BEGUN);
  const GroupChange unchanged = one(2, GroupChange::UNCHANGED);
  const GroupChange refused = one(3, GroupChange::REFUSED);
  const GroupChange unknown = one(4, GroupChange::UNKNOWN);
  EXPECT_EQ(ToReply({}).kind(), proto::GatewayReply::OK);
  EXPECT_EQ(ToReply({begun, unchanged, refused, unknown}).kind(), proto::GatewayReply::OK);
  EXPECT_EQ(ToReply({begun, unchanged, refused, unknown}).groups_size(), 4);
  EXPECT_EQ(ToReply({unchanged}).kind(), proto::GatewayReply::OK);
  EXPECT_EQ(ToReply({unchanged, refused}).kind(), proto::GatewayReply::NOT_EXECUTED);
  EXPECT_EQ(ToReply({unchanged, refused}).message(), "group 3: why");
  EXPECT_EQ(ToReply({refused, unknown}).kind(), proto::GatewayReply::UNKNOWN);
}

}  // namespace
}  // namespace lockstep::gateway
