// The requests of lockstep.v1 from their bytes to the door of a replica, and what gateways and
// nodes take as bytes. What is refused is refused with a Failure that says that nothing was done;
// what is taken comes back the same after it was encoded, within all limits; and the outline of a
// write is what parsing it gives.
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/controller/options.h"
#include "core/gateway/gateway.h"
#include "core/kv/command.h"
#include "core/node/describe.h"
#include "core/node/door.h"
#include "core/node/request_outline.h"
#include "core/shardkv/command.h"
#include "fuzz/support/input.h"
#include "fuzz/support/one_line.h"
#include "net/client/failure.h"
#include "net/rpc/gateway_answers.h"
#include "net/rpc/gateway_requests.h"

namespace lockstep::fuzz {
namespace {

using node::GroupRole;

constexpr uint32_t kShards = 16;
constexpr size_t kDescriptionBytesMax = 65'536;

// Low limits, so that an input can reach them.
node::NodeOptions Options(bool low) {
  node::NodeOptions options;
  if (!low) return options;
  kv::KvLimits& limits = options.kv.limits;
  limits.key_bytes_max = 8;
  limits.value_bytes_max = 16;
  limits.batch_operations_max = 3;
  limits.batch_bytes_max = 24;
  limits.get_many_keys_max = 3;
  limits.session_window_max = 4;
  return options;
}

template <class Message>
bool Parse(absl::string_view bytes, Message* message) {
  return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// --- The door

void CheckBatchLimits(const proto::Batch& batch, const kv::KvLimits& limits) {
  CheckLe(1, batch.operations_size());
  CheckLe(static_cast<uint64_t>(batch.operations_size()), limits.batch_operations_max);
  for (const proto::BatchOperation& operation : batch.operations()) {
    CheckLe(size_t{1}, kv::KeyOf(operation).size());
    CheckLe(kv::KeyOf(operation).size(), limits.key_bytes_max);
  }
}

void CheckStoreCommand(const proto::Command& command, const kv::KvLimits& limits) {
  if (!command.has_register_session() && !command.has_close_session()) {
    const absl::string_view key = kv::KeyOf(command);
    CheckLe(size_t{1}, key.size());
    CheckLe(key.size(), limits.key_bytes_max);
    CheckLe(command.put().value().size(), limits.value_bytes_max);
    CheckLe(command.append().value().size(), limits.value_bytes_max);
    CheckLe(command.first_outstanding(), command.sequence());
    CheckLt(command.sequence() - command.first_outstanding(), limits.session_window_max);
    CheckLt(ShardOf(key, kShards).value(), uint64_t{kShards});
  }
  if (command.has_batch()) CheckBatchLimits(command.batch(), limits);
  const absl::Status placed = shardkv::ValidatePlacement(command, kShards);
  if (!placed.ok()) CheckRefusal(placed);
}

// Whether any group would take it.
void CheckCommand(const proto::Command& command, const node::NodeOptions& options) {
  CheckOneLine(node::Describe(command), kDescriptionBytesMax);
  (void)node::AddsData(command);
  for (const GroupRole role : {GroupRole::kStore, GroupRole::kController, GroupRole::kShards}) {
    proto::Command admitted = command;
    const absl::Status status = node::AdmitCommand(role, options, &admitted);
    if (!status.ok()) {
      CheckRefusal(status);
      Check(kv::RefusalFor(status).code() != proto::OK);
      continue;
    }
    if (role != GroupRole::kController) CheckStoreCommand(admitted, options.kv.limits);
    proto::Command again;
    const Bytes encoded = kv::Encode(admitted);
    Check(Parse(encoded.view(), &again));
    Check(kv::Encode(again) == encoded);
    Check(node::AdmitCommand(role, options, &again).ok());
    Check(kv::Encode(again) == encoded);
  }
}

void CheckQuery(const proto::Query& query, const node::NodeOptions& options) {
  CheckOneLine(node::Describe(query), kDescriptionBytesMax);
  for (const GroupRole role : {GroupRole::kStore, GroupRole::kController, GroupRole::kShards}) {
    const absl::Status status = node::AdmitQuery(role, options, query);
    if (!status.ok()) {
      CheckRefusal(status);
      continue;
    }
    CheckLe(query.get().key().size(), options.kv.limits.key_bytes_max);
    CheckLe(static_cast<uint64_t>(query.get_many().keys_size()),
            options.kv.limits.get_many_keys_max);
    const absl::Status placed = shardkv::ValidatePlacement(query, kShards);
    if (!placed.ok()) CheckRefusal(placed);
  }
}

// The same with a place in a session, which the gateway's routers give it.
void CheckRouted(const proto::Command& command, const node::NodeOptions& options) {
  CheckCommand(command, options);
  if (command.session() != 0) return;
  CheckCommand(kv::InSession(command, SessionId(7), 3, 2), options);
}

// --- What a node takes as bytes

void CheckOutline(const Bytes& bytes) {
  proto::ClientRequest outline;
  uint64_t value_bytes = 0;
  if (!node::ReadOutline(bytes, &outline, &value_bytes)) return;
  proto::ClientRequest whole;
  Check(Parse(bytes.view(), &whole));
  proto::Command& command = *whole.mutable_command();
  CheckEq(command.put().value().size() + command.append().value().size(), value_bytes);
  if (command.has_put()) command.mutable_put()->clear_value();
  if (command.has_append()) command.mutable_append()->clear_value();
  Check(outline.SerializeAsString() == whole.SerializeAsString());
}

void CheckClientRequest(const Bytes& bytes, const node::NodeOptions& options) {
  CheckOutline(bytes);
  proto::ClientRequest request;
  if (!Parse(bytes.view(), &request)) return;
  if (request.has_command()) CheckCommand(request.command(), options);
  if (request.has_query()) CheckQuery(request.query(), options);
}

void CheckGatewayRequest(const proto::GatewayRequest& request, const node::NodeOptions& options) {
  const Bytes encoded = kv::Encode(request);
  proto::GatewayRequest again;
  Check(Parse(encoded.view(), &again));
  Check(kv::Encode(again) == encoded);
  if (request.has_command()) CheckRouted(request.command(), options);
  if (request.has_query()) CheckQuery(request.query(), options);
  for (const proto::BatchOperation& operation : request.bulk().operations()) {
    proto::Command command;
    *command.mutable_batch()->add_operations() = operation;
    CheckRouted(command, options);
  }
  if (request.has_join()) {
    proto::Command command;
    *command.mutable_join() = request.join();
    CheckRouted(command, options);
  }
}

void CheckGatewayBytes(const Bytes& bytes, const node::NodeOptions& options) {
  proto::GatewayRequest request;
  const bool readable = Parse(bytes.view(), &request);
  if (readable) CheckGatewayRequest(request, options);
  (void)gateway::IsGatewayRequest(bytes);
}

// --- The public API

void CheckFailed(const absl::Status& status) {
  Check(!status.ok());
  const auto failure = client::FailureOf(status);
  Check(failure.has_value());
  Check(!failure->reason().empty());
  const std::string details = client::EncodeDetails(status.code(), status.message(), *failure);
  const auto decoded = client::DecodeDetails(details);
  Check(decoded.has_value());
  Check(decoded->SerializeAsString() == failure->SerializeAsString());
}

template <class Request>
void CheckRequest(absl::string_view bytes, const node::NodeOptions& options) {
  Request request;
  if (!Parse(bytes, &request)) return;
  const net::GatewayRequestOr question = net::ToGateway(&request);
  if (!question.ok()) {
    CheckFailed(question.status());
    CheckRefusal(question.status());
    Check(client::EffectOf(question.status()) == client::Effect::kNone);
    return;
  }
  Check(gateway::IsGatewayRequest(kv::Encode(*question)));
  CheckGatewayRequest(*question, options);
}

void CheckListRequest(absl::string_view bytes, const node::NodeOptions& options) {
  v1::ListRequest request;
  if (!Parse(bytes, &request)) return;
  CheckGatewayRequest(net::PageOf(request, 7, request.continuation()), options);
}

void CheckRequests(uint64_t which, absl::string_view bytes, const node::NodeOptions& options) {
  using Checker = void (*)(absl::string_view, const node::NodeOptions&);
  static constexpr Checker kCheckers[] = {
      CheckRequest<v1::GetRequest>,          CheckRequest<v1::GetManyRequest>,
      CheckRequest<v1::PutRequest>,          CheckRequest<v1::AppendRequest>,
      CheckRequest<v1::DeleteRequest>,       CheckRequest<v1::CompareAndSwapRequest>,
      CheckRequest<v1::BatchRequest>,        CheckRequest<v1::OpenSessionRequest>,
      CheckRequest<v1::CloseSessionRequest>, CheckListRequest,
      CheckRequest<v1::JoinRequest>,         CheckRequest<v1::LeaveRequest>,
      CheckRequest<v1::MoveRequest>,         CheckRequest<v1::UnpinRequest>,
      CheckRequest<v1::QueryRequest>,        CheckRequest<v1::TransferLeaderRequest>,
      CheckRequest<v1::AddNodeRequest>,      CheckRequest<v1::RemoveNodeRequest>,
      CheckRequest<v1::ReplaceNodeRequest>,  CheckRequest<v1::StatusRequest>,
  };
  kCheckers[which % std::size(kCheckers)](bytes, options);
}

// A reply may be another node's.
template <class Response>
void CheckAnswer(absl::string_view bytes) {
  proto::GatewayReply reply;
  if (!Parse(bytes, &reply)) return;
  Response response;
  const absl::Status status = net::Answer(&reply, &response);
  if (!status.ok()) return CheckFailed(status);
  Response again;
  Check(Parse(response.SerializeAsString(), &again));
}

void CheckAnswers(uint64_t which, absl::string_view bytes) {
  using Checker = void (*)(absl::string_view);
  static constexpr Checker kCheckers[] = {
      CheckAnswer<v1::GetResponse>,          CheckAnswer<v1::GetManyResponse>,
      CheckAnswer<v1::PutResponse>,          CheckAnswer<v1::CompareAndSwapResponse>,
      CheckAnswer<v1::BatchResponse>,        CheckAnswer<v1::OpenSessionResponse>,
      CheckAnswer<v1::CloseSessionResponse>, CheckAnswer<v1::ListResponse>,
      CheckAnswer<v1::JoinResponse>,         CheckAnswer<v1::QueryResponse>,
      CheckAnswer<v1::AddNodeResponse>,      CheckAnswer<v1::StatusResponse>,
  };
  kCheckers[which % std::size(kCheckers)](bytes);
}

void RunRpcRequests(Input input) {
  const uint64_t part = input.Below(64);
  const node::NodeOptions options = Options(/*low=*/input.Flip());
  const absl::string_view bytes = input.rest();
  if (part < 20) return CheckRequests(part, bytes, options);
  if (part < 32) return CheckAnswers(part - 20, bytes);
  if (part < 48) return CheckClientRequest(Bytes::Copy(bytes), options);
  CheckGatewayBytes(Bytes::Copy(bytes), options);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunRpcRequests(lockstep::fuzz::Input(data, size));
  return 0;
}
