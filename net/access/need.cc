#include "net/access/need.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/gateway/gateway.h"
#include "core/proto/wire.h"

namespace lockstep::net {
namespace {

using proto::BatchOperation;
using proto::ClientRequest;
using proto::Command;
using proto::GatewayRequest;
using proto::Query;

const std::string& KeyOf(const BatchOperation& operation) {
  switch (operation.operation_case()) {
    case BatchOperation::kPut:
      return operation.put().key();
    case BatchOperation::kAppend:
      return operation.append().key();
    case BatchOperation::kDelete:
      return operation.delete_().key();
    default:
      return operation.compare_and_swap().key();
  }
}

template <class Operations>
Need Writing(const Operations& operations) {
  Need need{.role = Role::kWrite};
  for (const BatchOperation& operation : operations) need.keys.push_back(KeyOf(operation));
  return need;
}

Need Writing(const std::string& key) { return {.role = Role::kWrite, .keys = {key}}; }

Need Administrating(std::string action) {
  return {.role = Role::kAdmin, .action = std::move(action)};
}

std::string Joined(const proto::Join& join) {
  std::vector<uint64_t> gids;
  for (const proto::ShardGroup& group : join.groups()) gids.push_back(group.gid());
  return absl::StrCat("join groups ", absl::StrJoin(gids, ","));
}

Need NeedOfCommand(const Command& command, const std::string& key) {
  switch (command.operation_case()) {
    case Command::kRegisterSession:
    case Command::kCloseSession: {
      Need need{.role = Role::kWrite};
      if (!key.empty()) need.keys.push_back(key);
      return need;
    }
    case Command::kPut:
      return Writing(command.put().key());
    case Command::kAppend:
      return Writing(command.append().key());
    case Command::kDelete:
      return Writing(command.delete_().key());
    case Command::kCompareAndSwap:
      return Writing(command.compare_and_swap().key());
    case Command::kBatch:
      return Writing(command.batch().operations());
    case Command::kJoin:
      return Administrating(Joined(command.join()));
    case Command::kLeave:
      return Administrating(absl::StrCat("leave of groups ",
                                         absl::StrJoin(command.leave().gids(), ","),
                                         command.leave().force() ? " by force" : ""));
    case Command::kMove:
      return Administrating(
          absl::StrCat("move shard ", command.move().shard(), " to group ", command.move().gid()));
    case Command::kUnpin:
      return Administrating(absl::StrCat("unpin shard ", command.unpin().shard()));
    default:  // Of the groups themselves: the node refuses them, whoever asks.
      return Administrating("a command of the groups themselves");
  }
}

Need NeedOfQuery(const Query& query) {
  Need need{.role = Role::kRead};
  switch (query.operation_case()) {
    case Query::kGet:
      need.keys.push_back(query.get().key());
      return need;
    case Query::kGetMany:
      need.keys.assign(query.get_many().keys().begin(), query.get_many().keys().end());
      return need;
    case Query::kList:
      need.ranges.push_back(query.list().prefix());
      return need;
    case Query::kGetConfiguration:
    case Query::kGetShards:
      return need;
    default:
      return Administrating("a question of the groups themselves");
  }
}

std::string Changed(const proto::ChangeNodes& change) {
  std::string text;
  if (change.add() != 0) absl::StrAppend(&text, "add node ", change.add());
  if (change.remove() != 0) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", "remove node ", change.remove());
  }
  if (!change.groups().empty()) {
    absl::StrAppend(&text, " in groups ", absl::StrJoin(change.groups(), ","));
  }
  return text;
}

// What is none of clients' own writes, or cannot be told (protobuf reads more than our reader does:
// groups).
bool MayBeAdmins(absl::string_view command) {
  bool writes = false;
  wire::Reader reader(command);
  while (reader.Next()) {
    if (reader.field() > Command::kBatchFieldNumber) return true;
    writes = writes || (reader.is_text() && reader.field() >= Command::kRegisterSessionFieldNumber);
  }
  return !writes || !reader.ok();
}

// The same of a query.
bool MayBeGroups(absl::string_view query) {
  bool reads = false;
  wire::Reader reader(query);
  while (reader.Next()) {
    const uint32_t field = reader.field();
    if (field >= Query::kShardFieldNumber) continue;
    if (field >= Query::kReadTenureFieldNumber) return true;
    const bool ours = field <= Query::kGetManyFieldNumber ||
                      field == Query::kGetConfigurationFieldNumber ||
                      field == Query::kGetShardsFieldNumber;
    reads = reads || (ours && reader.is_text());
  }
  return !reads || !reader.ok();
}

}  // namespace

Need NeedOf(const GatewayRequest& request) {
  switch (request.body_case()) {
    case GatewayRequest::kCommand:
      return NeedOfCommand(request.command(), request.key());
    case GatewayRequest::kQuery:
      return NeedOfQuery(request.query());
    case GatewayRequest::kBulk:
      return Writing(request.bulk().operations());
    case GatewayRequest::kClusterStatus:
      return {.role = Role::kRead};
    case GatewayRequest::kTransfer:
      return Administrating(absl::StrCat("transfer leadership of group ",
                                         request.transfer().group(), " to node ",
                                         request.transfer().to()));
    case GatewayRequest::kJoin:
      return Administrating(Joined(request.join()));
    case GatewayRequest::kChangeNodes:
      return Administrating(Changed(request.change_nodes()));
    default:
      return Administrating("nothing that is known");
  }
}

Need NeedOf(const ClientRequest& request) {
  switch (request.body_case()) {
    case ClientRequest::kCommand:
      return NeedOfCommand(request.command(), "");
    case ClientRequest::kQuery:
      return NeedOfQuery(request.query());
    case ClientRequest::kGetNodeStatus:
      return {.role = Role::kRead};
    case ClientRequest::kTransferLeadership:
      return Administrating(absl::StrCat("transfer leadership of group ", request.group(),
                                         " to node ", request.transfer_leadership().to()));
    case ClientRequest::kChangeMembership:
      return Administrating(absl::StrCat("change the members of group ", request.group()));
    default:
      return Administrating("nothing that is known");
  }
}

bool MayNeedAdmin(const Bytes& request) {
  const bool gateway = gateway::IsGatewayRequest(request);
  const auto either = [gateway](int of_gateway, int of_node) {
    return static_cast<uint32_t>(gateway ? of_gateway : of_node);
  };
  const uint32_t command =
      either(GatewayRequest::kCommandFieldNumber, ClientRequest::kCommandFieldNumber);
  const uint32_t query =
      either(GatewayRequest::kQueryFieldNumber, ClientRequest::kQueryFieldNumber);
  const uint32_t status =
      either(GatewayRequest::kClusterStatusFieldNumber, ClientRequest::kGetNodeStatusFieldNumber);
  bool known = false;
  wire::Reader reader(request.view());
  while (reader.Next()) {
    const uint32_t field = reader.field();
    const bool body = gateway ? field < GatewayRequest::kPatienceUsFieldNumber
                              : field != ClientRequest::kGroupFieldNumber;
    if (!body) continue;
    if (!reader.is_text()) return true;
    const bool bulk = gateway && field == GatewayRequest::kBulkFieldNumber;
    const bool admins = field == command ? MayBeAdmins(reader.text())
                        : field == query ? MayBeGroups(reader.text())
                                         : field != status && !bulk;
    if (admins) return true;
    known = true;
  }
  return !known || !reader.ok();
}

}  // namespace lockstep::net
