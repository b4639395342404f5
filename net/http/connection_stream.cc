// An answer without an end: the dashboard's events, one after the other, until the client or the
// node goes.
//
// Nothing is queued behind a slow reader: while one event is on its way the next ones are left out,
// and the one that is sent afterwards tells everything.
#include <utility>

#include "core/base/check.h"
#include "net/http/connection.h"
#include "net/http/front.h"

namespace lockstep::net::http {

// What the client sends from now on is read only to see its end.
void Connection::BeginStream() {
  Check(state_ == State::kWriting);
  Check(!keep_alive_);
  state_ = State::kStreaming;
  stream_has_all_ = false;
  pending_.clear();
  if (front_.draining()) return EndStream();
  uv_timer_stop(&timer_);
  StartReading();
  front_.collector().Greet(this);
}

// What has not left yet is charged, and has a deadline.
bool Connection::IsStreamFree() {
  const size_t queued = uv_stream_get_write_queue_size(stream());
  Charge(queued);
  if (queued == 0) {
    uv_timer_stop(&timer_);
  } else if (uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) == 0) {
    Arm(Deadline::kWrite, front_.options().stall_ms_max);
  }
  return queued == 0;
}

void Connection::SendOnStream(const std::string& text) {
  Send(text, "", /*is_answer=*/false);
  if (state_ == State::kStreaming) IsStreamFree();
}

void Connection::SendNews(const DashboardNews& news) {
  if (state_ != State::kStreaming) return;
  // What was taken away meanwhile is gone, for streams too.
  if (!front_.guard().Judge(caller_, {.role = Role::kRead}).ok()) return EndStream();
  if (!IsStreamFree()) {
    stream_has_all_ = false;
    return;
  }
  const bool has_all = std::exchange(stream_has_all_, true);
  SendOnStream(has_all ? news.news : news.everything);
}

void Connection::SendHeartbeat() {
  if (state_ == State::kStreaming && IsStreamFree()) SendOnStream(": alive\n\n");
}

void Connection::EndStream() {
  Check(state_ == State::kStreaming);
  front_.collector().Leave(number_);
  Linger();
}

}  // namespace lockstep::net::http
