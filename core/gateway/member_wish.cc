#include "core/gateway/member_wish.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/address.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/gateway/group_change.h"

namespace lockstep::gateway {
namespace {

using lockstep::v1::GroupChange;
using lockstep::v1::GroupMemberStatus;
using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

// What a member will be when the change that is under way, if one is, has come to its end.
enum class Standing { kAbsent, kLearner, kVoter };

Standing StandingOf(const GroupMemberStatus* member) {
  if (member == nullptr || member->leaves()) return Standing::kAbsent;
  return member->voter() || member->joins() ? Standing::kVoter : Standing::kLearner;
}

const GroupMemberStatus* Find(const ReplicaStatus& replica, uint64_t node) {
  for (const GroupMemberStatus& member : replica.group_members()) {
    if (member.node() == node) return &member;
  }
  return nullptr;
}

const NodeStatus* Find(const std::vector<NodeStatus>& nodes, uint64_t node) {
  for (const NodeStatus& status : nodes) {
    if (status.node() == node) return &status;
  }
  return nullptr;
}

const ReplicaStatus* Find(const NodeStatus& node, GroupId group) {
  for (const ReplicaStatus& replica : node.replicas()) {
    if (replica.group() == group.value()) return &replica;
  }
  return nullptr;
}

bool Host(const std::vector<NodeStatus>& nodes, GroupId group) {
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](const NodeStatus& node) { return Find(node, group) != nullptr; });
}

// The replica that leads, where its node has answered.
const ReplicaStatus* LeadingReplica(const std::vector<NodeStatus>& nodes, GroupId group) {
  const NodeStatus* leader = Find(nodes, LeaderOf(nodes, group).value());
  const ReplicaStatus* replica = leader == nullptr ? nullptr : Find(*leader, group);
  return replica != nullptr && replica->role() == lockstep::v1::LEADER ? replica : nullptr;
}

bool HasMember(const std::vector<NodeStatus>& nodes, GroupId group, uint64_t node) {
  if (const ReplicaStatus* leading = LeadingReplica(nodes, group); leading != nullptr) {
    return Find(*leading, node) != nullptr;
  }
  return std::any_of(nodes.begin(), nodes.end(), [&](const NodeStatus& status) {
    const ReplicaStatus* replica = Find(status, group);
    return replica != nullptr && Find(*replica, node) != nullptr;
  });
}

void Add(const GroupMemberStatus& member, bool learner, proto::ChangeMembership* change) {
  proto::WantedMember& wanted = *change->add_members();
  wanted.set_node(member.node());
  wanted.set_incarnation(member.incarnation());
  wanted.set_learner(learner);
}

// The change under way wants a node that shall not come: it is called off by asking for the voters
// before it.
bool CallsOff(const proto::ChangeNodes& question, const ReplicaStatus& now) {
  if (question.add() != 0 || now.change_phase() != lockstep::v1::CATCHING_UP) return false;
  const GroupMemberStatus* member = Find(now, question.remove());
  return member != nullptr && member->joins();
}

proto::ChangeMembership VotersBefore(const ReplicaStatus& now) {
  proto::ChangeMembership change;
  for (const GroupMemberStatus& member : now.group_members()) {
    if (member.voter()) Add(member, /*learner=*/false, &change);
  }
  return change;
}

proto::ChangeMembership WantedMembers(const proto::ChangeNodes& question, const ReplicaStatus& now,
                                      const NodeStatus* newcomer) {
  proto::ChangeMembership change;
  for (const GroupMemberStatus& member : now.group_members()) {
    const Standing standing = StandingOf(&member);
    const bool goes = member.node() == question.remove() || standing == Standing::kAbsent;
    if (goes || member.node() == question.add()) continue;
    Add(member, standing == Standing::kLearner, &change);
  }
  if (question.add() == 0) return change;
  GroupMemberStatus added;
  added.set_node(question.add());
  const GroupMemberStatus* known = Find(now, question.add());
  if (known != nullptr) added.set_incarnation(known->incarnation());
  // As it is now: a node that has lost its data is not the member that it was.
  if (newcomer != nullptr && newcomer->online()) added.set_incarnation(newcomer->incarnation());
  Add(added, question.learner(), &change);
  return change;
}

std::string EffectOf(const proto::ChangeNodes& question, bool off) {
  if (off) {
    return absl::StrCat("the change by which node ", question.remove(), " joins is called off");
  }
  if (question.add() == 0) return absl::StrCat("node ", question.remove(), " leaves");
  if (question.learner()) return absl::StrCat("node ", question.add(), " becomes a learner");
  if (question.remove() == 0) {
    return absl::StrCat("node ", question.add(), " catches up, then votes");
  }
  return absl::StrCat("node ", question.add(), " catches up, then votes in place of node ",
                      question.remove());
}

std::string WhySilent(const proto::ChangeNodes& question, const NodeStatus* newcomer) {
  const std::string start =
      absl::StrCat("start it with lockstepd --join HOST:PORT --node-id ", question.add());
  if (newcomer == nullptr) {
    return absl::StrCat("nobody knows node ", question.add(), ": ", start,
                        ", or say at which address it is");
  }
  return absl::StrCat("node ", question.add(), " does not answer (", newcomer->error(),
                      "): ", start);
}

