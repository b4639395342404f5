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

struct Connection::Write {
  uv_write_t request = {};
  Connection* connection = nullptr;
  bool is_answer = false;
  std::string head;
  std::string body;
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

void Connection::OnWritten(uv_write_t* request, int status) {
  const std::unique_ptr<Write> write(static_cast<Write*>(request->data));
  Connection& self = *write->connection;
  if (self.state_ == State::kClosing) return;
  if (status != 0) return self.Close();
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
