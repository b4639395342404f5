#include "core/controller/admin.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/kv/command.h"

namespace lockstep::controller {
namespace {

absl::Status TooMany(absl::string_view what, uint64_t count, absl::string_view limit_name,
                     uint64_t limit, absl::string_view advice) {
  return absl::OutOfRangeError(
      absl::StrCat(what, " ", count, " exceeds ", limit_name, " (", limit, "): ", advice));
}

// The first number that occurs twice; 0: none does.
uint64_t Twice(std::vector<uint64_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const auto at = std::adjacent_find(numbers.begin(), numbers.end());
  return at == numbers.end() ? 0 : *at;
}

absl::Status ValidateGid(uint64_t gid) {
  if (gid != 0) return absl::OkStatus();
  return absl::InvalidArgumentError("gid 0 names no group: gids count from 1");
}

absl::Status ValidateGids(const std::vector<uint64_t>& gids, absl::string_view operation,
                          const ControllerLimits& limits) {
  if (gids.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(operation, " names no groups: give at least one"));
  }
  if (gids.size() > limits.groups_max) {
    return TooMany(absl::StrCat("the number of groups in ", operation, ","), gids.size(),
                   "groups_max", limits.groups_max, "no cluster can have so many");
  }
  for (const uint64_t gid : gids) {
    const absl::Status status = ValidateGid(gid);
    if (!status.ok()) return status;
  }
  if (const uint64_t gid = Twice(gids); gid != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("gid ", gid, " occurs twice in ", operation, ": name each group once"));
  }
  return absl::OkStatus();
}

absl::Status ValidateGroup(const proto::ShardGroup& group, const ControllerLimits& limits) {
  const std::string name = absl::StrCat("group ", group.gid());
  if (group.joined() != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " says when it joined: leave that out, the controller decides it"));
  }
  if (group.members_size() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " has no members: give the number and address of each of its nodes"));
  }
  const auto members = static_cast<uint64_t>(group.members_size());
  if (members > limits.members_max) {
    return TooMany(absl::StrCat("the number of members of ", name, ","), members, "members_max",
                   limits.members_max, "a group of 3 or 5 is enough to outlive failures");
  }
  std::vector<uint64_t> nodes;
  for (const proto::Member& member : group.members()) {
    if (member.node() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " has a member with node 0: nodes count from 1"));
    }
    if (member.address().size() > limits.address_bytes_max) {
      return TooMany(
          absl::StrCat("the address of node ", member.node(), " in ", name, ", of bytes"),
          member.address().size(), "address_bytes_max", limits.address_bytes_max, "give host:port");
    }
    nodes.push_back(member.node());
  }
  if (const uint64_t node = Twice(nodes); node != 0) {
    return absl::InvalidArgumentError(absl::StrCat("node ", node, " occurs twice in ", name,
                                                   ": a node holds one replica of a group"));
  }
  return absl::OkStatus();
}

absl::Status ValidateJoin(const proto::Join& join, const ControllerLimits& limits) {
  std::vector<uint64_t> gids;
  for (const proto::ShardGroup& group : join.groups()) gids.push_back(group.gid());
  absl::Status status = ValidateGids(gids, "join", limits);
  if (!status.ok()) return status;
  for (const proto::ShardGroup& group : join.groups()) {
    status = ValidateGroup(group, limits);
    if (!status.ok()) return status;
  }
  if (join.shards() > limits.shards_max) {
    return TooMany("the number of shards,", join.shards(), "shards_max", limits.shards_max,
                   "choose fewer");
  }
  return absl::OkStatus();
}

absl::Status ValidateNoPlace(const proto::Command& command, absl::string_view operation) {
  if (command.session() == 0 && command.sequence() == 0 && command.first_outstanding() == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      operation, " has no place in a session: leave session, sequence and first_outstanding out"));
}

