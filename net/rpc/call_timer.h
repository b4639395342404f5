// From a call's beginning to its answer, for the metrics.
#ifndef LOCKSTEP_NET_RPC_CALL_TIMER_H_
#define LOCKSTEP_NET_RPC_CALL_TIMER_H_

#include <grpcpp/support/status.h>

#include <chrono>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "net/metrics/node_metrics.h"

namespace lockstep::net {

// `metrics` outlives it.
class CallTimer {
 public:
  CallTimer(NodeMetrics& metrics, absl::string_view method)
      : series_(metrics.Calls("grpc", method)) {}

  // Once.
  void Answered(const grpc::Status& status) {
    const auto code = static_cast<absl::StatusCode>(status.error_code());
    series_.Answered(absl::StatusCodeToString(code), std::chrono::steady_clock::now() - began_);
  }

 private:
  CallSeries& series_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_CALL_TIMER_H_
