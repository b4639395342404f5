// The metrics of calls that come by streams: for many calls a second, so nothing is parsed that
// need not be, and nothing is looked up twice.
#ifndef LOCKSTEP_NET_RPC_DIRECT_SERIES_H_
#define LOCKSTEP_NET_RPC_DIRECT_SERIES_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "net/metrics/node_metrics.h"

namespace lockstep::net {

// Thread-safe.
class DirectSeries {
 public:
  // `metrics` outlives it.
  explicit DirectSeries(NodeMetrics& metrics) : metrics_(metrics) {}

  // A call that has come.
  struct Call {
    size_t operation = 0;  // its place in the table of operations
    std::chrono::steady_clock::time_point began;
  };
  // `request`: an encoded proto::ClientRequest; what is none is an operation "Unknown".
  static Call Begin(absl::string_view request, std::chrono::steady_clock::time_point now);
  // `reply`: an encoded proto::ClientReply.
  void Answered(const Call& call, absl::string_view reply,
                std::chrono::steady_clock::time_point now);

  static constexpr size_t kOperationsMax = 64;

 private:
  NodeMetrics& metrics_;
  std::array<std::atomic<CallSeries*>, kOperationsMax> series_ = {};
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_DIRECT_SERIES_H_
