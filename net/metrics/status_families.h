// A node's status as metrics.
#ifndef LOCKSTEP_NET_METRICS_STATUS_FAMILIES_H_
#define LOCKSTEP_NET_METRICS_STATUS_FAMILIES_H_

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::net::metrics {

std::vector<prometheus::MetricFamily> StatusFamilies(const lockstep::v1::NodeStatus& node);

// A family of one sample without labels.
prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, double value);
prometheus::MetricFamily Counter(const std::string& name, const std::string& help, double value);

}  // namespace lockstep::net::metrics

#endif  // LOCKSTEP_NET_METRICS_STATUS_FAMILIES_H_
