// A node's numbers in Prometheus' text format.
#ifndef LOCKSTEP_NET_HTTP_PROMETHEUS_TEXT_H_
#define LOCKSTEP_NET_HTTP_PROMETHEUS_TEXT_H_

#include <string>

#include "core/proto/lockstep/v1/cluster.pb.h"
#include "net/http/handler.h"

namespace lockstep::net::http {

std::string PrometheusText(const lockstep::v1::NodeStatus& node, const ApiSnapshot& api);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_PROMETHEUS_TEXT_H_
