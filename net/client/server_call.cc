#include "net/client/server_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/client/byte_buffers.h"
#include "net/client/failure.h"
#include "net/client/grpc_time.h"
#include "net/client/token.h"

namespace lockstep::client {
namespace {

absl::Status FromGrpc(const grpc::Status& status, const std::string& server) {
  if (status.ok()) return absl::OkStatus();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const std::optional<v1::Failure> failure = DecodeDetails(status.error_details());
  if (failure.has_value()) return WithFailure(absl::Status(code, status.error_message()), *failure);
  return absl::Status(code, absl::StrCat(server, ": ", status.error_message()));
}

}  // namespace

ServerCall::ServerCall(What what, std::shared_ptr<grpc::Channel> channel,
                       grpc::CompletionQueue* queue, Done done)
    : what_(std::move(what)), channel_(std::move(channel)), queue_(queue), done_(std::move(done)) {
  state_ = channel_->GetState(/*try_to_connect=*/true);
  if (state_ == GRPC_CHANNEL_READY) {
    Start();
  } else {
    Connect();
  }
}

// Reports when the channel is in another state, or a moment later: gRPC cannot be told to stop
// watching, so closing waits as long as that.
void ServerCall::Connect() {
  constexpr Duration kMoment = std::chrono::milliseconds(50);
  channel_->NotifyOnStateChange(state_, ToGrpc(std::min(Now() + kMoment, ConnectBy())), queue_,
                                this);
}

void ServerCall::Start() {
  context_.set_deadline(ToGrpc(what_.deadline));
  ShowToken(what_.token, &context_);
  reader_ = grpc::GenericStub(channel_).PrepareUnaryCall(&context_, what_.method,
                                                         net::ToByteBuffer(what_.request), queue_);
  reader_->StartCall();
  reader_->Finish(&response_, &status_, this);
}

void ServerCall::Happened(bool /*ok*/) {
  Check(!ended_);
  if (reader_ != nullptr) return End(Answer());
  const grpc_connectivity_state before = std::exchange(state_, channel_->GetState(true));
  if (state_ == GRPC_CHANNEL_READY && !cancelled_) return Start();
  // A channel that was failing already tries again now, and is given the time for it.
  const bool failed = state_ == GRPC_CHANNEL_TRANSIENT_FAILURE && before != state_;
  if (!failed && !cancelled_ && Now() < ConnectBy()) return Connect();
  End({.status = cancelled_
                     ? absl::CancelledError("the store was closed")
                     : absl::UnavailableError(absl::StrCat(
                           "cannot connect to ", what_.server,
                           what_.tls ? " (by TLS: is its certificate for that name, and signed by "
                                       "the given authorities?)"
                                     : "")),
       .response = {},
       .sent = false});
}

CallEnd ServerCall::Answer() {
  CallEnd end = {.status = FromGrpc(status_, what_.server), .response = {}, .sent = true};
  if (!status_.ok()) return end;
  std::optional<Bytes> response = net::FromByteBuffer(response_);
  if (response.has_value()) {
    end.response = *std::move(response);
  } else {
    end.status = absl::InternalError(absl::StrCat(what_.server, " sent an unreadable answer"));
  }
  return end;
}

void ServerCall::Cancel() {
  cancelled_ = true;
  context_.TryCancel();
}

void ServerCall::End(CallEnd end) {
  ended_ = true;
  done_(std::move(end));
}

}  // namespace lockstep::client
