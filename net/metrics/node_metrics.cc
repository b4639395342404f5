#include "net/metrics/node_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <iterator>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "net/metrics/bounds.h"
#include "net/metrics/process_families.h"
#include "net/metrics/status_families.h"

namespace lockstep::net {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;

class Series final : public CallSeries {
 public:
  Series(prometheus::Labels labels, Family<Counter>& answers, Family<Histogram>& durations)
      : labels_(std::move(labels)),
        answers_(answers),
        duration_(durations.Add(labels_, metrics::DurationBounds())) {}

  void Answered(absl::string_view status, Duration took) override {
    CounterOf(status).Increment();
    duration_.Observe(metrics::Seconds(took));
  }

 private:
  Counter& CounterOf(absl::string_view status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = by_status_.find(status);
    if (found != by_status_.end()) return *found->second;
    const std::string name(status);
    prometheus::Labels labels = labels_;
    labels["status"] = name;
    return *by_status_.emplace(name, &answers_.Add(labels)).first->second;
  }

  struct Less {
    using is_transparent = void;
    bool operator()(absl::string_view a, absl::string_view b) const { return a < b; }
  };

  const prometheus::Labels labels_;
  Family<Counter>& answers_;
  Histogram& duration_;
  std::mutex mutex_;
  std::map<std::string, Counter*, Less> by_status_;  // guarded by mutex_
};

}  // namespace

struct NodeMetrics::Parts {
  prometheus::Registry registry;
  Family<Counter>& answers = BuildCounter()
                                 .Name("lockstep_requests_total")
                                 .Help("Requests of clients that were answered.")
                                 .Register(registry);
  Family<Histogram>& durations = BuildHistogram()
                                     .Name("lockstep_request_duration_seconds")
                                     .Help("From a request's arrival to its answer.")
                                     .Register(registry);
  Histogram& syncs = BuildHistogram()
                         .Name("lockstep_wal_fsync_duration_seconds")
                         .Help("Syncs of the write-ahead log.")
                         .Register(registry)
                         .Add({}, metrics::DurationBounds());
  Histogram& entries = BuildHistogram()
                           .Name("lockstep_wal_fsync_entries")
                           .Help("Entries that one write of the log held, of all groups.")
                           .Register(registry)
                           .Add({}, metrics::CountBounds());
  Histogram& applies = BuildHistogram()
                           .Name("lockstep_apply_duration_seconds")
                           .Help("Committed entries of a group into its table, in one go.")
                           .Register(registry)
                           .Add({}, metrics::DurationBounds());
  Family<prometheus::Gauge>& expiry =
      prometheus::BuildGauge()
          .Name("lockstep_certificate_expiry_timestamp_seconds")
          .Help("When the first certificate ends, in seconds since 1970.")
          .Register(registry);
  Family<Counter>& reloads = BuildCounter()
                                 .Name("lockstep_security_reloads_total")
                                 .Help("New certificates and access files that were looked at.")
                                 .Register(registry);
  Family<Counter>& refused =
      BuildCounter()
          .Name("lockstep_connections_refused_total")
          .Help("Connections of clients that were closed at once: there were too many.")
          .Register(registry);
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Series> calls;  // guarded by mutex
};

NodeMetrics::NodeMetrics() : parts_(std::make_unique<Parts>()) {
  // What can be counted is there from the start, at 0.
  for (const char* api : {"grpc", "http"}) parts_->refused.Add({{"api", api}});
}
NodeMetrics::~NodeMetrics() = default;

CallSeries& NodeMetrics::Calls(absl::string_view api, absl::string_view method) {
  std::pair<std::string, std::string> name(api, method);
  const std::lock_guard<std::mutex> lock(parts_->mutex);
  const auto found = parts_->calls.find(name);
  if (found != parts_->calls.end()) return found->second;
  prometheus::Labels labels = {{"api", name.first}, {"method", name.second}};
  return parts_->calls
      .emplace(std::piecewise_construct, std::forward_as_tuple(std::move(name)),
               std::forward_as_tuple(std::move(labels), parts_->answers, parts_->durations))
      .first->second;
}

void NodeMetrics::LogSynced(Duration took) { parts_->syncs.Observe(metrics::Seconds(took)); }

void NodeMetrics::LogWritten(uint64_t entries) {
  parts_->entries.Observe(static_cast<double>(entries));
}

void NodeMetrics::Applied(Duration took) { parts_->applies.Observe(metrics::Seconds(took)); }

void NodeMetrics::CertificatesExpire(int64_t node, int64_t authorities) {
  parts_->expiry.Add({{"certificate", "node"}}).Set(static_cast<double>(node));
  parts_->expiry.Add({{"certificate", "authorities"}}).Set(static_cast<double>(authorities));
}

void NodeMetrics::Reloaded(absl::string_view file, bool success) {
  parts_->reloads.Add({{"file", std::string(file)}, {"result", success ? "success" : "failure"}})
      .Increment();
}

void NodeMetrics::ConnectionRefused(absl::string_view api) {
  parts_->refused.Add({{"api", std::string(api)}}).Increment();
}

std::vector<CallTally> NodeMetrics::Tallies() const {
  std::vector<CallTally> tallies;
  for (const prometheus::MetricFamily& family : parts_->durations.Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      CallTally& tally = tallies.emplace_back();
      for (const prometheus::ClientMetric::Label& label : metric.label) {
        if (label.name == "api") tally.api = label.value;
        if (label.name == "method") tally.method = label.value;
      }
      uint64_t below = 0;
      for (const prometheus::ClientMetric::Bucket& bucket : metric.histogram.bucket) {
        tally.counts.push_back(bucket.cumulative_count - below);
        below = bucket.cumulative_count;
      }
    }
  }
  return tallies;
}

std::string NodeMetrics::Text(const lockstep::v1::NodeStatus& node, const HttpGauges& http) const {
  std::vector<prometheus::MetricFamily> families = metrics::StatusFamilies(node);
  const auto add = [&](std::vector<prometheus::MetricFamily> more) {
    families.insert(families.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  };
  add({metrics::Gauge("lockstep_http_connections", "Open HTTP connections.",
                      static_cast<double>(http.connections)),
       metrics::Gauge("lockstep_http_outstanding_bytes", "Of HTTP bodies and answers under way.",
                      static_cast<double>(http.outstanding_bytes))});
  add(parts_->registry.Collect());
  add(metrics::ProcessFamilies());
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace lockstep::net
