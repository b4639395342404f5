// The front thread: its loop, the socket it listens on, its connections and what they share.
//
// Everything is for the front thread, but for construction, Listen and Run's caller.
#ifndef LOCKSTEP_NET_HTTP_FRONT_H_
#define LOCKSTEP_NET_HTTP_FRONT_H_

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "net/access/door.h"
#include "net/http/api_counters.h"
#include "net/http/connection.h"
#include "net/http/dashboard/collector.h"
#include "net/http/exchange.h"
#include "net/http/mailbox.h"
#include "net/http/options.h"
#include "net/metrics/node_metrics.h"
#include "net/service.h"

namespace lockstep::net::http {

class Front {
 public:
  Front(const HttpOptions& options, Service& service, NodeMetrics& metrics);
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  // Binds and listens; the address that was bound.
  absl::StatusOr<std::string> Listen(absl::string_view address);
  // Serves until the mailbox is asked to stop. REQUIRES: Listen succeeded.
  void Run();
  Mailbox& mailbox() { return *mailbox_; }
  // Thread-safe: health says so from now on.
  void SayLeaving() { leaving_ = true; }

  // For connections.
  uv_loop_t* loop() { return &loop_; }
  const HttpOptions& options() const { return options_; }
  uv_buf_t read_buffer();  // shared: good until the read's callback returns
  uint64_t now_us() const { return uv_hrtime() / 1000; }
  absl::string_view date();
  bool draining() const { return draining_; }
  bool leaving() const { return leaving_; }
  ApiCounters& counters() { return counters_; }
  NodeMetrics& metrics() { return metrics_; }
  Collector& collector() { return collector_; }
  ApiSnapshot snapshot() const;

  // Bytes of bodies and answers of all connections.
  uint64_t outstanding_bytes() const { return outstanding_bytes_; }
  void Recharge(uint64_t before, uint64_t after);

  uint64_t NextExchange() { return ++last_exchange_; }
  // The replies come to the connection's OnReply, in any order.
  void Call(const Caller& caller, uint64_t connection, uint64_t exchange, uint64_t step,
            std::vector<Bytes> calls);
  const Guard& guard() const { return door_.guard(); }
  // Runs the exchange's next step in libuv's pool; both come back to the connection's OnWorked, or
  // are dropped when it is gone.
  struct Work {
    uint64_t connection = 0;
    uint64_t exchange_number = 0;
    std::unique_ptr<Exchange> exchange;
    std::vector<Bytes> replies;
    uint64_t patience_us = 0;
  };
  void Offload(Work work);
  // The connection is closed and may be destroyed.
  void Forget(uint64_t connection);
  // Of connections that are open.
  size_t ConnectionsFrom(absl::string_view address) const;

 private:
  struct Job;
  static void OnConnection(uv_stream_t* listener, int status);
  static void OnWake(uv_async_t* wake);
  void Accept();
  void ReadMailbox();
  void BeginStop(uint64_t drain_ms);
  void GiveUp();
  void MaybeEnd();

  const HttpOptions& options_;
  Door door_;
  NodeMetrics& metrics_;
  struct Loop : uv_loop_t {  // from the first member on
    Loop();
  };
  Loop loop_;
  uv_tcp_t listener_ = {};
  uv_async_t wake_ = {};
  uv_timer_t stop_timer_ = {};
  const std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  Collector collector_;  // REQUIRES: loop_ is initialised
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<char> read_buffer_;
  ApiCounters counters_;
  uint64_t outstanding_bytes_ = 0;
  uint64_t last_connection_ = 0;
  uint64_t last_exchange_ = 0;
  std::atomic<bool> leaving_ = false;
  bool draining_ = false;
  bool gave_up_ = false;
  bool ended_ = false;  // the last handles are being closed
  uint64_t date_second_ = 0;
  std::string date_;
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_FRONT_H_
