// Reading, deadlines, and the end of a connection.
#include "net/http/connection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/http/failure.h"
#include "net/http/front.h"
#include "net/uv_handles.h"

namespace lockstep::net::http {
namespace {

constexpr unsigned kTcpKeepAliveSeconds = 60;

}  // namespace

Connection::Connection(Front& front, uint64_t number)
    : front_(front), number_(number), parser_(std::make_unique<RequestParser>(front.options())) {
  CheckEq(uv_tcp_init(front.loop(), &socket_), 0);
  CheckEq(uv_timer_init(front.loop(), &timer_), 0);
  socket_.data = this;
  timer_.data = this;
  open_handles_ = 2;
}

Connection::~Connection() { CheckEq(open_handles_, 0); }

bool Connection::Accept(uv_stream_t* listener) {
  if (uv_accept(listener, stream()) != 0) {
    Close();
    return false;
  }
  uv_tcp_nodelay(&socket_, 1);
  uv_tcp_keepalive(&socket_, 1, kTcpKeepAliveSeconds);
  const std::string from = PeerAddressOf(&socket_);
  caller_.address = from.substr(0, from.rfind(':'));
  Arm(Deadline::kIdle, front_.options().idle_ms_max);
  if (front_.options().tls != nullptr) BeginTls();
  StartReading();
  return state_ == State::kReading;
}

void Connection::RefuseAsOneTooMany() {
  Refuse(Failure{
      .code = "OVERLOADED",
      .message = absl::StrCat("there are connections_max (", front_.options().connections_max,
                              ") connections already: try again later")});
}

void Connection::StartReading() {
  if (is_reading_) return;
  if (uv_read_start(stream(), OnAllocate, OnRead) != 0) return Close();
  is_reading_ = true;
}

void Connection::StopReading() {
  if (is_reading_) uv_read_stop(stream());
  is_reading_ = false;
}

void Connection::OnAllocate(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
  *buffer = static_cast<Connection*>(handle->data)->front_.read_buffer();
}

void Connection::OnRead(uv_stream_t* stream, ssize_t bytes, const uv_buf_t* buffer) {
  auto* self = static_cast<Connection*>(stream->data);
  if (bytes < 0) return self->OnEnd();
  const absl::string_view data(buffer->base, static_cast<size_t>(std::max(bytes, ssize_t{0})));
  if (self->tls_ != nullptr) return self->OnSealed(data);
  self->OnData(data);
}

void Connection::OnEnd() {
  // While busy or writing nothing is read: the end is seen when the answer is out.
  Close();
}

void Connection::OnData(absl::string_view data) {
  if (state_ == State::kStreaming) return Close();  // Nothing more was asked for.
  if (state_ == State::kReading) Advance(data);
}

// Parses what there is, up to the end of one request. `data` is behind what is pending.
void Connection::Advance(absl::string_view data) {
  std::string joined;
  if (!pending_.empty()) {
    joined.swap(pending_);
    joined.append(data.data(), data.size());
    data = joined;
  }
  while (state_ == State::kReading && !data.empty()) {
    if (!FeedParser(&data)) break;
  }
  if (state_ == State::kReading || state_ == State::kBusy || state_ == State::kWriting) {
    pending_.assign(data.data(), data.size());
  }
}

// False: it wants more bytes, or the request is complete, or refused.
bool Connection::FeedParser(absl::string_view* data) {
  const bool was_empty = !parser_->got_some();
  const bool had_header = parser_->header_done();
  const absl::StatusOr<size_t> used = parser_->Feed(*data);
  if (!used.ok()) {
    Refuse(FailureOf(used.status()));
    return false;
  }
  data->remove_prefix(*used);
  if (was_empty && parser_->got_some()) Arm(Deadline::kHeader, front_.options().header_ms_max);
  if (!had_header && parser_->header_done() && !OnHeader()) return false;
  if (had_header && !OnBody()) return false;
  if (parser_->done()) {
    // The rest of `data` is the caller's to keep: nothing more is parsed until the answer is out.
    BeginExchange();
    return false;
  }
  return *used > 0;
}

// False: refused.
bool Connection::OnHeader() {
  if (parser_->done()) return true;
  const HttpOptions& options = front_.options();
  body_until_ms_ = uv_now(front_.loop()) + options.body_ms_max;
  Arm(Deadline::kBody, std::min(options.stall_ms_max, options.body_ms_max));
  const uint64_t promised = parser_->content_length().value_or(0);
  if (WouldExceed(promised)) {
    Refuse(Failure{.code = "OVERLOADED",
                   .message = "too many bytes of requests are under way "
                              "(outstanding_bytes_max): try again later"});
    return false;
  }
  Charge(promised);
  if (parser_->expects_continue() && !answered_continue_) {
    answered_continue_ = true;
    Send("HTTP/1.1 100 Continue\r\n\r\n", "", /*is_answer=*/false);
  }
  return state_ == State::kReading;
}

// False: refused.
bool Connection::OnBody() {
  const HttpOptions& options = front_.options();
  const uint64_t now = uv_now(front_.loop());
  const uint64_t left = body_until_ms_ > now ? body_until_ms_ - now : 0;
  Arm(Deadline::kBody, std::min(options.stall_ms_max, left));
  const uint64_t arrived = parser_->body_bytes();
  if (arrived <= charged_) return true;
  if (WouldExceed(arrived - charged_)) {
    Refuse(Failure{.code = "OVERLOADED",
                   .message = "too many bytes of requests are under way "
                              "(outstanding_bytes_max): try again later"});
    return false;
  }
  Charge(arrived);
  return true;
}

// Answers without an exchange, and ends the connection: where the next request would begin is not
// known.
void Connection::Refuse(const Failure& failure) {
  if (state_ != State::kReading) return;
  if (tls_ != nullptr && !tls_->ready()) return Close();
  began_us_ = front_.now_us();
  front_.counters().OnRequest(began_us_);
  is_head_ = false;
  keep_alive_ = false;
  pending_.clear();
  StopReading();
  Respond(ToResponse(failure));
}

void Connection::Charge(uint64_t bytes) {
  front_.Recharge(charged_, bytes);
  charged_ = bytes;
}

bool Connection::WouldExceed(uint64_t more_bytes) const {
  return more_bytes > 0 &&
         front_.outstanding_bytes() + more_bytes > front_.options().outstanding_bytes_max;
}

void Connection::Arm(Deadline deadline, uint64_t ms) {
  deadline_ = deadline;
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<Connection*>(timer->data)->OnDeadline(); }, ms,
      0);
}

