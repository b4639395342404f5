// One client's connection: requests are read, answered and written one after the other, so answers
// come in the order of the requests however many were sent at once.
//
//   reading -> busy -> writing -> reading ...       keep-alive
//                              -> lingering -> closing
//                   -> streaming ...                 until either side ends it
//
// Invariant: bytes are taken from the socket only while reading or lingering, so a client that
// sends without taking answers is held back by TCP. Every state has a deadline, but a stream that
// flows.
#ifndef LOCKSTEP_NET_HTTP_CONNECTION_H_
#define LOCKSTEP_NET_HTTP_CONNECTION_H_

#include <uv.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "net/access/guard.h"
#include "net/http/exchange.h"
#include "net/http/mailbox.h"
#include "net/http/request_parser.h"
#include "net/tls/tls_channel.h"

namespace lockstep::net::http {

class Front;
struct DashboardNews;

class Connection {
 public:
  // `number` is the front's name for it. The front destroys it when it calls Forget.
  Connection(Front& front, uint64_t number);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Takes the next connection of `listener` and begins to read. False: there was none, and it is
  // closed.
  bool Accept(uv_stream_t* listener);
  void RefuseAsOneTooMany();
  // Where it comes from, without the port.
  const std::string& address() const { return caller_.address; }

  void OnReply(const CallId& id, Bytes reply);
  void OnWorked(uint64_t exchange_number, std::unique_ptr<Exchange> exchange, Step step);

  // Of a stream: what it lacks, unless what was sent before is still on its way.
  void SendNews(const DashboardNews& news);
  void SendHeartbeat();

  // No request after the one under way.
  void Drain();
  // Answers what is under way with what is known: that nobody answered.
  void GiveUp();
  // At once. May be called in any state, more than once.
  void Close();

 private:
  enum class State { kReading, kBusy, kWriting, kStreaming, kLingering, kClosing };
  struct Write;

  // Reading: connection.cc.
  static void OnAllocate(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer);
  static void OnRead(uv_stream_t* stream, ssize_t bytes, const uv_buf_t* buffer);
  void OnData(absl::string_view data);
  void OnEnd();
  void Advance(absl::string_view data);
  bool FeedParser(absl::string_view* data);
  bool OnHeader();
  bool OnBody();
  void StartReading();
  void StopReading();
  void Refuse(const Failure& failure);

  // One request: connection_exchange.cc.
  void BeginExchange();
  absl::Status Admit();
  void RunStep(std::vector<Bytes> replies);
  void OnStep(Step step);
  void OnAnswerOverdue();
  uint64_t patience_us() const;  // that is left

  // Answers: connection_write.cc.
  void Respond(Response response);
  void Send(std::string head, std::string body, bool is_answer);
  static void OnWritten(uv_write_t* request, int status);
  void OnAnswerWritten();
  void NextRequest();
  void Linger();

  // TLS: connection_tls.cc.
  void BeginTls();
  void OnSealed(absl::string_view wire);
  void RefusePlainText();
  void SendSealed(std::unique_ptr<Write> write);
  void SendWire();
  void SendWire(std::unique_ptr<Write> write);

  // Answers without an end: connection_stream.cc.
  void BeginStream();
  void EndStream();
  void SendOnStream(const std::string& text);
  bool IsStreamFree();

  // Time.
  enum class Deadline { kHandshake, kIdle, kHeader, kBody, kAnswer, kWrite, kLinger };
  void Arm(Deadline deadline, uint64_t ms);
  void OnDeadline();
  void OnWriteStalled();

  void Charge(uint64_t bytes);
  bool WouldExceed(uint64_t more_bytes) const;
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&socket_); }
  void OnHandleClosed();

  Front& front_;
  const uint64_t number_;
  uv_tcp_t socket_ = {};
  uv_timer_t timer_ = {};
  int open_handles_ = 0;
  State state_ = State::kReading;
  bool is_reading_ = false;
  uint64_t charged_ = 0;  // bytes that this connection holds of the front's outstanding ones
  Deadline deadline_ = Deadline::kIdle;

  std::unique_ptr<TlsChannel> tls_;  // nullptr: plain text
  bool greeted_ = false;             // it has begun to speak TLS
  Caller caller_;                    // but for the token, which each request shows anew
  std::unique_ptr<RequestParser> parser_;
  std::string pending_;  // read, and not parsed yet
  bool answered_continue_ = false;
  uint64_t body_until_ms_ = 0;  // loop time by which the body must be complete

  // Of the request under way.
  std::unique_ptr<Exchange> exchange_;  // nullptr while a step runs in the pool
  uint64_t exchange_number_ = 0;
  uint64_t step_ = 0;
  std::vector<Bytes> replies_;
  std::vector<bool> replied_;
  size_t missing_replies_ = 0;
  uint64_t until_ms_ = 0;  // loop time
  uint64_t began_us_ = 0;
  RequestTimer timing_{RequestTimer::Time(), nullptr};
  absl::string_view operation_ = kNoOperation;  // of the request under way, for the metrics
  bool is_head_ = false;
  bool keep_alive_ = false;
  bool stream_has_all_ = false;   // all events until the last one
  size_t write_queue_bytes_ = 0;  // when it was last looked at
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_CONNECTION_H_
