// Answers on their way, and what comes after them.
#include <array>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/http/connection.h"
#include "net/http/failure.h"
#include "net/http/front.h"
#include "net/http/response_head.h"

namespace lockstep::net::http {
namespace {

Failure TooManyStreams(const HttpOptions& options) {
  return {
      .code = "OVERLOADED",
      .message = absl::StrCat("there are dashboard_streams_max (", options.dashboard_streams_max,
                              ") streams already: try again later, or ask another node")};
}

}  // namespace

// Sealed at once, with TLS.
constexpr size_t kSealedBytes = size_t{256} << 10;

struct Connection::Write {
  uv_write_t request = {};
  Connection* connection = nullptr;
  bool is_answer = false;
  std::string head;
  std::string body;
  // With TLS: the next bytes of head and body that are to be sealed, and what is sealed and under
  // way.
  size_t next = 0;
  std::string sealed = {};
};

void Connection::Respond(Response response) {
  Check(state_ == State::kReading || state_ == State::kBusy);
  if (response.is_stream && !front_.collector().Admit(number_, this)) {
    response = exchange_->Finish(ToResponse(TooManyStreams(front_.options())));
  }
  state_ = State::kWriting;
  exchange_.reset();
  ++exchange_number_;  // What is still under way for this request finds nobody.
  replies_.clear();
  const uint64_t took_us = front_.now_us() - began_us_;
  front_.counters().OnAnswer(response.status, took_us);
  const absl::string_view operation = std::exchange(operation_, kNoOperation);
  const std::string status = absl::StrCat(response.status);
  front_.metrics()
      .Calls("http", operation)
      .Answered(status, std::chrono::microseconds(static_cast<int64_t>(took_us)));
  if (SlowRequests* const slow = front_.options().slow.get(); slow != nullptr) {
    slow->Answered("http", operation, status, timing_, std::chrono::steady_clock::now());
    timing_ = RequestTimer(std::chrono::steady_clock::now(), nullptr);
  }
  keep_alive_ = keep_alive_ && !front_.draining() && !response.is_stream;
  std::string head = MakeHead(response, keep_alive_ ? AfterAnswer::kKeepAlive : AfterAnswer::kClose,
                              front_.date());
  std::string body = is_head_ ? std::string() : std::move(response.body);
  Charge(body.size());
  Arm(Deadline::kWrite, front_.options().stall_ms_max);
  const bool is_stream = response.is_stream;
  Send(std::move(head), std::move(body), /*is_answer=*/!is_stream);
  if (is_stream && state_ == State::kWriting) BeginStream();
}

void Connection::Send(std::string head, std::string body, bool is_answer) {
  auto* write = new Write{
      .connection = this, .is_answer = is_answer, .head = std::move(head), .body = std::move(body)};
  write->request.data = write;
  if (tls_ != nullptr) return SendSealed(std::unique_ptr<Write>(write));
  const auto buffer = [](std::string& text) {
    return uv_buf_init(text.data(), static_cast<unsigned>(text.size()));
  };
  const std::array<uv_buf_t, 2> buffers = {buffer(write->head), buffer(write->body)};
  const unsigned count = write->body.empty() ? 1 : 2;
  const int error = uv_write(&write->request, stream(), buffers.data(), count, OnWritten);
  write_queue_bytes_ = uv_stream_get_write_queue_size(stream());
  if (error == 0) return;
  delete write;
  Close();
}

// Piece by piece: the front thread serves others between them.
void Connection::SendSealed(std::unique_ptr<Write> write) {
  size_t room = kSealedBytes;
  const size_t head = write->head.size();
  while (room > 0 && write->next < head + write->body.size()) {
    const absl::string_view rest = write->next < head
                                       ? absl::string_view(write->head).substr(write->next)
                                       : absl::string_view(write->body).substr(write->next - head);
    const absl::string_view part = rest.substr(0, room);
    if (!tls_->Write(part).ok()) return Close();
    write->next += part.size();
    room -= part.size();
  }
  SendWire(std::move(write));
}

// What TLS has to send, of the write or of its own.
void Connection::SendWire(std::unique_ptr<Write> write) {
  write->sealed = tls_->TakeWire();
  if (write->sealed.empty()) return;
  write->connection = this;
  write->request.data = write.get();
  const uv_buf_t buffer =
      uv_buf_init(write->sealed.data(), static_cast<unsigned>(write->sealed.size()));
  const int error = uv_write(&write->request, stream(), &buffer, 1, OnWritten);
  write_queue_bytes_ = uv_stream_get_write_queue_size(stream());
  if (error != 0) return Close();
  write.release();  // OnWritten's
}

void Connection::SendWire() { SendWire(std::make_unique<Write>()); }

void Connection::OnWritten(uv_write_t* request, int status) {
  std::unique_ptr<Write> write(static_cast<Write*>(request->data));
  Connection& self = *write->connection;
  if (self.state_ == State::kClosing) return;
  if (status != 0) return self.Close();
  if (write->next < write->head.size() + write->body.size() && self.tls_ != nullptr) {
    if (write->is_answer) self.Arm(Deadline::kWrite, self.front_.options().stall_ms_max);
    return self.SendSealed(std::move(write));
  }
  if (write->is_answer) self.OnAnswerWritten();
}

void Connection::OnAnswerWritten() {
  Check(state_ == State::kWriting);
  Charge(0);
  if (keep_alive_ && !front_.draining()) {
    NextRequest();
  } else {
    Linger();
  }
}

void Connection::NextRequest() {
  state_ = State::kReading;
  parser_ = std::make_unique<RequestParser>(front_.options());
  answered_continue_ = false;
  Arm(Deadline::kIdle, front_.options().idle_ms_max);
  if (!pending_.empty()) Advance({});
  if (state_ == State::kReading) StartReading();
}

// A close with bytes unread makes the kernel send a reset, which may overtake the answer: so our
// side is shut first, and what still comes is read and dropped for a while.
void Connection::Linger() {
  state_ = State::kLingering;
  pending_.clear();
  if (tls_ != nullptr) {
    tls_->SayGoodbye();
    SendWire();
    if (state_ == State::kClosing) return;
  }
  auto* request = new uv_shutdown_t;
  const int error = uv_shutdown(request, stream(), [](uv_shutdown_t* done, int) { delete done; });
  if (error != 0) {
    delete request;
    return Close();
  }
  Arm(Deadline::kLinger, front_.options().linger_ms_max);
  StartReading();
}

void Connection::OnWriteStalled() {
  const size_t queued = uv_stream_get_write_queue_size(stream());
  if (queued >= write_queue_bytes_) return Close();
  write_queue_bytes_ = queued;
  Arm(Deadline::kWrite, front_.options().stall_ms_max);
}

}  // namespace lockstep::net::http