void Connection::OnDeadline() {
  const HttpOptions& options = front_.options();
  switch (deadline_) {
    case Deadline::kHeader:
      return Refuse(Failure{.code = "TIMEOUT",
                            .message = absl::StrCat("the header was not complete after ",
                                                    options.header_ms_max, " ms")});
    case Deadline::kBody:
      return Refuse(Failure{
          .code = "TIMEOUT",
          .message = absl::StrCat("the body stopped for ", options.stall_ms_max,
                                  " ms, or was not complete after ", options.body_ms_max, " ms")});
    case Deadline::kAnswer:
      return OnAnswerOverdue();
    case Deadline::kWrite:
      return OnWriteStalled();
    case Deadline::kHandshake:
    case Deadline::kIdle:
    case Deadline::kLinger:
      return Close();
  }
}

void Connection::Drain() {
  const bool idle = state_ == State::kReading && !parser_->got_some() && pending_.empty();
  if (idle) Close();
  if (state_ == State::kStreaming) EndStream();
}

void Connection::Close() {
  if (state_ == State::kClosing) return;
  front_.collector().Leave(number_);
  state_ = State::kClosing;
  is_reading_ = false;
  exchange_.reset();
  replies_.clear();
  Charge(0);
  const auto closed = [](uv_handle_t* handle) {
    static_cast<Connection*>(handle->data)->OnHandleClosed();
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&socket_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), closed);
}

void Connection::OnHandleClosed() {
  if (--open_handles_ == 0) front_.Forget(number_);
}

}  // namespace lockstep::net::http
