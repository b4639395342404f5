#include "core/raft/group_configuration.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::raft {
namespace {

bool Less(const GroupMember& a, const GroupMember& b) { return a.node < b.node; }

GroupMember& At(GroupConfiguration& configuration, NodeId node) {
  std::vector<GroupMember>& members = configuration.members;
  const auto place =
      std::lower_bound(members.begin(), members.end(), GroupMember{.node = node}, Less);
  if (place != members.end() && place->node == node) return *place;
  return *members.insert(place, GroupMember{.node = node});
}

std::vector<NodeId> Those(const GroupConfiguration& configuration,
                          bool (*wanted)(ChangePhase, const GroupMember&)) {
  std::vector<NodeId> nodes;
  for (const GroupMember& member : configuration.members) {
    if (wanted(configuration.phase, member)) nodes.push_back(member.node);
  }
  return nodes;
}

bool IsIncoming(ChangePhase phase, const GroupMember& member) {
  return (phase == ChangePhase::kCatchingUp ? member.before : member.after) == Standing::kVoter;
}
bool IsOutgoing(ChangePhase phase, const GroupMember& member) {
  return phase == ChangePhase::kJoint && member.before == Standing::kVoter;
}
bool IsLearner(ChangePhase phase, const GroupMember& member) {
  return member.after != Standing::kAbsent && !IsIncoming(phase, member) &&
         !IsOutgoing(phase, member);
}

// Keeps `standing` of everybody, and who has none is gone.
GroupConfiguration Settled(const GroupConfiguration& configuration,
                           Standing GroupMember::* standing) {
  GroupConfiguration settled;
  for (GroupMember member : configuration.members) {
    const Standing kept = member.*standing;
    if (kept == Standing::kAbsent) continue;
    member.before = member.after = kept;
    settled.members.push_back(member);
  }
  return settled;
}

bool HasVoter(const GroupConfiguration& configuration, Standing GroupMember::* standing) {
  return std::any_of(configuration.members.begin(), configuration.members.end(),
                     [&](const GroupMember& one) { return one.*standing == Standing::kVoter; });
}

absl::Status Refuse(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("a group's configuration: ", why));
}

absl::Status ValidateMembers(const GroupConfiguration& configuration) {
  if (configuration.members.size() > 2 * kGroupMembersMax) return Refuse("too many members");
  NodeId last;
  for (const GroupMember& member : configuration.members) {
    if (member.node <= last) return Refuse("its members do not ascend");
    last = member.node;
    const bool changes = member.before != member.after;
    if (member.before == Standing::kAbsent && !changes) return Refuse("somebody is no member");
    if (configuration.phase == ChangePhase::kSettled && changes) {
      return Refuse("it is settled, but somebody changes");
    }
  }
  if (!HasVoter(configuration, &GroupMember::before) ||
      !HasVoter(configuration, &GroupMember::after)) {
    return Refuse("nobody votes");
  }
  return absl::OkStatus();
}

bool ToStanding(int number, Standing* standing) {
  if (number < 0 || number > static_cast<int>(Standing::kVoter)) return false;
  *standing = static_cast<Standing>(number);
  return true;
}

void AppendNodes(absl::string_view name, const std::vector<NodeId>& nodes, std::string* text) {
  if (nodes.empty()) return;
  absl::StrAppend(text, " ", name, "=");
  const char* comma = "";
  for (const NodeId node : nodes) {
    absl::StrAppend(text, comma, node.value());
    comma = ",";
  }
}

}  // namespace

const GroupMember* GroupConfiguration::Find(NodeId node) const {
  const auto place =
      std::lower_bound(members.begin(), members.end(), GroupMember{.node = node}, Less);
  return place != members.end() && place->node == node ? &*place : nullptr;
}

GroupConfiguration InitialConfiguration(const Membership& membership) {
  GroupConfiguration initial;
  const bool joint = !membership.outgoing().empty();
  if (joint) initial.phase = ChangePhase::kJoint;
  for (const NodeId node : membership.incoming()) At(initial, node).after = Standing::kVoter;
  for (const NodeId node : membership.outgoing()) At(initial, node).before = Standing::kVoter;
  for (const NodeId node : membership.learners()) At(initial, node).after = Standing::kLearner;
  if (joint) return initial;
  for (GroupMember& member : initial.members) member.before = member.after;
  return initial;
}

Membership MembershipOf(const GroupConfiguration& configuration) {
  if (configuration.members.empty()) return Membership();
  return Membership(Those(configuration, IsIncoming), Those(configuration, IsOutgoing),
                    Those(configuration, IsLearner));
}

GroupConfiguration FirstStep(const GroupConfiguration& settled,
                             const std::vector<WantedMember>& wanted) {
  CheckEq(static_cast<int>(settled.phase), static_cast<int>(ChangePhase::kSettled));
  GroupConfiguration next = settled;
  for (GroupMember& member : next.members) member.after = Standing::kAbsent;
  bool joiners = false;
  for (const WantedMember& one : wanted) {
    GroupMember& member = At(next, one.node);
    member.after = one.voter ? Standing::kVoter : Standing::kLearner;
    if (one.incarnation) member.incarnation = one.incarnation;
    joiners = joiners || (one.voter && member.before != Standing::kVoter);
  }
  const bool same_voters =
      std::all_of(next.members.begin(), next.members.end(), [](const GroupMember& member) {
        return (member.before == Standing::kVoter) == (member.after == Standing::kVoter);
      });
  if (same_voters) return Settled(next, &GroupMember::after);
  next.phase = joiners ? ChangePhase::kCatchingUp : ChangePhase::kJoint;
  return next;
}

