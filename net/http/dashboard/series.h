// Rates and latencies over the last minutes, from counters that two samples tell. Pure.
//
// Counters begin anew with a process: what has restarted, or did not answer one of the two samples,
// adds nothing to the rate between them.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_SERIES_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_SERIES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "net/http/dashboard/picture.h"
#include "net/metrics/node_metrics.h"

namespace lockstep::net::http {

enum class CallSort { kRead, kWrite, kOther };
// By the name that metrics give it.
CallSort SortOf(const CallTally& tally);

// How long calls took, in the buckets of core/base/duration_histogram.h; without a bucket: none.
using Buckets = std::vector<uint64_t>;
// Within its bucket by a straight line. Nothing: there were no calls.
std::optional<double> PercentileMs(const Buckets& buckets, double part);

// What was between two samples. At the end of it: bytes, keys, nodes.
struct Point {
  uint64_t at_ms = 0;
  // Of the cluster, per second.
  double writes = 0;  // entries that shard groups have committed
  double reads = 0;   // linearizable reads that replicas have let pass
  // Of clients at this node.
  double calls = 0;  // per second
  std::optional<double> read_p50_ms;
  std::optional<double> read_p99_ms;
  std::optional<double> write_p50_ms;
  std::optional<double> write_p99_ms;
  uint64_t storage_bytes = 0;
  uint64_t keys = 0;
  uint64_t nodes_online = 0;
  uint64_t leader_changes = 0;
};

class Series {
 public:
  static constexpr size_t kPointsMax = 600;
  static constexpr uint64_t kAgeMsMax = 600'000;

  // `now_us`: of one clock that never goes back. The first sample makes no point.
  void Add(const Picture& picture, const std::vector<CallTally>& calls, uint64_t now_us,
           uint64_t leader_changes);
  // Ascending times.
  const std::deque<Point>& points() const { return points_; }

 private:
  struct Counters {
    uint64_t uptime_ms = 0;
    uint64_t reads = 0;
  };

  uint64_t NewWrites(const Picture& picture);
  uint64_t NewReads(const Picture& picture);
  void TellCalls(const std::vector<CallTally>& calls, double seconds, Point* point);

  std::deque<Point> points_;
  uint64_t before_us_ = 0;                 // 0: there was no sample
  std::map<uint64_t, uint64_t> commits_;   // by group: the greatest index that was seen
  std::map<uint64_t, Counters> counters_;  // by node, of those that answered the last sample
  Buckets reads_;                          // of this node's calls, since it began
  Buckets writes_;
};

// Over all shards, each once.
uint64_t KeysOf(const Picture& picture);
// Of all nodes that answer.
uint64_t StorageOf(const Picture& picture);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_SERIES_H_
