#include "core/controller/configuration.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace lockstep::controller {
namespace {

void SetGroup(const Group& group, proto::ShardGroup* message) {
  message->set_gid(group.gid.value());
  message->set_joined(group.joined.value());
  for (const Member& member : group.members) {
    proto::Member* to = message->add_members();
    to->set_node(member.node.value());
    to->set_address(member.address);
  }
  message->set_membership(group.membership);
}

Group GroupFrom(const proto::ShardGroup& message) {
  Group group{.gid = GroupId(message.gid()),
              .joined = ConfigurationNum(message.joined()),
              .membership = message.membership()};
  for (const proto::Member& member : message.members()) {
    group.members.push_back({.node = NodeId(member.node()), .address = member.address()});
  }
  return group;
}

}  // namespace

const Group* FindGroup(const std::vector<Group>& groups, GroupId gid) {
  const auto at = std::lower_bound(groups.begin(), groups.end(), gid,
                                   [](const Group& group, GroupId id) { return group.gid < id; });
  return at == groups.end() || at->gid != gid ? nullptr : &*at;
}

const Group* Configuration::Find(GroupId gid) const { return FindGroup(groups, gid); }

const Group* Configuration::SourceOf(const Handover& handover) const {
  if (const Group* gone = FindGroup(departed, handover.from)) return gone;
  return Find(handover.from);
}

absl::StatusOr<Configuration> FromProto(const proto::Configuration& message) {
  Configuration configuration{.num = ConfigurationNum(message.num())};
  for (const proto::ShardGroup& group : message.groups()) {
    configuration.groups.push_back(GroupFrom(group));
  }
  configuration.owners.reserve(static_cast<size_t>(message.owners_size()));
  for (const uint64_t owner : message.owners()) configuration.owners.push_back(GroupId(owner));
  for (const proto::Pin& pin : message.pins()) {
    configuration.pins.push_back({.shard = ShardId(pin.shard()), .gid = GroupId(pin.gid())});
  }
  configuration.handovers.reserve(static_cast<size_t>(message.handovers_size()));
  for (const proto::Handover& handover : message.handovers()) {
    configuration.handovers.push_back({.shard = ShardId(handover.shard()),
                                       .from = GroupId(handover.from()),
                                       .to = GroupId(handover.to()),
                                       .ended = ConfigurationNum(handover.ended())});
  }
  for (const proto::ShardGroup& group : message.departed()) {
    configuration.departed.push_back(GroupFrom(group));
  }
  for (const proto::ShardGroup& group : message.former()) {
    configuration.former.push_back(GroupFrom(group));
  }
  configuration.controllers.membership = message.controllers().membership();
  for (const uint64_t node : message.controllers().nodes()) {
    configuration.controllers.nodes.push_back(NodeId(node));
  }
  const absl::Status valid = Validate(configuration);
  if (!valid.ok()) return valid;
  return configuration;
}

proto::Configuration ToProto(const Configuration& configuration) {
  proto::Configuration message;
  message.set_num(configuration.num.value());
  for (const Group& group : configuration.groups) SetGroup(group, message.add_groups());
  message.mutable_owners()->Reserve(static_cast<int>(configuration.owners.size()));
  for (const GroupId owner : configuration.owners) message.add_owners(owner.value());
  for (const Pin& pin : configuration.pins) {
    proto::Pin* to = message.add_pins();
    to->set_shard(static_cast<uint32_t>(pin.shard.value()));
    to->set_gid(pin.gid.value());
  }
  for (const Handover& handover : configuration.handovers) {
    proto::Handover* to = message.add_handovers();
    to->set_shard(static_cast<uint32_t>(handover.shard.value()));
    to->set_from(handover.from.value());
    to->set_to(handover.to.value());
    to->set_ended(handover.ended.value());
  }
  for (const Group& group : configuration.departed) SetGroup(group, message.add_departed());
  for (const Group& group : configuration.former) SetGroup(group, message.add_former());
  if (configuration.controllers.membership != 0) {
    proto::Controllers& controllers = *message.mutable_controllers();
    controllers.set_membership(configuration.controllers.membership);
    for (const NodeId node : configuration.controllers.nodes) controllers.add_nodes(node.value());
  }
  return message;
}

std::string Describe(const Configuration& configuration) {
  constexpr size_t kShownGroupsMax = 8;
  std::string text = absl::StrCat("#", configuration.num.value(), ":");
  if (configuration.groups.empty()) {
    absl::StrAppend(&text, " no groups, ", configuration.shards(), " shards");
  }
  const char* separator = " ";
  for (size_t i = 0; i < std::min(configuration.groups.size(), kShownGroupsMax); ++i) {
    const Group& group = configuration.groups[i];
    const auto owned =
        std::count(configuration.owners.begin(), configuration.owners.end(), group.gid);
    absl::StrAppend(&text, separator, group.gid.value(), "@", group.joined.value(), " owns ",
                    owned);
    separator = ", ";
  }
  if (configuration.groups.size() > kShownGroupsMax) {
    absl::StrAppend(&text, " and ", configuration.groups.size() - kShownGroupsMax, " groups more");
  }
  const auto count = [&](size_t number, absl::string_view what) {
    if (number > 0) absl::StrAppend(&text, "; ", number, " ", what, number > 1 ? "s" : "");
  };
  count(configuration.pins.size(), "pin");
  count(configuration.handovers.size(), "handover");
  for (const Group& group : configuration.departed) {
    if (&group - configuration.departed.data() == kShownGroupsMax) break;
    absl::StrAppend(&text, "; ", group.gid.value(), "@", group.joined.value(), " departed");
  }
  return text;
}

}  // namespace lockstep::controller