// What is clear without the leader. None: it is to be asked.
std::optional<GroupChange> Foregone(const proto::ChangeNodes& question, GroupId group,
                                    const ReplicaStatus& now, const NodeStatus* newcomer) {
  const Standing coming = StandingOf(Find(now, question.add()));
  const Standing going = StandingOf(Find(now, question.remove()));
  const Standing wanted = question.learner() ? Standing::kLearner : Standing::kVoter;
  if (question.add() == 0) {
    if (going != Standing::kAbsent) return std::nullopt;
    return Settled(group, GroupChange::UNCHANGED,
                   absl::StrCat("node ", question.remove(), " is no member of ", NameOf(group)));
  }
  if (coming == wanted && going == Standing::kAbsent) {
    return Settled(
        group, GroupChange::UNCHANGED,
        absl::StrCat("node ", question.add(), " is a ", question.learner() ? "learner" : "voter",
                     " of ", NameOf(group), " already, or joins it"));
  }
  if (question.remove() != 0 && going == Standing::kAbsent) {
    return Refused(group, GroupChange::NOT_A_MEMBER,
                   absl::StrCat("node ", question.remove(), " is no member of ", NameOf(group),
                                ": add node ", question.add(), " instead"));
  }
  if (coming == Standing::kVoter && wanted == Standing::kLearner) {
    return Refused(group, GroupChange::MEMBER_ALREADY,
                   absl::StrCat("node ", question.add(), " is a voter of ", NameOf(group),
                                ": remove it before it is added as a learner"));
  }
  const bool silent = newcomer == nullptr || !newcomer->online();
  if (Find(now, question.add()) == nullptr && silent) {
    return Refused(group, GroupChange::NODE_SILENT, WhySilent(question, newcomer));
  }
  return std::nullopt;
}

}  // namespace

absl::Status Validate(const proto::ChangeNodes& question) {
  if (question.add() == 0 && question.remove() == 0) {
    return absl::InvalidArgumentError("name the node: node ids begin at 1");
  }
  if (question.add() == question.remove()) {
    return absl::InvalidArgumentError(
        absl::StrCat("node ", question.add(), " cannot be replaced by itself: name another node"));
  }
  if (question.groups_size() > kGroupsNamedMax) {
    return absl::InvalidArgumentError(absl::StrCat(question.groups_size(),
                                                   " groups are named, and ", kGroupsNamedMax,
                                                   " may be: name none for all"));
  }
  if (question.address().empty()) return absl::OkStatus();
  if (question.add() == 0) {
    return absl::InvalidArgumentError("an address is for a node that comes: leave it out");
  }
  return ParseAddress(question.address(), /*port_min=*/1).status();
}

bool MeansAllGroups(const proto::ChangeNodes& question) {
  return question.groups().empty() && question.add() != 0 && question.remove() == 0;
}

absl::btree_set<GroupId> GroupsMeant(const proto::ChangeNodes& question,
                                     const std::vector<NodeStatus>& nodes,
                                     const std::optional<proto::Configuration>& configuration) {
  absl::btree_set<GroupId> meant;
  for (const uint64_t group : question.groups()) meant.insert(GroupId(group));
  if (!meant.empty()) return meant;
  if (MeansAllGroups(question)) {
    Check(configuration.has_value());
    meant.insert(kControllerGroup);
    for (const proto::ShardGroup& group : configuration->groups()) meant.emplace(group.gid());
    return meant;
  }
  for (const NodeStatus& node : nodes) {
    for (const ReplicaStatus& replica : node.replicas()) {
      const GroupId group(replica.group());
      if (HasMember(nodes, group, question.remove())) meant.insert(group);
    }
  }
  return meant;
}

NodeId LeaderOf(const std::vector<NodeStatus>& nodes, GroupId group) {
  const ReplicaStatus* best = nullptr;
  for (const NodeStatus& node : nodes) {
    const ReplicaStatus* replica = Find(node, group);
    if (replica == nullptr || replica->leader() == 0) continue;
    if (best == nullptr || best->term() < replica->term()) best = replica;
  }
  return best == nullptr ? NodeId() : NodeId(best->leader());
}

std::variant<Wish, GroupChange> WishFor(const proto::ChangeNodes& question, GroupId group,
                                        const std::vector<NodeStatus>& nodes) {
  if (!Host(nodes, group)) {
    return Refused(group, GroupChange::NO_SUCH_GROUP,
                   absl::StrCat("no node that answers hosts ", NameOf(group),
                                ": look at the status, or name another"));
  }
  const ReplicaStatus* leading = LeadingReplica(nodes, group);
  if (leading == nullptr) {
    return Refused(group, GroupChange::NO_LEADER,
                   absl::StrCat("no leader of ", NameOf(group),
                                " has answered: try again, or look at the status"));
  }
  const NodeStatus* newcomer = Find(nodes, question.add());
  if (std::optional<GroupChange> foregone = Foregone(question, group, *leading, newcomer)) {
    foregone->set_membership_id(leading->membership_id());
    return *std::move(foregone);
  }
  const bool off = CallsOff(question, *leading);
  Wish wish{.leader = LeaderOf(nodes, group),
            .change = off ? VotersBefore(*leading) : WantedMembers(question, *leading, newcomer),
            .effect = EffectOf(question, off)};
  wish.change.set_expected(leading->membership_id());
  const auto& members = wish.change.members();
  const bool voter =
      std::any_of(members.begin(), members.end(),
                  [](const proto::WantedMember& member) { return !member.learner(); });
  if (voter) return wish;
  return Refused(group, GroupChange::LAST_VOTER,
                 absl::StrCat("node ", question.remove(), " is the last voter of ", NameOf(group),
                              ": replace it, or add another first"));
}

}  // namespace lockstep::gateway
