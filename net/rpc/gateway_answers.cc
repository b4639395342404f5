#include "net/rpc/gateway_answers.h"

#include <string>
#include <utility>

#include "core/base/address.h"
#include "net/client/failure.h"

namespace lockstep::net {
namespace {

// Executed, and refused: nothing has changed. None of ours: an answer.
absl::StatusCode RefusalOf(proto::Code code) {
  switch (code) {
    case proto::ALREADY_EXISTS:
      return absl::StatusCode::kAlreadyExists;
    case proto::NOT_FOUND:
      return absl::StatusCode::kNotFound;
    case proto::FAILED_PRECONDITION:
      return absl::StatusCode::kFailedPrecondition;
    case proto::INVALID_ARGUMENT:
      return absl::StatusCode::kInvalidArgument;
    case proto::TOO_LARGE:
      return absl::StatusCode::kOutOfRange;
    case proto::SESSION_UNKNOWN:
    case proto::SEQUENCE_STALE:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kOk;
  }
}

std::string ReasonOf(const proto::GatewayReply& reply, absl::StatusCode code) {
  const proto::Code said = reply.result().code();
  // A newer node's code has no name here.
  const bool says = said != proto::CODE_UNSPECIFIED && said != proto::OK;
  if (says && proto::Code_IsValid(said)) return proto::Code_Name(said);
  if (code == absl::StatusCode::kDeadlineExceeded) return "TIMEOUT";
  if (code == absl::StatusCode::kResourceExhausted) return "OVERLOADED";
  if (code == absl::StatusCode::kInvalidArgument) return "INVALID_ARGUMENT";
  if (code == absl::StatusCode::kOutOfRange) return "TOO_LARGE";
  if (code == absl::StatusCode::kPermissionDenied) return "PERMISSION_DENIED";
  if (code == absl::StatusCode::kUnauthenticated) return "UNAUTHENTICATED";
  return "UNAVAILABLE";
}

absl::Status Failed(const proto::GatewayReply& reply, absl::StatusCode code, v1::Effect effect,
                    const std::string& message) {
  v1::Failure failure;
  failure.set_effect(effect);
  failure.set_reason(ReasonOf(reply, code));
  failure.set_message(message);
  failure.set_leader(reply.leader());
  failure.set_configuration_num(reply.result().configuration_num());
  failure.set_free_bytes(reply.result().free_bytes());
  failure.set_need_bytes(reply.result().need_bytes());
  failure.set_which(reply.result().which());
  failure.set_limit(reply.result().limit());
  *failure.mutable_groups() = reply.groups();
  return client::WithFailure(absl::Status(code, message), failure);
}

absl::Status StatusOf(const proto::GatewayReply& reply) {
  if (reply.kind() == proto::GatewayReply::OK) {
    const absl::StatusCode refusal = RefusalOf(reply.result().code());
    if (refusal == absl::StatusCode::kOk) return absl::OkStatus();
    return Failed(reply, refusal, v1::EFFECT_NONE, reply.result().message());
  }
  auto code = static_cast<absl::StatusCode>(reply.status());
  if (code == absl::StatusCode::kOk) code = absl::StatusCode::kUnknown;
  const bool none = reply.kind() == proto::GatewayReply::NOT_EXECUTED;
  return Failed(reply, code, none ? v1::EFFECT_NONE : v1::EFFECT_UNKNOWN, reply.message());
}

template <class Response>
absl::Status AnswerWrite(const proto::GatewayReply& reply, Response* response) {
  absl::Status status = StatusOf(reply);
  if (!status.ok()) return status;
  response->set_version(reply.result().index());
  response->set_replayed(reply.result().replayed());
  return status;
}

template <class Response>
absl::Status AnswerChange(const proto::GatewayReply& reply, Response* response) {
  absl::Status status = StatusOf(reply);
  if (status.ok()) response->set_configuration(reply.result().configuration_num());
  return status;
}

template <class Response>
absl::Status AnswerPairs(proto::GatewayReply* reply, Response* response) {
  absl::Status status = StatusOf(*reply);
  if (!status.ok()) return status;
  for (proto::Pair& pair : *reply->mutable_result()->mutable_pairs()) {
    v1::Pair& added = *response->add_pairs();
    added.set_key(std::move(*pair.mutable_key()));
    added.set_value(std::move(*pair.mutable_value()));
  }
  response->set_stale(reply->result().stale());
  return status;
}

template <class Response>
absl::Status AnswerNodes(proto::GatewayReply* reply, Response* response) {
  absl::Status status = StatusOf(*reply);
  if (status.ok()) response->mutable_groups()->Swap(reply->mutable_groups());
  return status;
}

void FillOutcome(const proto::GatewayReply& from, v1::WriteOutcome* to) {
  switch (from.kind()) {
    case proto::GatewayReply::OK: {
      const bool conflict = from.result().code() == proto::CONFLICT;
      to->set_kind(conflict ? v1::WriteOutcome::CONFLICT : v1::WriteOutcome::EXECUTED);
      return;
    }
    case proto::GatewayReply::NOT_EXECUTED:
      to->set_kind(v1::WriteOutcome::NOT_EXECUTED);
      break;
    default:
      to->set_kind(v1::WriteOutcome::UNKNOWN);
      break;
  }
  to->set_message(from.message());
}

absl::Status AnswerBulk(const proto::GatewayReply& reply, v1::BatchResponse* response) {
  bool committed = true;
  for (const proto::GatewayReply& one : reply.each()) {
    v1::WriteOutcome& outcome = *response->add_each();
    FillOutcome(one, &outcome);
    committed = committed && outcome.kind() == v1::WriteOutcome::EXECUTED;
  }
  response->set_committed(committed);
  return absl::OkStatus();
}

void Take(const proto::ShardGroup& from, v1::Group* to) {
  to->set_gid(from.gid());
  to->set_joined(from.joined());
  for (const proto::Member& member : from.members()) {
    v1::Member& added = *to->add_members();
    added.set_node(member.node());
    added.set_address(std::string(AddressText(member.address())));
  }
}

}  // namespace

absl::Status Answer(proto::GatewayReply* reply, v1::GetResponse* response) {
  absl::Status status = StatusOf(*reply);
  if (!status.ok()) return status;
  proto::Result& result = *reply->mutable_result();
  response->set_found(result.has_value());
  if (result.has_value()) response->set_value(std::move(*result.mutable_value()));
  response->set_version(result.index());
  response->set_stale(result.stale());
  return status;
}

absl::Status Answer(proto::GatewayReply* reply, v1::GetManyResponse* response) {
  return AnswerPairs(reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::PutResponse* response) {
  return AnswerWrite(*reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::AppendResponse* response) {
  return AnswerWrite(*reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::DeleteResponse* response) {
  return AnswerWrite(*reply, response);
}

absl::Status Answer(proto::GatewayReply* reply, v1::CompareAndSwapResponse* response) {
  absl::Status status = AnswerWrite(*reply, response);
  if (!status.ok()) return status;
  proto::Result& result = *reply->mutable_result();
  response->set_swapped(result.code() != proto::CONFLICT);
  response->set_actual_omitted(result.value_omitted());
  if (!response->swapped() && result.has_value()) {
    response->set_actual(std::move(*result.mutable_value()));
  }
  return status;
}

absl::Status Answer(proto::GatewayReply* reply, v1::BatchResponse* response) {
  // Of a bulk every write has its own end, however the whole ended.
  if (!reply->each().empty()) return AnswerBulk(*reply, response);
  absl::Status status = AnswerWrite(*reply, response);
  if (!status.ok()) return status;
  response->set_committed(reply->result().code() != proto::CONFLICT);
  response->set_failed_write(reply->result().failed_operation());
  return status;
}

absl::Status Answer(proto::GatewayReply* reply, v1::OpenSessionResponse* response) {
  absl::Status status = StatusOf(*reply);
  if (status.ok()) response->set_session(reply->result().session());
  return status;
}

absl::Status Answer(proto::GatewayReply* reply, v1::CloseSessionResponse* /*response*/) {
  return StatusOf(*reply);
}

absl::Status Answer(proto::GatewayReply* reply, v1::ListResponse* response) {
  absl::Status status = AnswerPairs(reply, response);
  if (!status.ok()) return status;
  response->set_continuation(std::move(*reply->mutable_result()->mutable_continuation()));
  return status;
}

absl::Status Answer(proto::GatewayReply* reply, v1::JoinResponse* response) {
  return AnswerChange(*reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::LeaveResponse* response) {
  return AnswerChange(*reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::MoveResponse* response) {
  return AnswerChange(*reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::UnpinResponse* response) {
  return AnswerChange(*reply, response);
}

absl::Status Answer(proto::GatewayReply* reply, v1::QueryResponse* response) {
  absl::Status status = StatusOf(*reply);
  if (!status.ok()) return status;
  const proto::Configuration& from = reply->result().configuration();
  v1::Configuration& to = *response->mutable_configuration();
  to.set_num(from.num());
  for (const proto::ShardGroup& group : from.groups()) Take(group, to.add_groups());
  for (const uint64_t owner : from.owners()) to.add_owners(owner);
  for (const proto::Pin& pin : from.pins()) to.add_pinned(pin.shard());
  return status;
}

absl::Status Answer(proto::GatewayReply* reply, v1::TransferLeaderResponse* /*response*/) {
  return StatusOf(*reply);
}

absl::Status Answer(proto::GatewayReply* reply, v1::AddNodeResponse* response) {
  return AnswerNodes(reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::RemoveNodeResponse* response) {
  return AnswerNodes(reply, response);
}
absl::Status Answer(proto::GatewayReply* reply, v1::ReplaceNodeResponse* response) {
  return AnswerNodes(reply, response);
}

absl::Status Answer(proto::GatewayReply* reply, v1::StatusResponse* response) {
  absl::Status status = StatusOf(*reply);
  if (status.ok()) response->Swap(reply->mutable_cluster_status());
  return status;
}

}  // namespace lockstep::net
