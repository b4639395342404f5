#include "net/rpc/exchange_stream.h"

#include <utility>
#include <vector>

#include "net/client/byte_buffers.h"
#include "net/client/failure.h"
#include "net/rpc/grpc_status.h"

namespace lockstep::net {
namespace {

// An answer of the loop thread's own is no longer than that.
constexpr size_t kAloneBytesMax = 4096;

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ExchangeStream::Begin(
    const grpc::CallbackServerContext& context, std::shared_ptr<Gate> gate) {
  std::shared_ptr<ExchangeStream> stream(new ExchangeStream(CallerOf(context), std::move(gate)));
  stream->self_ = stream;
  const absl::Status entered = stream->gate_->Enter(stream.get());
  if (entered.ok()) {
    stream->Proceed();
  } else {
    stream->End(entered);
  }
  return stream.get();
}

// --- Calls

void ExchangeStream::OnReadDone(bool ok) {
  grpc::ByteBuffer message;
  {
    const std::lock_guard<std::mutex> lock(speaking_);
    // Taken away before anybody may begin the next read into it.
    message.Swap(&incoming_);
    reading_ = false;
    handing_over_ = ok;
    if (!ok) reads_ended_ = true;
  }
  if (ok && !HandOver(message)) {
    return End(client::FailureStatus(
        absl::StatusCode::kInvalidArgument, client::Effect::kUnknown, "INVALID_ARGUMENT",
        "the message is malformed, or has more calls than one message may hold"));
  }
  {
    const std::lock_guard<std::mutex> lock(speaking_);
    handing_over_ = false;
  }
  Proceed();
}

// False: malformed; then nothing of it is executed.
bool ExchangeStream::HandOver(const grpc::ByteBuffer& message) {
  grpc::Slice flat;
  if (!Flatten(message, &flat)) return false;
  std::vector<std::pair<Bytes, Service::Done>> calls;
  uint64_t bytes = 0;
  const auto now = std::chrono::steady_clock::now();
  const bool sound = DecodeExchange(ViewOf(flat), [&](uint64_t id, absl::string_view request) {
    bytes += request.size();
    calls.emplace_back(
        Bytes::Copy(request),
        [stream = self_, id, size = request.size(), call = DirectSeries::Begin(request, now)](
            Bytes reply) { stream->AddAnswer(id, size, call, std::move(reply)); });
  });
  if (!sound) return false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    calls_ += calls.size();
    calls_bytes_ += bytes;
  }
  gate_->stream_calls() += calls.size();
  gate_->door().CallAll([this] { return caller_; }, std::move(calls));
  return true;
}

// --- Answers

// On the loop thread. One turn brings many answers, and the worker writes them together; but where
// nobody else waits at this node, and it is small, nothing is saved up by that, and to wake the
// worker costs more than to write.
void ExchangeStream::AddAnswer(uint64_t id, uint64_t request_bytes, const DirectSeries::Call& call,
                               Bytes reply) {
  bool alone = --gate_->stream_calls() == 0 && reply.size() <= kAloneBytesMax;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    --calls_;
    calls_bytes_ -= request_bytes;
    if (deaf_) return;
    alone = alone && answers_.empty();
    answers_bytes_ += reply.size();
    answers_.push_back({id, std::move(reply)});
    answered_.push_back(call);
    if (posted_) return;
  }
  if (alone && TryProceed()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (std::exchange(posted_, true)) return;
  }
  gate_->worker().Post([stream = shared_from_this()] {
    {
      const std::lock_guard<std::mutex> lock(stream->mutex_);
      stream->posted_ = false;
    }
    stream->Proceed();
  });
}

bool ExchangeStream::MayRead() const {
  const RpcOptions& limits = gate_->options();
  return calls_ < limits.stream_calls_max && calls_bytes_ < limits.stream_calls_bytes_max &&
         answers_bytes_ < limits.stream_answers_bytes_max;
}

void ExchangeStream::Proceed() {
  const std::lock_guard<std::mutex> speaking(speaking_);
  ProceedSpeaking();
}

bool ExchangeStream::TryProceed() {
  const std::unique_lock<std::mutex> speaking(speaking_, std::try_to_lock);
  if (!speaking.owns_lock()) return false;
  ProceedSpeaking();
  return true;
}

void ExchangeStream::ProceedSpeaking() {
  if (ended_) return;
  std::vector<Piece> pieces;
  std::vector<DirectSeries::Call> calls;
  bool may_read = false;
  bool idle = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!writing_) {
      pieces = TakePieces(&answers_);
      for (const Piece& piece : pieces) {
        answers_bytes_ -= piece.bytes.size();
        calls.push_back(answered_.front());
        answered_.pop_front();
      }
    }
    may_read = MayRead();
    idle = calls_ == 0 && answers_.empty() && pieces.empty();
  }
  if (!pieces.empty()) {
    Count(calls, pieces);
    writing_ = true;
    outgoing_ = ToByteBuffer(pieces);
    StartWrite(&outgoing_);
  }
  // Calls that were read and are not counted yet are to be answered, too.
  if (handing_over_) return;
  const bool leaving = reads_ended_ || draining_;
  if (leaving && idle && !writing_) {
    ended_ = true;
    return Finish(draining_ ? ToGrpc(Leaving()) : grpc::Status::OK);
  }
  if (!leaving && !reading_ && may_read) {
    reading_ = true;
    StartRead(&incoming_);
  }
}

void ExchangeStream::Count(const std::vector<DirectSeries::Call>& calls,
                           const std::vector<Piece>& answers) {
  const auto now = std::chrono::steady_clock::now();
  for (size_t i = 0; i < calls.size(); ++i) {
    gate_->direct().Answered(calls[i], answers[i].bytes.view(), now);
  }
}

void ExchangeStream::OnWriteDone(bool ok) {
  {
    const std::lock_guard<std::mutex> lock(speaking_);
    writing_ = false;
  }
  if (!ok) return End(absl::CancelledError("the peer has gone"));
  Proceed();
}

// --- The end

void ExchangeStream::Drain() {
  {
    const std::lock_guard<std::mutex> lock(speaking_);
    draining_ = true;
  }
  Proceed();
}

void ExchangeStream::End(const absl::Status& status) {
  const std::lock_guard<std::mutex> lock(speaking_);
  if (std::exchange(ended_, true)) return;
  Finish(ToGrpc(status));
}

void ExchangeStream::OnCancel() { End(absl::CancelledError("the stream was cancelled")); }

void ExchangeStream::OnDone() {
  gate_->Leave(this);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    deaf_ = true;
    answers_.clear();
    answered_.clear();
    answers_bytes_ = 0;
  }
  self_.reset();
}

}  // namespace lockstep::net
