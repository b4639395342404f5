#include "core/node/door.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/address.h"
#include "core/controller/admin.h"
#include "core/controller/configuration.h"
#include "core/kv/command.h"
#include "core/shardkv/command.h"

namespace lockstep::node {
namespace {

// They are bytes in the log and text in every answer: one that is no text would make the whole
// configuration unreadable for clients, for ever. Not for the machine to check: what is in the log
// has been decided by its rules.
absl::Status CheckAddresses(const proto::Join& join) {
  for (const proto::ShardGroup& group : join.groups()) {
    for (const proto::Member& member : group.members()) {
      if (AddressText(member.address()) == member.address()) continue;
      return absl::InvalidArgumentError(absl::StrCat("the address of node ", member.node(),
                                                     " in group ", group.gid(),
                                                     " is no address: give host:port"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status AdmitCommand(GroupRole role, const NodeOptions& options, proto::Command* command) {
  switch (role) {
    case GroupRole::kStore:
      return kv::ValidateCommand(*command, options.kv.limits);
    case GroupRole::kController:
      if (command->has_prune_history()) {
        return absl::InvalidArgumentError(
            "prune_history is not for clients: the controller forgets old configurations itself");
      }
      if (command->has_set_members()) {
        return absl::InvalidArgumentError(
            "set_members is not for clients: groups tell the controller themselves who their "
            "members are");
      }
      if (absl::Status text = CheckAddresses(command->join()); !text.ok()) return text;
      if (command->has_join() && command->join().shards() == 0) {
        command->mutable_join()->set_shards(options.shards);
      }
      return controller::ValidateAdmin(*command, options.controller.limits);
    case GroupRole::kShards: {
      const absl::Status valid = kv::ValidateCommand(*command, options.kv.limits);
      return valid.ok() ? shardkv::ValidatePlacement(*command, /*shards=*/0) : valid;
    }
  }
  return absl::InternalError("a group without a role");
}

absl::Status AdmitQuery(GroupRole role, const NodeOptions& options, const proto::Query& query) {
  switch (role) {
    case GroupRole::kStore:
      return kv::ValidateQuery(query, options.kv.limits);
    case GroupRole::kController:
      if (query.has_get_membership()) {
        return absl::InvalidArgumentError(
            "get_membership is not for clients: ask for the newest configuration");
      }
      return controller::ValidateQuery(query);
    case GroupRole::kShards:
      if (query.has_get_shards()) return absl::OkStatus();
      return kv::ValidateQuery(query, options.kv.limits);
  }
  return absl::InternalError("a group without a role");
}

bool AddsData(const proto::Command& command) {
  switch (command.operation_case()) {
    case proto::Command::kPut:
    case proto::Command::kAppend:
      return true;
    case proto::Command::kCompareAndSwap:
      return command.compare_and_swap().has_value();
    case proto::Command::kBatch: {
      const auto& operations = command.batch().operations();
      return std::any_of(operations.begin(), operations.end(), [](const auto& operation) {
        return operation.has_put() || operation.has_append() ||
               operation.compare_and_swap().has_value();
      });
    }
    default:
      return false;
  }
}

absl::Status ValidateNodeMessage(const proto::NodeMessage& message) {
  const auto& controllers = message.configuration_answer().controllers().nodes();
  if (std::find(controllers.begin(), controllers.end(), 0) != controllers.end()) {
    return absl::InvalidArgumentError("controllers with the node 0");
  }
  if (message.has_configuration_answer() && message.configuration_answer().has_configuration()) {
    return controller::FromProto(message.configuration_answer().configuration()).status();
  }
  const proto::ConfigurationRequest& request = message.configuration_request();
  for (const proto::SetMembers& said : request.members()) {
    if (said.gid() == 0 || said.gid() != request.from_group()) {
      return absl::InvalidArgumentError("a group that speaks of another group's members");
    }
    const absl::Status valid = controller::ValidateAdmin(controller::MakeSetMembers(said), {});
    if (!valid.ok()) return valid;
  }
  if (message.has_shard() && message.shard().body_case() == proto::ShardMessage::BODY_NOT_SET) {
    return absl::InvalidArgumentError("a message about a shard that says nothing");
  }
  return absl::OkStatus();
}

}  // namespace lockstep::node
