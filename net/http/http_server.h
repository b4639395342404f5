// The HTTP front of a node: JSON and raw bytes under /api/v1 (docs/http.md), on a thread of its
// own.
#ifndef LOCKSTEP_NET_HTTP_HTTP_SERVER_H_
#define LOCKSTEP_NET_HTTP_HTTP_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "net/http/options.h"
#include "net/metrics/node_metrics.h"
#include "net/service.h"

namespace lockstep::net {

namespace http {
class Front;
}  // namespace http

// For one thread, but for what it does itself. JSON, base64 and gzip are never done on the
// service's thread.
class HttpServer {
 public:
  // `service` outlives Stop. `metrics`: the node's, shared with its other parts.
  HttpServer(HttpOptions options, Service& service,
             std::shared_ptr<NodeMetrics> metrics = std::make_shared<NodeMetrics>());
  // Stops without a drain if that has not been done.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens on "host:port" (port 0: a free one) and serves from then on. An error is one line that
  // names the address and what to do. REQUIRES: not started before.
  absl::Status Start(absl::string_view address);
  // What is listened on, with the real port. Empty before Start.
  const std::string& address() const { return address_; }

  // Health says from now on that this node is leaving, so that balancers look for another. All else
  // goes on as before. REQUIRES: started.
  void SayLeaving();

  // Takes no more connections, answers what is under way, and returns when all is answered. What is
  // not after `drain_ms` is answered as unavailable, with its effect unknown if it is a write.
  void Stop(uint64_t drain_ms);

 private:
  const HttpOptions options_;
  Service& service_;
  const std::shared_ptr<NodeMetrics> metrics_;
  std::unique_ptr<http::Front> front_;
  std::thread thread_;
  std::string address_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_HTTP_HTTP_SERVER_H_
