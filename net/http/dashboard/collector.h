// Samples the cluster, and tells those who watch: each second while anybody does, seldom otherwise.
//
// Lives on the front thread. At most one question is under way; the answer comes back as a letter
// to connection 0, which no connection has.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_COLLECTOR_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_COLLECTOR_H_

#include <uv.h>

#include <cstdint>
#include <map>
#include <memory>

#include "net/http/dashboard/board.h"
#include "net/http/dashboard/model.h"
#include "net/http/mailbox.h"
#include "net/http/options.h"
#include "net/metrics/node_metrics.h"
#include "net/service.h"

namespace lockstep::net::http {

class Connection;

// What is sent to streams.
struct DashboardNews {
  std::string everything;  // for who has nothing yet, or has missed something
  std::string news;        // for who has all until the sample before
};

class Collector {
 public:
  Collector(uv_loop_t* loop, const HttpOptions& options, Service& service,
            const NodeMetrics& metrics, std::shared_ptr<Mailbox> mailbox);
  // REQUIRES: Close was called, and the loop has run since.
  ~Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  DashboardBoard& board() { return board_; }

  // The connection becomes a stream. False: there are dashboard_streams_max already.
  bool Admit(uint64_t number, Connection* connection);
  // Tells it what is known already.
  void Greet(Connection* connection);
  // It is none any more. Nothing happens if it was none.
  void Leave(uint64_t number) { streams_.erase(number); }

  void OnReply(const CallId& id, const Bytes& reply);
  // Nothing happens any more.
  void Close();

 private:
  void OnTick();
  void Ask();
  bool IsDue() const;
  void Tell();

  uv_loop_t* const loop_;
  const HttpOptions& options_;
  Service& service_;
  const NodeMetrics& metrics_;
  const std::shared_ptr<Mailbox> mailbox_;
  uv_timer_t timer_ = {};
  Model model_;
  DashboardBoard board_;
  std::map<uint64_t, Connection*> streams_;  // by the connection's number
  uint64_t question_ = 0;                    // the number of the last one
  bool asking_ = false;                      // it is under way
  uint64_t asked_ms_ = 0;                    // loop time each
  uint64_t looked_ms_ = 0;
  uint64_t told_ms_ = 0;
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_COLLECTOR_H_
