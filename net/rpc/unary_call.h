// One call with one answer, on its way through the node's gateway.
//
// It ends once: with the answer, or when the caller goes away or its deadline passes, whichever is
// first. Whoever ends it alone touches the response.
#ifndef LOCKSTEP_NET_RPC_UNARY_CALL_H_
#define LOCKSTEP_NET_RPC_UNARY_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/proto/gateway.pb.h"
#include "net/rpc/call_timer.h"
#include "net/rpc/gate.h"

namespace lockstep::net {

class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  // Fills the response, or says why there is none.
  using Fill = absl::AnyInvocable<absl::Status(proto::GatewayReply*)>;

  // Begins; gRPC owns what is returned. A request that is an error ends the call with it.
  // `method` is the call's name in the metrics.
  static grpc::ServerUnaryReactor* Begin(grpc::CallbackServerContext* context,
                                         std::shared_ptr<Gate> gate, absl::string_view method,
                                         absl::StatusOr<proto::GatewayRequest> request, Fill fill);

  ~UnaryCall() override;

  void OnCancel() override;
  void OnDone() override;

 private:
  UnaryCall(std::shared_ptr<Gate> gate, absl::string_view method, Fill fill);
  static void Ask(std::shared_ptr<UnaryCall> call, grpc::CallbackServerContext* context,
                  absl::StatusOr<proto::GatewayRequest> request);
  void OnReply(CallTimer::Clock::time_point came, const Bytes& reply);
  void End(const grpc::Status& status);
  // True for the first that asks.
  bool MayEnd() { return !ended_.exchange(true, std::memory_order_acq_rel); }

  const std::shared_ptr<Gate> gate_;
  CallTimer timer_;
  Fill fill_;
  uint64_t bytes_ = 0;
  bool entered_ = false;
  std::atomic<bool> ended_{false};
  std::shared_ptr<UnaryCall> self_;  // until gRPC is done with it
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_UNARY_CALL_H_
