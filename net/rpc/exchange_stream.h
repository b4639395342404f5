// One stream of a client library (lockstep.v1.Direct.Exchange): calls for this node's replicas come
// in, answers go out in any order.
//
// While a message of answers is being written, the next one grows. When the peer does not take its
// answers, or much is unanswered, nothing more is read: then gRPC's flow control stops the peer.
#ifndef LOCKSTEP_NET_RPC_EXCHANGE_STREAM_H_
#define LOCKSTEP_NET_RPC_EXCHANGE_STREAM_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "core/base/bytes.h"
#include "net/client/exchange.h"
#include "net/rpc/caller.h"
#include "net/rpc/gate.h"

namespace lockstep::net {

class ExchangeStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                             public std::enable_shared_from_this<ExchangeStream> {
 public:
  // Begins; gRPC owns what is returned.
  static grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Begin(
      const grpc::CallbackServerContext& context, std::shared_ptr<Gate> gate);

  // Reads no more, answers what it has begun, and ends. Thread-safe.
  void Drain();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  ExchangeStream(Caller caller, std::shared_ptr<Gate> gate)
      : caller_(std::move(caller)), gate_(std::move(gate)) {}

  bool HandOver(const grpc::ByteBuffer& message);
  void AddAnswer(uint64_t id, uint64_t request_bytes, const DirectSeries::Call& call, Bytes reply);
  void Count(const std::vector<DirectSeries::Call>& calls, const std::vector<Piece>& answers);
  // Does what the state asks for: writes, reads, or ends.
  void Proceed();
  // The same, unless another thread is speaking to gRPC: then false.
  bool TryProceed();
  void ProceedSpeaking();
  void End(const absl::Status& status);
  bool MayRead() const;

  const Caller caller_;
  const std::shared_ptr<Gate> gate_;
  std::shared_ptr<ExchangeStream> self_;  // until gRPC is done with it
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;

  std::mutex speaking_;        // over what is said to gRPC; the loop thread never waits for it
  bool reading_ = false;       // guarded by speaking_, like the next five
  bool handing_over_ = false;  // what was read, to the service
  bool writing_ = false;
  bool reads_ended_ = false;  // the peer sends no more, or we take no more
  bool draining_ = false;
  bool ended_ = false;

  // Held for moments only; the loop thread takes it.
  mutable std::mutex mutex_;
  std::deque<Piece> answers_;                // guarded by mutex_, like all below
  std::deque<DirectSeries::Call> answered_;  // the calls that they answer, in their order
  uint64_t answers_bytes_ = 0;
  uint64_t calls_ = 0;  // not answered
  uint64_t calls_bytes_ = 0;
  bool posted_ = false;  // the worker will see to the answers
  bool deaf_ = false;    // answers go nowhere
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_EXCHANGE_STREAM_H_
