#include "core/gateway/group_change.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/placement.h"

namespace lockstep::gateway {
namespace {

using lockstep::v1::GroupChange;

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

}  // namespace

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
