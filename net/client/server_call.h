// One call to one server: first a connection, then the request, so that what never left is known
// never to have left.
#ifndef LOCKSTEP_NET_CLIENT_SERVER_CALL_H_
#define LOCKSTEP_NET_CLIENT_SERVER_CALL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "net/client/carrier.h"

namespace lockstep::client {

class ServerCall final : public CarrierEvent {
 public:
  using Done = absl::AnyInvocable<void(CallEnd)>;
  struct What {
    std::string server;
    std::string method;
    Bytes request;
    std::string token;
    bool tls = false;
    Instant connect_by;
    Instant deadline;
  };
  // Begins. `done` is called within Happened, once.
  ServerCall(What what, std::shared_ptr<grpc::Channel> channel, grpc::CompletionQueue* queue,
             Done done);

  void Happened(bool ok) override;
  void Cancel();
  bool ended() const { return ended_; }

 private:
  Instant ConnectBy() const { return std::min(what_.connect_by, what_.deadline); }
  void Connect();
  void Start();
  void End(CallEnd end);
  CallEnd Answer();

  const What what_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::CompletionQueue* const queue_;
  Done done_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader_;  // once it has begun
  grpc_connectivity_state state_ = GRPC_CHANNEL_IDLE;
  grpc::ByteBuffer response_;
  grpc::Status status_;
  bool cancelled_ = false;
  bool ended_ = false;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_SERVER_CALL_H_
