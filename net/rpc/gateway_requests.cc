#include "net/rpc/gateway_requests.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "net/client/failure.h"

namespace lockstep::net {
namespace {

absl::Status Refuse(absl::string_view why) {
  return client::FailureStatus(absl::StatusCode::kInvalidArgument, client::Effect::kNone,
                               "INVALID_ARGUMENT", why);
}

absl::Status SetSession(const v1::Session& session, proto::Command* command) {
  if (session.id() == 0 || session.sequence() == 0) {
    return Refuse(
        "a session needs its id, from OpenSession, and a sequence number from 1: set both, or "
        "leave the session out");
  }
  command->set_session(session.id());
  command->set_sequence(session.sequence());
  const uint64_t first = session.first_outstanding();
  command->set_first_outstanding(first == 0 ? session.sequence() : first);
  return absl::OkStatus();
}

template <class Request>
absl::Status TakeSession(const Request& request, proto::Command* command) {
  return request.has_session() ? SetSession(request.session(), command) : absl::OkStatus();
}

void Take(v1::PutRequest* from, proto::Put* to) {
  to->set_key(std::move(*from->mutable_key()));
  to->set_value(std::move(*from->mutable_value()));
}

void Take(v1::AppendRequest* from, proto::Append* to) {
  to->set_key(std::move(*from->mutable_key()));
  to->set_value(std::move(*from->mutable_value()));
}

void Take(v1::DeleteRequest* from, proto::Delete* to) {
  to->set_key(std::move(*from->mutable_key()));
}

void Take(v1::CompareAndSwapRequest* from, proto::CompareAndSwap* to) {
  to->set_key(std::move(*from->mutable_key()));
  if (from->has_expected()) to->set_expected(std::move(*from->mutable_expected()));
  if (from->has_value()) to->set_value(std::move(*from->mutable_value()));
}

void SetConsistency(v1::Consistency consistency, proto::Query* query) {
  query->set_stale(consistency == v1::STALE);
  query->set_any_replica(consistency == v1::ANY_REPLICA);
}

proto::Query QueryWith(v1::Consistency consistency) {
  proto::Query query;
  SetConsistency(consistency, &query);
  return query;
}

GatewayRequestOr WithQuery(proto::Query query) {
  proto::GatewayRequest request;
  *request.mutable_query() = std::move(query);
  return request;
}

// False: it names no operation.
bool TakeWrite(v1::Write* from, proto::BatchOperation* to) {
  switch (from->operation_case()) {
    case v1::Write::kPut:
      Take(from->mutable_put(), to->mutable_put());
      return true;
    case v1::Write::kAppend:
      Take(from->mutable_append(), to->mutable_append());
      return true;
    case v1::Write::kDelete:
      Take(from->mutable_delete_(), to->mutable_delete_());
      return true;
    case v1::Write::kCompareAndSwap:
      Take(from->mutable_compare_and_swap(), to->mutable_compare_and_swap());
      return true;
    case v1::Write::OPERATION_NOT_SET:
      return false;
  }
  return false;
}

bool HasSession(const v1::Write& write) {
  return write.put().has_session() || write.append().has_session() ||
         write.delete_().has_session() || write.compare_and_swap().has_session();
}

}  // namespace

// --- KV

GatewayRequestOr ToGateway(v1::GetRequest* request) {
  proto::Query query = QueryWith(request->consistency());
  query.mutable_get()->set_key(std::move(*request->mutable_key()));
  return WithQuery(std::move(query));
}

GatewayRequestOr ToGateway(v1::GetManyRequest* request) {
  proto::Query query = QueryWith(request->consistency());
  query.mutable_get_many()->mutable_keys()->Swap(request->mutable_keys());
  return WithQuery(std::move(query));
}

GatewayRequestOr ToGateway(v1::PutRequest* request) {
  proto::GatewayRequest gateway;
  const absl::Status session = TakeSession(*request, gateway.mutable_command());
  if (!session.ok()) return session;
  Take(request, gateway.mutable_command()->mutable_put());
  return gateway;
}

GatewayRequestOr ToGateway(v1::AppendRequest* request) {
  proto::GatewayRequest gateway;
  const absl::Status session = TakeSession(*request, gateway.mutable_command());
  if (!session.ok()) return session;
  Take(request, gateway.mutable_command()->mutable_append());
  return gateway;
}

GatewayRequestOr ToGateway(v1::DeleteRequest* request) {
  proto::GatewayRequest gateway;
  const absl::Status session = TakeSession(*request, gateway.mutable_command());
  if (!session.ok()) return session;
  Take(request, gateway.mutable_command()->mutable_delete_());
  return gateway;
}

GatewayRequestOr ToGateway(v1::CompareAndSwapRequest* request) {
  proto::GatewayRequest gateway;
  const absl::Status session = TakeSession(*request, gateway.mutable_command());
  if (!session.ok()) return session;
  Take(request, gateway.mutable_command()->mutable_compare_and_swap());
  return gateway;
}

GatewayRequestOr ToGateway(v1::BatchRequest* request) {
  if (request->writes().empty()) return Refuse("the batch is empty: give it at least one write");
  if (request->has_session() && !request->atomic()) {
    return Refuse("a batch with a session must be atomic: set atomic, or leave the session out");
  }
  proto::GatewayRequest gateway;
  if (request->atomic()) {
    const absl::Status session = TakeSession(*request, gateway.mutable_command());
    if (!session.ok()) return session;
  }
  for (v1::Write& write : *request->mutable_writes()) {
    if (HasSession(write)) {
      return Refuse("a write inside a batch has a session: set the batch's, and make it atomic");
    }
    proto::BatchOperation* to = request->atomic()
                                    ? gateway.mutable_command()->mutable_batch()->add_operations()
                                    : gateway.mutable_bulk()->add_operations();
    if (!TakeWrite(&write, to)) {
      return Refuse("a write of the batch is none: set put, append, delete or compare_and_swap");
    }
  }
  return gateway;
}

GatewayRequestOr ToGateway(v1::OpenSessionRequest* request) {
  if (request->key().empty()) return Refuse("name any key of the shard that the session is for");
  proto::GatewayRequest gateway;
  gateway.mutable_command()->mutable_register_session();
  gateway.set_key(std::move(*request->mutable_key()));
  return gateway;
}

GatewayRequestOr ToGateway(v1::CloseSessionRequest* request) {
  if (request->key().empty() || request->session() == 0) {
    return Refuse("name the session, and the key that it was opened for");
  }
  proto::GatewayRequest gateway;
  gateway.mutable_command()->set_session(request->session());
  gateway.mutable_command()->mutable_close_session();
  gateway.set_key(std::move(*request->mutable_key()));
  return gateway;
}

proto::GatewayRequest PageOf(const v1::ListRequest& request, uint32_t limit,
                             const std::string& continuation) {
  proto::GatewayRequest gateway;
  proto::Query& query = *gateway.mutable_query();
  SetConsistency(request.consistency(), &query);
  proto::List& list = *query.mutable_list();
  list.set_prefix(request.prefix());
  list.set_start(request.start());
  list.set_limit(limit);
  list.set_continuation(continuation);
  return gateway;
}

// --- Cluster

GatewayRequestOr ToGateway(v1::JoinRequest* request) {
  if (request->groups().empty()) return Refuse("name at least one group to join");
  proto::GatewayRequest gateway;
  for (const v1::Group& group : request->groups()) {
    proto::ShardGroup& added = *gateway.mutable_join()->add_groups();
    added.set_gid(group.gid());
    for (const v1::Member& member : group.members()) {
      added.add_members()->set_node(member.node());
      added.mutable_members()->rbegin()->set_address(member.address());
    }
  }
  return gateway;
}

GatewayRequestOr ToGateway(v1::LeaveRequest* request) {
  if (request->gids().empty()) return Refuse("name at least one group to leave");
  proto::GatewayRequest gateway;
  proto::Leave& leave = *gateway.mutable_command()->mutable_leave();
  leave.mutable_gids()->CopyFrom(request->gids());
  leave.set_force(request->force());
  return gateway;
}

GatewayRequestOr ToGateway(v1::MoveRequest* request) {
  proto::GatewayRequest gateway;
  gateway.mutable_command()->mutable_move()->set_shard(request->shard());
  gateway.mutable_command()->mutable_move()->set_gid(request->gid());
  return gateway;
}

GatewayRequestOr ToGateway(v1::UnpinRequest* request) {
  proto::GatewayRequest gateway;
  gateway.mutable_command()->mutable_unpin()->set_shard(request->shard());
  return gateway;
}

GatewayRequestOr ToGateway(v1::QueryRequest* request) {
  proto::Query query;
  query.mutable_get_configuration()->set_num(request->num());
  return WithQuery(std::move(query));
}

GatewayRequestOr ToGateway(v1::TransferLeaderRequest* request) {
  proto::GatewayRequest gateway;
  gateway.mutable_transfer()->set_group(request->group());
  gateway.mutable_transfer()->set_to(request->to());
  return gateway;
}

GatewayRequestOr ToGateway(v1::AddNodeRequest* request) {
  if (request->node() == 0) return Refuse("name the node to add: node ids begin at 1");
  proto::GatewayRequest gateway;
  proto::ChangeNodes& change = *gateway.mutable_change_nodes();
  change.set_add(request->node());
  change.set_address(request->address());
  change.set_learner(request->learner());
  change.mutable_groups()->CopyFrom(request->groups());
  return gateway;
}

GatewayRequestOr ToGateway(v1::RemoveNodeRequest* request) {
  if (request->node() == 0) return Refuse("name the node to remove: node ids begin at 1");
  proto::GatewayRequest gateway;
  gateway.mutable_change_nodes()->set_remove(request->node());
  gateway.mutable_change_nodes()->mutable_groups()->CopyFrom(request->groups());
  return gateway;
}

GatewayRequestOr ToGateway(v1::ReplaceNodeRequest* request) {
  if (request->node() == 0 || request->replaces() == 0) {
    return Refuse("name the node that comes and the one that it replaces: node ids begin at 1");
  }
  proto::GatewayRequest gateway;
  proto::ChangeNodes& change = *gateway.mutable_change_nodes();
  change.set_add(request->node());
  change.set_remove(request->replaces());
  change.set_address(request->address());
  change.mutable_groups()->CopyFrom(request->groups());
  return gateway;
}

GatewayRequestOr ToGateway(v1::StatusRequest* request) {
  proto::GatewayRequest gateway;
  gateway.mutable_cluster_status()->set_shards(request->shards());
  return gateway;
}

}  // namespace lockstep::net
