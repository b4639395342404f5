// The dashboard's data as JSON (docs/http.md). What is not known is null. Pure.
#ifndef LOCKSTEP_NET_HTTP_DASHBOARD_VIEW_H_
#define LOCKSTEP_NET_HTTP_DASHBOARD_VIEW_H_

#include <cstdint>
#include <string>
#include <vector>

#include "net/http/dashboard/events.h"
#include "net/http/dashboard/picture.h"
#include "net/http/dashboard/series.h"
#include "net/http/json.h"
#include "net/http/options.h"

namespace lockstep::net::http {

// view_topology.cc: the controller, the groups and the nodes.
Json TopologyJson(const Picture& picture, const HttpOptions& options);
// What is wrong with a node, in words; none: it is well.
std::vector<std::string> ProblemsOf(const lockstep::v1::NodeStatus& node,
                                    const HttpOptions& options);

// view_metrics.cc: sums over the cluster, and the points from the one of that number on.
Json MetricsJson(const Picture& picture, const HttpOptions& options, const Series& series,
                 size_t first_point);
Json ShardsJson(const Picture& picture);
// Those with greater ids, ascending.
Json EventsJson(const EventLog& log, uint64_t after_id);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_DASHBOARD_VIEW_H_
