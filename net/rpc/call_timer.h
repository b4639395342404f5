// From a call's beginning to its answer, for the metrics and the log.
#ifndef LOCKSTEP_NET_RPC_CALL_TIMER_H_
#define LOCKSTEP_NET_RPC_CALL_TIMER_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "net/metrics/node_metrics.h"
#include "net/metrics/slow_requests.h"

namespace lockstep::net {

// All outlive it; `slow` may be null.
class CallTimer {
 public:
  using Clock = std::chrono::steady_clock;
  CallTimer(NodeMetrics& metrics, SlowRequests* slow, absl::string_view method)
      : series_(metrics.Calls("grpc", method)), slow_(slow), method_(method) {}

  // A call of the service begins, and is answered.
  void Asked(const Bytes& request) { timer_.Asked(Clock::now(), request); }
  void Replied(Clock::time_point came, const Bytes& reply) { timer_.Replied(came, reply); }

  // Once.
  void Answered(const grpc::Status& status) {
    const std::string code =
        absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
    const Clock::time_point now = Clock::now();
    series_.Answered(code, now - timer_.began());
    if (slow_ != nullptr) slow_->Answered("grpc", method_, code, timer_, now);
  }

 private:
  CallSeries& series_;
  SlowRequests* const slow_;
  const absl::string_view method_;  // of our own names: alive for ever
  RequestTimer timer_{Clock::now(), slow_};
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_CALL_TIMER_H_
