#include "net/http/cluster_view.h"

#include "absl/strings/ascii.h"

namespace lockstep::net::http {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

const ReplicaStatus* SpeakerOf(const NodeStatus& node, std::optional<uint64_t> group) {
  const ReplicaStatus* controller = nullptr;
  for (const ReplicaStatus& replica : node.replicas()) {
    if (group.has_value() && replica.group() == *group) return &replica;
    if (!group.has_value() && replica.group() != 0) return &replica;
    if (replica.group() == 0) controller = &replica;
  }
  return group.has_value() ? nullptr : controller;
}

std::string StateName(const ReplicaStatus* replica) {
  if (replica == nullptr) return "none";
  switch (replica->role()) {
    case lockstep::v1::LEADER:
      return "leader";
    case lockstep::v1::CANDIDATE:
      return "candidate";
    case lockstep::v1::PRE_CANDIDATE:
      return "pre_candidate";
    default:
      return "follower";
  }
}

Json NodeOrNull(uint64_t node) { return node == 0 ? Json(nullptr) : Json(node); }

Json ConfigurationJson(const proto::Configuration& configuration) {
  Json groups = Json::array();
  for (const proto::ShardGroup& group : configuration.groups()) {
    Json members = Json::array();
    for (const proto::Member& member : group.members()) {
      members.push_back({{"node", member.node()}, {"address", member.address()}});
    }
    groups.push_back(
        {{"gid", group.gid()}, {"members", std::move(members)}, {"joined", group.joined()}});
  }
  Json owners = Json::array();
  for (const uint64_t owner : configuration.owners()) owners.push_back(owner);
  Json pinned = Json::array();
  for (const proto::Pin& pin : configuration.pins()) pinned.push_back(pin.shard());
  return {{"num", configuration.num()},
          {"groups", std::move(groups)},
          {"owners", std::move(owners)},
          {"pinned", std::move(pinned)}};
}

Json ChangesJson(const proto::GatewayReply& reply) {
  using lockstep::v1::GroupChange;
  Json groups = Json::array();
  for (const GroupChange& change : reply.groups()) {
    const std::string outcome = GroupChange::Outcome_Name(change.outcome());
    Json each = {{"group", change.group()},
                 {"outcome", absl::AsciiStrToLower(outcome)},
                 {"membership_id", change.membership_id()}};
    if (change.outcome() == GroupChange::REFUSED) {
      each["reason"] = GroupChange::Reason_Name(change.reason());
    }
    if (!change.message().empty()) each["message"] = change.message();
    groups.push_back(std::move(each));
  }
  return groups;
}

}  // namespace lockstep::net::http
