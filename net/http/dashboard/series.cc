#include "net/http/dashboard/series.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "core/base/duration_histogram.h"
#include "net/http/dashboard/shard_map.h"
#include "net/metrics/bounds.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

constexpr double kUsPerSecond = 1e6;
constexpr double kMsPerSecond = 1e3;

void AddTo(const Buckets& counts, Buckets* sum) {
  if (sum->size() < counts.size()) sum->resize(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) (*sum)[i] += counts[i];
}

// What has come since `before`.
Buckets Since(const Buckets& before, Buckets now) {
  for (size_t i = 0; i < std::min(before.size(), now.size()); ++i) {
    now[i] -= std::min(before[i], now[i]);
  }
  return now;
}

uint64_t CountOf(const Buckets& buckets) {
  return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
}

uint64_t ReadsOf(const NodeStatus& node) {
  uint64_t reads = 0;
  for (const ReplicaStatus& replica : node.replicas()) {
    if (replica.group() == 0) continue;  // Asked by ourselves, for the configuration.
    for (const uint64_t count : replica.counters().read_index().counts()) reads += count;
  }
  return reads;
}

}  // namespace

CallSort SortOf(const CallTally& tally) {
  static constexpr absl::string_view kReads[] = {"Get", "GetMany", "List"};
  static constexpr absl::string_view kWrites[] = {"Put", "Append", "Delete", "CompareAndSwap",
                                                  "Batch"};
  const auto is = [&](absl::string_view name) { return tally.method == name; };
  if (std::any_of(std::begin(kReads), std::end(kReads), is)) return CallSort::kRead;
  if (std::any_of(std::begin(kWrites), std::end(kWrites), is)) return CallSort::kWrite;
  return CallSort::kOther;
}

std::optional<double> PercentileMs(const Buckets& buckets, double part) {
  const uint64_t count = CountOf(buckets);
  if (count == 0) return std::nullopt;
  const double wanted = part * static_cast<double>(count);
  double below = 0;
  double lower_ms = 0;
  for (size_t i = 0; i < buckets.size(); ++i) {
    // What took longer than all bounds took at least the last one.
    const bool bounded = i < DurationHistogram::kBounds;
    const double upper_ms =
        bounded ? metrics::Seconds(DurationHistogram::Bound(i)) * kMsPerSecond : lower_ms;
    const auto here = static_cast<double>(buckets[i]);
    if (here > 0 && below + here >= wanted) {
      return lower_ms + (upper_ms - lower_ms) * (wanted - below) / here;
    }
    below += here;
    lower_ms = upper_ms;
  }
  return lower_ms;
}

void Series::Add(const Picture& picture, const std::vector<CallTally>& calls, uint64_t now_us,
                 uint64_t leader_changes) {
  Point point;
  const double seconds = static_cast<double>(now_us - before_us_) / kUsPerSecond;
  const bool is_first = before_us_ == 0;
  point.at_ms = picture.at_ms();
  point.writes = static_cast<double>(NewWrites(picture)) / seconds;
  point.reads = static_cast<double>(NewReads(picture)) / seconds;
  TellCalls(calls, seconds, &point);
  point.storage_bytes = StorageOf(picture);
  point.keys = KeysOf(picture);
  for (const NodeStatus& node : picture.status().nodes()) point.nodes_online += node.online();
  point.leader_changes = leader_changes;
  before_us_ = now_us;
  if (is_first) return;
  points_.push_back(point);
  while (points_.size() > kPointsMax || points_.front().at_ms + kAgeMsMax < point.at_ms) {
    points_.pop_front();
  }
}

uint64_t Series::NewWrites(const Picture& picture) {
  uint64_t writes = 0;
  for (const uint64_t group : picture.Groups()) {
    const ReplicaStatus* speaker = group == 0 ? nullptr : picture.SpeakerFor(group);
    if (speaker == nullptr) continue;
    const auto [found, is_new] = commits_.try_emplace(group, speaker->commit());
    if (is_new || speaker->commit() <= found->second) continue;
    writes += speaker->commit() - found->second;
    found->second = speaker->commit();
  }
  return writes;
}

uint64_t Series::NewReads(const Picture& picture) {
  uint64_t reads = 0;
  std::map<uint64_t, Counters> counters;
  for (const NodeStatus& node : picture.status().nodes()) {
    if (!node.online()) continue;
    const Counters now = {.uptime_ms = node.uptime_ms(), .reads = ReadsOf(node)};
    counters[node.node()] = now;
    const auto before = counters_.find(node.node());
    if (before == counters_.end() || now.uptime_ms < before->second.uptime_ms) continue;
    // A replica that has left takes its counts along.
    reads += now.reads - std::min(now.reads, before->second.reads);
  }
  counters_ = std::move(counters);
  return reads;
}

void Series::TellCalls(const std::vector<CallTally>& calls, double seconds, Point* point) {
  Buckets reads;
  Buckets writes;
  for (const CallTally& tally : calls) {
    const CallSort sort = SortOf(tally);
    if (sort == CallSort::kRead) AddTo(tally.counts, &reads);
    if (sort == CallSort::kWrite) AddTo(tally.counts, &writes);
  }
  const Buckets new_reads = Since(std::exchange(reads_, reads), reads);
  const Buckets new_writes = Since(std::exchange(writes_, writes), writes);
  point->calls = static_cast<double>(CountOf(new_reads) + CountOf(new_writes)) / seconds;
  point->read_p50_ms = PercentileMs(new_reads, 0.5);
  point->read_p99_ms = PercentileMs(new_reads, 0.99);
  point->write_p50_ms = PercentileMs(new_writes, 0.5);
  point->write_p99_ms = PercentileMs(new_writes, 0.99);
}

uint64_t KeysOf(const Picture& picture) {
  uint64_t keys = 0;
  for (const ShardPlace& place : ShardMap(picture)) keys += place.keys;
  return keys;
}

uint64_t StorageOf(const Picture& picture) {
  uint64_t bytes = 0;
  for (const NodeStatus& node : picture.status().nodes()) {
    if (node.online()) bytes += node.storage_bytes();
  }
  return bytes;
}

}  // namespace lockstep::net::http
