// A List on its way through the node's gateway, page after page: the next one is asked for when the
// last has been written, so a caller that does not read holds up nothing but itself.
#ifndef LOCKSTEP_NET_RPC_LIST_CALL_H_
#define LOCKSTEP_NET_RPC_LIST_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/lockstep/v1/kv.pb.h"
#include "net/rpc/call_timer.h"
#include "net/rpc/gate.h"

namespace lockstep::net {

class ListCall final : public grpc::ServerWriteReactor<v1::ListResponse> {
 public:
  // Begins; gRPC owns what is returned.
  static grpc::ServerWriteReactor<v1::ListResponse>* Begin(grpc::CallbackServerContext* context,
                                                           std::shared_ptr<Gate> gate,
                                                           const v1::ListRequest& request);

  ~ListCall() override;

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  ListCall(grpc::CallbackServerContext* context, std::shared_ptr<Gate> gate,
           const v1::ListRequest& request);
  void Ask();
  void OnReply(CallTimer::Clock::time_point came, const Bytes& reply);
  absl::Status TakePage(const Bytes& reply);
  void End(const absl::Status& status);

  grpc::CallbackServerContext* const context_;  // until gRPC is done
  const std::shared_ptr<Gate> gate_;
  CallTimer timer_;  // guarded by mutex_
  const v1::ListRequest request_;
  const uint64_t bytes_;
  bool entered_ = false;
  uint64_t left_ = 0;  // pairs that may still be sent, if there is a limit
  std::string continuation_;
  v1::ListResponse page_;
  bool final_ = false;  // page_ is the last

  std::mutex mutex_;    // over what is said to gRPC: nothing after the end
  bool ended_ = false;  // guarded by mutex_
  std::shared_ptr<ListCall> self_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_LIST_CALL_H_
