// Keeps gRPC's threads from dozing off on a quiet server.
//
// gRPC 1.51 runs callbacks on threads of its own (completion_queue_cc.cc: CallbackAlternativeCQ).
// One that had nothing to run for a second sleeps for 100 ms and listens to nobody meanwhile; on a
// quiet server all of them do so, and a request waits for them: one of eleven, for 50 ms on the
// average. While one of these lives, gRPC has something to run every 400 ms: a call on a channel
// that leads nowhere, which fails at once. Whichever thread has run it listens for a second.
#ifndef LOCKSTEP_NET_RPC_AWAKE_POLLERS_H_
#define LOCKSTEP_NET_RPC_AWAKE_POLLERS_H_

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace lockstep::net {

// Thread-safe.
class AwakePollers {
 public:
  // Well below the second, so that a late one still is in time.
  explicit AwakePollers(std::chrono::milliseconds period = std::chrono::milliseconds(400));
  ~AwakePollers();
  AwakePollers(const AwakePollers&) = delete;
  AwakePollers& operator=(const AwakePollers&) = delete;

  // How often gRPC's threads have run something for it.
  uint64_t awoken() const;

 private:
  void Run();
  void Call();

  const std::chrono::milliseconds period_;
  grpc::GenericStub nowhere_;
  // Of the call under way.
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_, like the next two
  bool calling_ = false;
  uint64_t awoken_ = 0;
  std::thread thread_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_AWAKE_POLLERS_H_
