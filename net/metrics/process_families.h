// The process as the kernel sees it, under the names that all of Prometheus' client libraries use.
#ifndef LOCKSTEP_NET_METRICS_PROCESS_FAMILIES_H_
#define LOCKSTEP_NET_METRICS_PROCESS_FAMILIES_H_

#include <prometheus/metric_family.h>

#include <vector>

namespace lockstep::net::metrics {

// Of this process. What /proc does not tell is left out.
std::vector<prometheus::MetricFamily> ProcessFamilies();

}  // namespace lockstep::net::metrics

#endif  // LOCKSTEP_NET_METRICS_PROCESS_FAMILIES_H_
