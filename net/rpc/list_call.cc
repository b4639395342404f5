#include "net/rpc/list_call.h"

#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/kv/command.h"
#include "net/client/failure.h"
#include "net/rpc/caller.h"
#include "net/rpc/gateway_answers.h"
#include "net/rpc/gateway_requests.h"
#include "net/rpc/grpc_status.h"

namespace lockstep::net {

ListCall::ListCall(grpc::CallbackServerContext* context, std::shared_ptr<Gate> gate,
                   const v1::ListRequest& request)
    : context_(context),
      gate_(std::move(gate)),
      timer_(gate_->metrics(), gate_->options().slow.get(), "List"),
      request_(request),
      bytes_(request.ByteSizeLong()),
      left_(request.limit()),
      continuation_(request.continuation()) {}

grpc::ServerWriteReactor<v1::ListResponse>* ListCall::Begin(grpc::CallbackServerContext* context,
                                                            std::shared_ptr<Gate> gate,
                                                            const v1::ListRequest& request) {
  std::shared_ptr<ListCall> call(new ListCall(context, std::move(gate), request));
  call->self_ = call;
  ListCall* const reactor = call.get();
  const absl::Status entered = call->gate_->Enter(call->bytes_);
  call->entered_ = entered.ok();
  if (entered.ok()) {
    call->Ask();
  } else {
    call->End(entered);
  }
  return reactor;
}

void ListCall::Ask() {
  const std::optional<uint64_t> patience = PatienceOf(*context_);
  if (!patience.has_value()) return End(TooLate());
  const uint64_t limit = std::min(left_, uint64_t{kListPairsMax});
  proto::GatewayRequest question = PageOf(request_, static_cast<uint32_t>(limit), continuation_);
  question.set_patience_us(*patience);
  Bytes encoded = kv::Encode(question);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    timer_.Asked(encoded);
  }
  gate_->door().Call([this] { return CallerOf(*context_); }, std::move(encoded),
                     [call = self_](Bytes reply) {
                       const auto came = CallTimer::Clock::now();
                       call->gate_->worker().Post(
                           [call, came, reply = std::move(reply)] { call->OnReply(came, reply); });
                     });
}

// On the worker.
void ListCall::OnReply(CallTimer::Clock::time_point came, const Bytes& reply) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    timer_.Replied(came, reply);
  }
  const absl::Status status = TakePage(reply);
  if (!status.ok()) return End(status);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (ended_) return;
  ended_ = final_;
  if (final_) {
    timer_.Answered(grpc::Status::OK);
    StartWriteAndFinish(&page_, grpc::WriteOptions(), grpc::Status::OK);
  } else {
    StartWrite(&page_);
  }
}

// The callers' continuation is only for where their limit ended the answer.
absl::Status ListCall::TakePage(const Bytes& reply) {
  proto::GatewayReply parsed;
  if (!parsed.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) {
    return client::FailureStatus(absl::StatusCode::kInternal, client::Effect::kNone, "UNAVAILABLE",
                                 "the gateway's reply is malformed");
  }
  page_.Clear();
  absl::Status status = Answer(&parsed, &page_);
  if (!status.ok()) return status;
  if (request_.keys_only()) {
    for (v1::Pair& pair : *page_.mutable_pairs()) pair.clear_value();
  }
  continuation_ = page_.continuation();
  const auto pairs = static_cast<uint64_t>(page_.pairs_size());
  const bool limited = request_.limit() > 0;
  if (limited) left_ -= std::min(left_, pairs);
  final_ = continuation_.empty() || (limited && left_ == 0);
  if (!final_) page_.clear_continuation();
  return status;
}

void ListCall::OnWriteDone(bool ok) {
  if (!ok) return End(absl::CancelledError("the caller has gone"));
  if (!final_) Ask();
}

void ListCall::OnCancel() { End(absl::CancelledError("the call was cancelled")); }

void ListCall::End(const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::exchange(ended_, true)) return;
  const grpc::Status answer = ToGrpc(status);
  timer_.Answered(answer);
  Finish(answer);
}

// The last to let go of it is whoever would have answered.
ListCall::~ListCall() {
  if (entered_) gate_->Free(bytes_);
}

void ListCall::OnDone() {
  if (entered_) gate_->Leave();
  self_.reset();
}

}  // namespace lockstep::net