absl::Status ValidateSetMembers(const proto::Command& command) {
  const absl::Status place = ValidateNoPlace(command, "set_members");
  if (!place.ok()) return place;
  const proto::SetMembers& set = command.set_members();
  const std::string name = set.gid() == 0 ? "the controller" : absl::StrCat("group ", set.gid());
  if (set.membership() == 0 || (set.gid() == 0) != (set.joined() == 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("set_members of ", name, " with membership ", set.membership(), " and joined ",
                     set.joined(), ": give both for a group, the first alone for the controller"));
  }
  if (set.nodes().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("set_members leaves ", name, " without members: give its voters"));
  }
  if (static_cast<uint64_t>(set.nodes_size()) > kReportedMembersMax) {
    return TooMany(absl::StrCat("the number of members of ", name, ","),
                   static_cast<uint64_t>(set.nodes_size()), "kReportedMembersMax",
                   kReportedMembersMax, "no group can have so many");
  }
  uint64_t last = 0;
  for (const uint64_t node : set.nodes()) {
    if (node <= last) {
      return absl::InvalidArgumentError(
          absl::StrCat("the members in set_members of ", name, " do not ascend from 1"));
    }
    last = node;
  }
  return absl::OkStatus();
}

absl::Status ValidatePrune(const proto::Command& command) {
  const absl::Status place = ValidateNoPlace(command, "prune_history");
  if (!place.ok()) return place;
  if (command.prune_history().before() == 0) {
    return absl::InvalidArgumentError(
        "prune_history names no configuration: give the oldest one that is still needed");
  }
  return absl::OkStatus();
}

}  // namespace

bool IsInternal(const proto::Command& command) {
  return command.has_prune_history() || command.has_set_members();
}

absl::Status ValidateAdmin(const proto::Command& command, const ControllerLimits& limits) {
  absl::Status status;
  switch (command.operation_case()) {
    case proto::Command::kRegisterSession:
    case proto::Command::kCloseSession:
    case proto::Command::kUnpin:
      break;
    case proto::Command::kJoin:
      status = ValidateJoin(command.join(), limits);
      break;
    case proto::Command::kLeave:
      status = ValidateGids({command.leave().gids().begin(), command.leave().gids().end()}, "leave",
                            limits);
      break;
    case proto::Command::kMove:
      status = ValidateGid(command.move().gid());
      break;
    case proto::Command::kPruneHistory:
      return ValidatePrune(command);
    case proto::Command::kSetMembers:
      return ValidateSetMembers(command);
    default:
      return absl::InvalidArgumentError(
          "the command names no operation of the controller: set register_session, close_session, "
          "join, leave, move or unpin");
  }
  if (!status.ok()) return status;
  return kv::ValidatePlace(command, {.session_window_max = limits.session_window_max});
}

absl::Status ValidateQuery(const proto::Query& query) {
  if (query.has_get_configuration() || query.has_get_membership()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the query names no operation of the controller: set get_configuration");
}

proto::Command MakeJoin(const std::vector<Group>& groups, uint32_t shards) {
  proto::Command command;
  command.mutable_join()->set_shards(shards);
  for (const Group& group : groups) {
    proto::ShardGroup* to = command.mutable_join()->add_groups();
    to->set_gid(group.gid.value());
    for (const Member& member : group.members) {
      proto::Member* to_member = to->add_members();
      to_member->set_node(member.node.value());
      to_member->set_address(member.address);
    }
  }
  return command;
}

proto::Command MakeLeave(const std::vector<GroupId>& gids, bool force) {
  proto::Command command;
  for (const GroupId gid : gids) command.mutable_leave()->add_gids(gid.value());
  command.mutable_leave()->set_force(force);
  return command;
}

proto::Command MakeMove(ShardId shard, GroupId gid) {
  proto::Command command;
  command.mutable_move()->set_shard(static_cast<uint32_t>(shard.value()));
  command.mutable_move()->set_gid(gid.value());
  return command;
}

proto::Command MakeUnpin(ShardId shard) {
  proto::Command command;
  command.mutable_unpin()->set_shard(static_cast<uint32_t>(shard.value()));
  return command;
}

proto::Command MakePruneHistory(ConfigurationNum before) {
  proto::Command command;
  command.mutable_prune_history()->set_before(before.value());
  return command;
}

proto::Command MakeSetMembers(const proto::SetMembers& set) {
  proto::Command command;
  *command.mutable_set_members() = set;
  return command;
}

proto::Query MakeGetConfiguration(ConfigurationNum num) {
  proto::Query query;
  query.mutable_get_configuration()->set_num(num.value());
  return query;
}

proto::Query MakeGetConfigurationOf(GroupId gid, ConfigurationNum after) {
  proto::Query query = MakeGetConfiguration(after);
  query.mutable_get_configuration()->set_member_gid(gid.value());
  return query;
}

}  // namespace lockstep::controller
