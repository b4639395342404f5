#include "net/client/link.h"

#include <utility>
#include <vector>

#include "core/base/check.h"
#include "net/client/byte_buffers.h"
#include "net/client/token.h"

namespace lockstep::client {

constexpr char kExchangeMethod[] = "/lockstep.v1.Direct/Exchange";

Link::Link(NodeId node, std::shared_ptr<grpc::Channel> channel, grpc::CompletionQueue* queue,
           const CarrierOptions* options, CarrierListener* listener)
    : node_(node), channel_(std::move(channel)), options_(*options), listener_(listener) {
  ShowToken(options_.credentials.token, &context_);
  stream_ = grpc::GenericStub(channel_).PrepareCall(&context_, kExchangeMethod, queue);
  stream_->StartCall(&started_);
}

bool Link::Queue(uint64_t id, Bytes request) {
  if (ending_) return false;
  const uint64_t bytes = request.size();
  if (!queue_.empty() && queued_bytes_ + bytes > options_.queued_bytes_max) return false;
  queued_bytes_ += bytes;
  queue_.push_back({id, std::move(request)});
  return true;
}

// First what is to be sent: as soon as a read begins, gRPC tells the peer how much it may send, in
// a packet of its own, which would go ahead of the requests and wake the peer for nothing.
void Link::Flush() {
  if (starting_ || ending_) return;
  Write();
  Read();
}

void Link::Write() {
  if (writing_ || queue_.empty()) return;
  const std::vector<net::Piece> pieces = net::TakePieces(&queue_);
  for (const net::Piece& piece : pieces) {
    queued_bytes_ -= piece.bytes.size();
    awaited_.insert(piece.id);
  }
  while (awaited_.size() > options_.awaited_max) awaited_.erase(awaited_.begin());
  writing_ = true;
  stream_->Write(net::ToByteBuffer(pieces), &written_);
}

void Link::Cancel() {
  if (ending_) return;
  ending_ = true;
  context_.TryCancel();
  EndIfIdle();
}

void Link::OnStarted(bool ok) {
  starting_ = false;
  if (!ok) ending_ = true;
  if (ending_) return EndIfIdle();
  Flush();
}

void Link::Read() {
  if (reading_) return;
  reading_ = true;
  stream_->Read(&incoming_, &read_);
}

// The next read begins with the next Flush.
void Link::OnRead(bool ok) {
  reading_ = false;
  if (ok && !ending_) Deliver();
  if (!ok) Cancel();
  if (ending_) EndIfIdle();
}

void Link::Deliver() {
  grpc::Slice message;
  const bool readable = net::Flatten(incoming_, &message);
  incoming_.Clear();
  const bool sound =
      readable && net::DecodeExchange(net::ViewOf(message), [&](uint64_t id, auto reply) {
        awaited_.erase(id);
        listener_->OnAnswer(id, reply);
      });
  if (!sound) Cancel();
}

void Link::OnWritten(bool ok) {
  writing_ = false;
  if (!ok) Cancel();
  if (ending_) return EndIfIdle();
  Write();
}

// The call's status is asked for last, when nothing else is under way.
void Link::EndIfIdle() {
  if (!ending_ || finishing_ || starting_ || reading_ || writing_) return;
  finishing_ = true;
  stream_->Finish(&status_, &finished_);
}

void Link::OnFinished(bool /*ok*/) {
  Check(!ended_);
  ended_ = true;
  CarrierListener::Lost lost;
  lost.node = node_;
  for (const net::Piece& piece : queue_) lost.undelivered.push_back(piece.id);
  lost.unanswered.assign(awaited_.begin(), awaited_.end());
  queue_.clear();
  awaited_.clear();
  listener_->OnLost(lost);
}

}  // namespace lockstep::client
