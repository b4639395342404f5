// One stream to one node (lockstep.v1.Direct.Exchange).
//
// Pieces queue until Flush; while a message is being written the next one grows. A piece leaves the
// queue when it is handed to gRPC, once; what is still in the queue when the stream has ended was
// certainly never delivered. Nothing is handed to gRPC before there is a connection.
//
// The end is told once (CarrierListener::OnLost), when no operation of gRPC's is under way any
// more.
#ifndef LOCKSTEP_NET_CLIENT_LINK_H_
#define LOCKSTEP_NET_CLIENT_LINK_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/container/btree_set.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "net/client/carrier.h"
#include "net/client/exchange.h"

namespace lockstep::client {

class Link {
 public:
  // Begins to connect. All of these outlive it.
  Link(NodeId node, std::shared_ptr<grpc::Channel> channel, grpc::CompletionQueue* queue,
       const CarrierOptions* options, CarrierListener* listener);

  // False: too much waits already, or the stream is ending.
  bool Queue(uint64_t id, Bytes request);
  // Writes what waits, and listens for the next answers. Due before each wait for events.
  void Flush();
  bool quiet() const { return !writing_ && queue_.empty() && awaited_.empty(); }
  // Ends it; may be called again.
  void Cancel();
  // It takes nothing any more, and soon will have ended.
  bool ending() const { return ending_; }
  // Told the listener; may be destroyed once no event is being dealt with.
  bool ended() const { return ended_; }

 private:
  class Event final : public CarrierEvent {
   public:
    using Handler = void (Link::*)(bool ok);
    Event(Link* link, Handler handler) : link_(link), handler_(handler) {}
    void Happened(bool ok) override { (link_->*handler_)(ok); }

   private:
    Link* const link_;
    const Handler handler_;
  };

  void OnStarted(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void Write();
  void Read();
  void Deliver();
  void EndIfIdle();

  const NodeId node_;
  const std::shared_ptr<grpc::Channel> channel_;
  const CarrierOptions& options_;
  CarrierListener* const listener_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  Event started_{this, &Link::OnStarted};
  Event read_{this, &Link::OnRead};
  Event written_{this, &Link::OnWritten};
  Event finished_{this, &Link::OnFinished};

  // What of gRPC's is under way.
  bool starting_ = true;
  bool reading_ = false;
  bool writing_ = false;
  bool ending_ = false;
  bool finishing_ = false;
  bool ended_ = false;

  std::deque<net::Piece> queue_;
  uint64_t queued_bytes_ = 0;
  absl::btree_set<uint64_t> awaited_;  // handed to gRPC, not answered
  grpc::ByteBuffer incoming_;
  grpc::Status status_;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_LINK_H_
