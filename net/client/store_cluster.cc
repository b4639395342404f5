// The calls of a Store to lockstep.v1.Cluster, and to the health service.
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/kv/command.h"
#include "core/proto/wire.h"
#include "net/client/engine.h"
#include "net/client/store.h"
#include "net/client/waiting.h"

namespace lockstep::client {
namespace {

using Kind = Engine::Kind;

template <class Response>
absl::StatusOr<Response> Parsed(const absl::StatusOr<Bytes>& answer) {
  if (!answer.ok()) return answer.status();
  Response response;
  if (response.ParseFromArray(answer->data(), static_cast<int>(answer->size()))) return response;
  return FailureStatus(absl::StatusCode::kInternal, Effect::kUnknown, "UNAVAILABLE",
                       "the server's answer is malformed");
}

template <class Request, class Response>
void Start(Engine* engine, absl::string_view method, Kind kind, const Request& request,
           const CallOptions& options, Callback<Response> done) {
  Engine::Request call;
  call.method = absl::StrCat("/lockstep.v1.Cluster/", method);
  call.kind = kind;
  call.request = kv::Encode(request);
  call.deadline = After(options.timeout.value_or(engine->options().timeout));
  call.done = [done = std::move(done)](const absl::StatusOr<Bytes>& answer) mutable {
    done(Parsed<Response>(answer));
  };
  engine->Call(std::move(call));
}

}  // namespace

void Store::JoinAsync(v1::JoinRequest request, Callback<v1::JoinResponse> done,
                      CallOptions options) {
  Start(engine_.get(), "Join", Kind::kChanges, request, options, std::move(done));
}
void Store::LeaveAsync(v1::LeaveRequest request, Callback<v1::LeaveResponse> done,
                       CallOptions options) {
  Start(engine_.get(), "Leave", Kind::kChanges, request, options, std::move(done));
}
void Store::MoveAsync(v1::MoveRequest request, Callback<v1::MoveResponse> done,
                      CallOptions options) {
  Start(engine_.get(), "Move", Kind::kChanges, request, options, std::move(done));
}
void Store::UnpinAsync(v1::UnpinRequest request, Callback<v1::UnpinResponse> done,
                       CallOptions options) {
  Start(engine_.get(), "Unpin", Kind::kChanges, request, options, std::move(done));
}
void Store::QueryAsync(v1::QueryRequest request, Callback<v1::QueryResponse> done,
                       CallOptions options) {
  Start(engine_.get(), "Query", Kind::kReads, request, options, std::move(done));
}
void Store::TransferLeaderAsync(v1::TransferLeaderRequest request,
                                Callback<v1::TransferLeaderResponse> done, CallOptions options) {
  Start(engine_.get(), "TransferLeader", Kind::kChanges, request, options, std::move(done));
}
void Store::AddNodeAsync(v1::AddNodeRequest request, Callback<v1::AddNodeResponse> done,
                         CallOptions options) {
  Start(engine_.get(), "AddNode", Kind::kChanges, request, options, std::move(done));
}
void Store::RemoveNodeAsync(v1::RemoveNodeRequest request, Callback<v1::RemoveNodeResponse> done,
                            CallOptions options) {
  Start(engine_.get(), "RemoveNode", Kind::kChanges, request, options, std::move(done));
}
void Store::ReplaceNodeAsync(v1::ReplaceNodeRequest request, Callback<v1::ReplaceNodeResponse> done,
                             CallOptions options) {
  Start(engine_.get(), "ReplaceNode", Kind::kChanges, request, options, std::move(done));
}
void Store::StatusAsync(v1::StatusRequest request, Callback<v1::StatusResponse> done,
                        CallOptions options) {
  Start(engine_.get(), "Status", Kind::kReads, request, options, std::move(done));
}

absl::StatusOr<v1::JoinResponse> Store::Join(v1::JoinRequest request, CallOptions options) {
  return WaitFor<v1::JoinResponse>(
      *engine_, [&](auto done) { JoinAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::LeaveResponse> Store::Leave(v1::LeaveRequest request, CallOptions options) {
  return WaitFor<v1::LeaveResponse>(
      *engine_, [&](auto done) { LeaveAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::MoveResponse> Store::Move(v1::MoveRequest request, CallOptions options) {
  return WaitFor<v1::MoveResponse>(
      *engine_, [&](auto done) { MoveAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::UnpinResponse> Store::Unpin(v1::UnpinRequest request, CallOptions options) {
  return WaitFor<v1::UnpinResponse>(
      *engine_, [&](auto done) { UnpinAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::QueryResponse> Store::Query(v1::QueryRequest request, CallOptions options) {
  return WaitFor<v1::QueryResponse>(
      *engine_, [&](auto done) { QueryAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::TransferLeaderResponse> Store::TransferLeader(v1::TransferLeaderRequest request,
                                                                 CallOptions options) {
  return WaitFor<v1::TransferLeaderResponse>(*engine_, [&](auto done) {
    TransferLeaderAsync(std::move(request), std::move(done), options);
  });
}
absl::StatusOr<v1::AddNodeResponse> Store::AddNode(v1::AddNodeRequest request,
                                                   CallOptions options) {
  return WaitFor<v1::AddNodeResponse>(
      *engine_, [&](auto done) { AddNodeAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::RemoveNodeResponse> Store::RemoveNode(v1::RemoveNodeRequest request,
                                                         CallOptions options) {
  return WaitFor<v1::RemoveNodeResponse>(
      *engine_, [&](auto done) { RemoveNodeAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::ReplaceNodeResponse> Store::ReplaceNode(v1::ReplaceNodeRequest request,
                                                           CallOptions options) {
  return WaitFor<v1::ReplaceNodeResponse>(
      *engine_, [&](auto done) { ReplaceNodeAsync(std::move(request), std::move(done), options); });
}
absl::StatusOr<v1::StatusResponse> Store::Status(v1::StatusRequest request, CallOptions options) {
  return WaitFor<v1::StatusResponse>(
      *engine_, [&](auto done) { StatusAsync(std::move(request), std::move(done), options); });
}

// grpc.health.v1.Health: HealthCheckResponse.status is field 1, and SERVING is 1.
absl::Status Store::Health(absl::string_view server, CallOptions options) {
  constexpr uint64_t kServing = 1;
  const absl::StatusOr<Bytes> answer = WaitFor<Bytes>(*engine_, [&](Callback<Bytes> done) {
    Engine::Request call;
    call.servers = {std::string(server.data(), server.size())};
    call.method = "/grpc.health.v1.Health/Check";
    call.deadline = After(options.timeout.value_or(engine_->options().timeout));
    call.done = std::move(done);
    engine_->Call(std::move(call));
  });
  if (!answer.ok()) return answer.status();
  wire::Reader reader(answer->view());
  uint64_t status = 0;
  while (reader.Next()) {
    if (reader.field() == 1) status = reader.number();
  }
  if (status == kServing) return absl::OkStatus();
  return FailureStatus(absl::StatusCode::kUnavailable, Effect::kNone, "UNAVAILABLE",
                       absl::StrCat(absl::string_view(server), " is running but not serving"));
}

}  // namespace lockstep::client
