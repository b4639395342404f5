#include "net/rpc/unary_call.h"

#include <utility>

#include "core/kv/command.h"
#include "net/client/failure.h"
#include "net/rpc/caller.h"
#include "net/rpc/grpc_status.h"

namespace lockstep::net {
namespace {

absl::Status Unreadable() {
  return client::FailureStatus(absl::StatusCode::kInternal, client::Effect::kUnknown, "UNAVAILABLE",
                               "the gateway's reply is malformed");
}

}  // namespace

UnaryCall::UnaryCall(std::shared_ptr<Gate> gate, absl::string_view method, Fill fill)
    : gate_(std::move(gate)),
      timer_(gate_->metrics(), gate_->options().slow.get(), method),
      fill_(std::move(fill)) {}

grpc::ServerUnaryReactor* UnaryCall::Begin(grpc::CallbackServerContext* context,
                                           std::shared_ptr<Gate> gate, absl::string_view method,
                                           absl::StatusOr<proto::GatewayRequest> request,
                                           Fill fill) {
  std::shared_ptr<UnaryCall> call(new UnaryCall(std::move(gate), method, std::move(fill)));
  call->self_ = call;
  UnaryCall* const reactor = call.get();
  Ask(std::move(call), context, std::move(request));
  return reactor;
}

void UnaryCall::Ask(std::shared_ptr<UnaryCall> call, grpc::CallbackServerContext* context,
                    absl::StatusOr<proto::GatewayRequest> request) {
  const auto end = [&](const absl::Status& status) {
    if (call->MayEnd()) call->End(ToGrpc(status));
  };
  if (!request.ok()) return end(request.status());
  const std::optional<uint64_t> patience = PatienceOf(*context);
  if (!patience.has_value()) return end(TooLate());
  request->set_patience_us(*patience);
  call->bytes_ = request->ByteSizeLong();
  const absl::Status entered = call->gate_->Enter(call->bytes_);
  if (!entered.ok()) return end(entered);
  call->entered_ = true;
  Gate& gate = *call->gate_;
  Bytes encoded = kv::Encode(*request);
  call->timer_.Asked(encoded);
  gate.door().Call([context] { return CallerOf(*context); }, std::move(encoded),
                   [call = std::move(call)](Bytes reply) {
                     const auto came = CallTimer::Clock::now();
                     call->gate_->worker().Post(
                         [call, came, reply = std::move(reply)] { call->OnReply(came, reply); });
                   });
}

// On the worker.
void UnaryCall::OnReply(CallTimer::Clock::time_point came, const Bytes& reply) {
  if (!MayEnd()) return;
  timer_.Replied(came, reply);
  proto::GatewayReply parsed;
  const bool sound = parsed.ParseFromArray(reply.data(), static_cast<int>(reply.size()));
  End(ToGrpc(sound ? fill_(&parsed) : Unreadable()));
}

void UnaryCall::End(const grpc::Status& status) {
  timer_.Answered(status);
  Finish(status);
}

// The gateway is not told: it ends by its patience, and what it has sent cannot be taken back.
void UnaryCall::OnCancel() {
  if (!MayEnd()) return;
  End(ToGrpc(client::FailureStatus(absl::StatusCode::kCancelled, client::Effect::kUnknown,
                                   "UNAVAILABLE", "the call was cancelled")));
}

// The last to let go of it is whoever would have answered.
UnaryCall::~UnaryCall() {
  if (entered_) gate_->Free(bytes_);
}

void UnaryCall::OnDone() {
  if (entered_) gate_->Leave();
  self_.reset();
}

}  // namespace lockstep::net
