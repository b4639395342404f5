// What answers one request: a few steps between which the service is asked. Pure: no socket, clock
// or thread, so that a test can play the service, and a large step can be run by any thread.
#ifndef LOCKSTEP_NET_HTTP_HANDLER_H_
#define LOCKSTEP_NET_HTTP_HANDLER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "net/http/failure.h"
#include "net/http/message.h"
#include "net/http/options.h"
#include "net/metrics/node_metrics.h"

namespace lockstep::net::http {

// Either calls for the service, all at once, or the answer.
struct Step {
  std::vector<Bytes> calls;
  std::optional<Response> response;

  static Step Ask(Bytes call) {
    Step step;
    step.calls.push_back(std::move(call));
    return step;
  }
  static Step Answer(Response response) {
    Step step;
    step.response = std::move(response);
    return step;
  }
  static Step Fail(const Failure& failure) { return Answer(ToResponse(failure)); }
};

class DashboardBoard;

class Handler {
 public:
  virtual ~Handler() = default;
  // `patience_us`: how long the calls may take. What it needs of the body it takes now: the body is
  // freed when this returns.
  virtual Step Start(Request& request, uint64_t patience_us) = 0;
  // The replies to the calls of the last step, in their order.
  virtual Step Continue(const Request& request, std::vector<Bytes> replies,
                        uint64_t patience_us) = 0;
  // What is known if the calls of the last step are never answered, and what is said then.
  virtual Effect effect_of_silence() const = 0;
  virtual Response OnSilence(const Request& request) const = 0;
  // It waits no longer, however patient the caller is.
  virtual uint64_t timeout_ms_max() const { return UINT64_MAX; }
};

// Numbers of the front itself, for the metrics.
struct ApiSnapshot {
  uint64_t requests = 0;
  uint64_t successful = 0;
  uint64_t failed = 0;
  uint64_t response_us = 0;        // sum over all answers
  double requests_per_second = 0;  // over the last ten seconds
  uint64_t connections = 0;        // open now
  uint64_t outstanding_bytes = 0;  // of bodies and answers, now
};

// What a handler is made with. Outlived by `options`, `metrics` and `board` alone.
struct HandlerContext {
  const HttpOptions& options;
  const NodeMetrics& metrics;
  ApiSnapshot api = {};
  bool leaving = false;             // this node: health says so
  DashboardBoard* board = nullptr;  // what the dashboard shows; nullptr: nothing
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_HANDLER_H_