GroupConfiguration NextStep(const GroupConfiguration& configuration) {
  Check(configuration.phase != ChangePhase::kSettled);
  if (configuration.phase == ChangePhase::kJoint) {
    return Settled(configuration, &GroupMember::after);
  }
  GroupConfiguration joint = configuration;
  joint.phase = ChangePhase::kJoint;
  return joint;
}

GroupConfiguration Cancelled(const GroupConfiguration& catching_up) {
  CheckEq(static_cast<int>(catching_up.phase), static_cast<int>(ChangePhase::kCatchingUp));
  return Settled(catching_up, &GroupMember::before);
}

bool IsAsBefore(const GroupConfiguration& configuration, const std::vector<WantedMember>& wanted) {
  const auto members =
      std::count_if(configuration.members.begin(), configuration.members.end(),
                    [](const GroupMember& member) { return member.before != Standing::kAbsent; });
  if (static_cast<size_t>(members) != wanted.size()) return false;
  return std::all_of(wanted.begin(), wanted.end(), [&](const WantedMember& one) {
    const GroupMember* member = configuration.Find(one.node);
    return member != nullptr &&
           member->before == (one.voter ? Standing::kVoter : Standing::kLearner);
  });
}

bool HasVotersBefore(const GroupConfiguration& configuration,
                     const std::vector<WantedMember>& wanted) {
  std::vector<NodeId> before;
  for (const GroupMember& member : configuration.members) {
    if (member.before == Standing::kVoter) before.push_back(member.node);
  }
  std::vector<NodeId> voters;
  for (const WantedMember& one : wanted) {
    if (one.voter) voters.push_back(one.node);
  }
  std::sort(voters.begin(), voters.end());
  return voters == before;
}

absl::Status Validate(const std::vector<WantedMember>& wanted) {
  if (wanted.size() > kGroupMembersMax) {
    return absl::InvalidArgumentError(absl::StrCat("a group has at most ", kGroupMembersMax,
                                                   " members, but ", wanted.size(), " are wanted"));
  }
  bool voter = false;
  std::vector<NodeId> nodes;
  for (const WantedMember& one : wanted) {
    if (!one.node) return absl::InvalidArgumentError("node ids begin at 1");
    voter = voter || one.voter;
    nodes.push_back(one.node);
  }
  if (!voter) return absl::InvalidArgumentError("a group needs a voter");
  std::sort(nodes.begin(), nodes.end());
  const auto twice = std::adjacent_find(nodes.begin(), nodes.end());
  if (twice == nodes.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("node ", twice->value(), " is named twice"));
}

proto::GroupConfiguration ToProto(const GroupConfiguration& configuration) {
  proto::GroupConfiguration message;
  message.set_id(configuration.id.value());
  message.set_phase(
      static_cast<proto::GroupConfiguration::Phase>(static_cast<int>(configuration.phase)));
  for (const GroupMember& member : configuration.members) {
    proto::GroupMember& added = *message.add_members();
    added.set_node(member.node.value());
    added.set_incarnation(member.incarnation.value());
    added.set_before(static_cast<proto::GroupMember::Standing>(static_cast<int>(member.before)));
    added.set_after(static_cast<proto::GroupMember::Standing>(static_cast<int>(member.after)));
  }
  return message;
}

Bytes Encode(const GroupConfiguration& configuration) {
  const proto::GroupConfiguration message = ToProto(configuration);
  return Bytes::Make(message.ByteSizeLong(), [&](char* to) {
    message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(to));
  });
}

absl::StatusOr<GroupConfiguration> DecodeConfiguration(absl::string_view text) {
  proto::GroupConfiguration message;
  if (!message.ParseFromArray(text.data(), static_cast<int>(text.size()))) {
    return Refuse(absl::StrCat(text.size(), " bytes that cannot be read"));
  }
  GroupConfiguration configuration;
  configuration.id = Index(message.id());
  if (!configuration.id) return Refuse("it has no id");
  const int phase = message.phase();
  if (phase < 0 || phase > static_cast<int>(ChangePhase::kJoint)) return Refuse("unknown phase");
  configuration.phase = static_cast<ChangePhase>(phase);
  for (const proto::GroupMember& one : message.members()) {
    GroupMember& member = configuration.members.emplace_back();
    member.node = NodeId(one.node());
    member.incarnation = IncarnationId(one.incarnation());
    if (!ToStanding(one.before(), &member.before) || !ToStanding(one.after(), &member.after)) {
      return Refuse("unknown standing");
    }
  }
  if (absl::Status valid = ValidateMembers(configuration); !valid.ok()) return valid;
  return configuration;
}

GroupConfiguration ConfigurationOf(const Bytes& encoded, const Membership& beginning) {
  if (encoded.empty()) return InitialConfiguration(beginning);
  absl::StatusOr<GroupConfiguration> configuration = DecodeConfiguration(encoded.view());
  Check(configuration.ok(), "the group's members, as a table remembers them, cannot be read");
  return *std::move(configuration);
}

std::string Describe(const GroupConfiguration& configuration) {
  return absl::StrCat(configuration.id.value(), " ", DescribeMembers(configuration));
}

std::string DescribeMembers(const GroupConfiguration& configuration) {
  static constexpr const char* kPhases[] = {"settled", "catching-up", "joint"};
  std::string text = kPhases[static_cast<size_t>(configuration.phase)];
  const Membership membership = MembershipOf(configuration);
  AppendNodes("voters", membership.incoming(), &text);
  AppendNodes("outgoing", membership.outgoing(), &text);
  AppendNodes("learners", membership.learners(), &text);
  return text;
}

}  // namespace lockstep::raft
