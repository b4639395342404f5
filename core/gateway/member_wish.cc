#include "core/gateway/member_wish.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/gateway/outcome.h"

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

std::string NameOf(GroupId group) {
  return group == kControllerGroup ? "the controller" : absl::StrCat("group ", group.value());
}

GroupChange Settled(GroupId group, GroupChange::Outcome outcome, std::string message) {
  GroupChange change;
  change.set_group(group.value());
  change.set_outcome(outcome);
  change.set_message(std::move(message));
  return change;
}

GroupChange Refused(GroupId group, GroupChange::Reason reason, std::string message) {
  GroupChange change = Settled(group, GroupChange::REFUSED, std::move(message));
  change.set_reason(reason);
  return change;
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

GroupChange::Reason ReasonOf(proto::MembershipAnswer::Refusal refusal) {
  switch (refusal) {
    case proto::MembershipAnswer::CHANGE_PENDING:
      return GroupChange::CHANGE_PENDING;
    case proto::MembershipAnswer::CONFIGURATION_MOVED:
      return GroupChange::CONFIGURATION_MOVED;
    case proto::MembershipAnswer::NO_ENTRY_OF_TERM:
      return GroupChange::LEADER_TOO_NEW;
    case proto::MembershipAnswer::UNSAFE:
      return GroupChange::UNSAFE;
    case proto::MembershipAnswer::OTHER_INCARNATION:
      return GroupChange::OTHER_INCARNATION;
    default:
      return GroupChange::NONE;
  }
}

// Without a word on the membership: the replica did not look at the wish, or lost sight of it.
GroupChange::Reason ReasonOf(proto::Code code) {
  switch (code) {
    case proto::OVERLOADED:
      return GroupChange::OVERLOADED;
    case proto::UNKNOWN_GROUP:
      return GroupChange::NO_SUCH_GROUP;
    case proto::INVALID_ARGUMENT:
      return GroupChange::INVALID;
    default:
      return GroupChange::NO_LEADER;
  }
}

absl::StatusCode CodeOf(GroupChange::Reason reason) {
  switch (reason) {
    case GroupChange::CONFIGURATION_MOVED:
    case GroupChange::LEADER_TOO_NEW:
    case GroupChange::NO_LEADER:
      return absl::StatusCode::kUnavailable;
    case GroupChange::NO_SUCH_GROUP:
      return absl::StatusCode::kNotFound;
    case GroupChange::OVERLOADED:
      return absl::StatusCode::kResourceExhausted;
    case GroupChange::INVALID:
      return absl::StatusCode::kInvalidArgument;
    default:
      return absl::StatusCode::kFailedPrecondition;
  }
}

proto::Code ResultOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound:
      return proto::NOT_FOUND;
    case absl::StatusCode::kResourceExhausted:
      return proto::OVERLOADED;
    case absl::StatusCode::kInvalidArgument:
      return proto::INVALID_ARGUMENT;
    case absl::StatusCode::kFailedPrecondition:
      return proto::FAILED_PRECONDITION;
    default:
      return proto::CODE_UNSPECIFIED;  // The status says it.
  }
}

absl::Status ValidateAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint32_t port = 0;
  const bool valid = colon != address.npos && colon > 0 &&
                     absl::SimpleAtoi(address.substr(colon + 1), &port) && port >= 1 &&
                     port <= 65535;
  if (valid) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", address, "\" is no address: write HOST:PORT"));
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
  return ValidateAddress(question.address());
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

GroupChange ChangeOf(GroupId group, const proto::ClientReply& reply, absl::string_view effect) {
  const proto::Code code = reply.result().code();
  const proto::MembershipAnswer& answer = reply.membership();
  GroupChange change;
  if (code == proto::OK) {
    change = Settled(group, GroupChange::BEGUN, std::string(effect.data(), effect.size()));
  } else if (answer.refusal() == proto::MembershipAnswer::SAME_MEMBERS) {
    change = Settled(group, GroupChange::UNCHANGED, reply.result().message());
  } else if (code == proto::LEADERSHIP_LOST || code == proto::TIMEOUT ||
             code == proto::CODE_UNSPECIFIED) {
    const std::string& why = reply.result().message();
    change = UnknownChange(group, why.empty() ? "the leader's answer cannot be read" : why);
  } else {
    const bool looked_at = answer.refusal() != proto::MembershipAnswer::NONE;
    change = Refused(group, looked_at ? ReasonOf(answer.refusal()) : ReasonOf(code),
                     reply.result().message());
  }
  change.set_membership_id(answer.configuration().id());
  return change;
}

GroupChange UnknownChange(GroupId group, absl::string_view why) {
  return Settled(group, GroupChange::UNKNOWN, absl::StrCat(why, ": look at the status"));
}

proto::GatewayReply ToReply(const std::vector<GroupChange>& changes) {
  const auto find = [&](GroupChange::Outcome outcome) {
    return std::find_if(changes.begin(), changes.end(),
                        [&](const GroupChange& change) { return change.outcome() == outcome; });
  };
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::OK);
  reply.mutable_result()->set_code(proto::OK);
  for (const GroupChange& change : changes) *reply.add_groups() = change;
  const auto refused = find(GroupChange::REFUSED);
  const bool unknown = find(GroupChange::UNKNOWN) != changes.end();
  if (find(GroupChange::BEGUN) != changes.end()) return reply;
  if (!unknown && refused == changes.end()) return reply;
  const absl::StatusCode code =
      unknown ? absl::StatusCode::kDeadlineExceeded : CodeOf(refused->reason());
  reply.set_kind(unknown ? proto::GatewayReply::UNKNOWN : proto::GatewayReply::NOT_EXECUTED);
  reply.set_status(static_cast<uint32_t>(code));
  std::string message;
  for (const GroupChange& change : changes) {
    if (change.outcome() == GroupChange::UNCHANGED) continue;
    absl::StrAppend(&message, message.empty() ? "" : "; ", NameOf(GroupId(change.group())), ": ",
                    change.message());
  }
  reply.set_message(message);
  reply.mutable_result()->set_code(unknown ? proto::CODE_UNSPECIFIED : ResultOf(code));
  reply.mutable_result()->set_message(message);
  return reply;
}

}  // namespace lockstep::gateway
