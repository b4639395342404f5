// What a node measures of itself, in Prometheus' terms: durations and counts of calls and of disk
// work, kept here; and on request, beside them, what its status says (docs/metrics.md).
#ifndef LOCKSTEP_NET_METRICS_NODE_METRICS_H_
#define LOCKSTEP_NET_METRICS_NODE_METRICS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::net {

// One method of one API: lockstep_requests_total and lockstep_request_duration_seconds.
// Thread-safe.
class CallSeries {
 public:
  virtual ~CallSeries() = default;
  // `status`: one of few words ("OK", "NOT_FOUND", "404"), for it becomes a label.
  virtual void Answered(absl::string_view status, Duration took) = 0;
};

// How long the calls of one method took, in the buckets of core/base/duration_histogram.h.
struct CallTally {
  std::string api;
  std::string method;
  std::vector<uint64_t> counts;  // each bucket's own; the last: longer than all bounds
};

// What the HTTP front knows of itself at the moment.
struct HttpGauges {
  uint64_t connections = 0;
  uint64_t outstanding_bytes = 0;
};

// Thread-safe.
class NodeMetrics {
 public:
  NodeMetrics();
  ~NodeMetrics();
  NodeMetrics(const NodeMetrics&) = delete;
  NodeMetrics& operator=(const NodeMetrics&) = delete;

  // Made when it is asked for first; lives as long as this. `method` must be one of few: names of
  // ours, never a caller's.
  CallSeries& Calls(absl::string_view api, absl::string_view method);

  // The write-ahead log: one sync, and how many entries one write held.
  void LogSynced(Duration took);
  void LogWritten(uint64_t entries);
  // Entries that were applied in one go.
  void Applied(Duration took);

  // Seconds since 1970 when certificates of this node and of its authorities end.
  void CertificatesExpire(int64_t node, int64_t authorities);
  // `file`: "certificates" or "access". Whether the new one could be used.
  void Reloaded(absl::string_view file, bool success);

  // A client's connection was closed at once: there were as many as may be, in all or from its
  // address. `api`: "grpc" or "http".
  void ConnectionRefused(absl::string_view api);

  // The calls that were answered, of every method that there is.
  std::vector<CallTally> Tallies() const;

  // All of it, in Prometheus' text format 0.0.4.
  std::string Text(const lockstep::v1::NodeStatus& node, const HttpGauges& http) const;

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_METRICS_NODE_METRICS_H_
