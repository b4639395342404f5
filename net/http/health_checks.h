// What health looks at, check by check: each has a name, and can fail.
#ifndef LOCKSTEP_NET_HTTP_HEALTH_CHECKS_H_
#define LOCKSTEP_NET_HTTP_HEALTH_CHECKS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "net/http/options.h"

namespace lockstep::net::http {

struct HealthCheck {
  absl::string_view name;
  std::vector<std::string> problems;  // in words; none: it is well
};

// Whether the node can serve. `node`: what it says of itself; nullptr: it says nothing.
std::vector<HealthCheck> ReadyChecks(const lockstep::v1::NodeStatus* node,
                                     const HttpOptions& options, bool leaving);
// Whether it should be restarted. A node that cannot serve for now must not be restarted for it.
std::vector<HealthCheck> LiveChecks(const lockstep::v1::NodeStatus* node);

// What is wrong with a replica's contact to its group, in words; empty: nothing.
std::string TroubleOf(const lockstep::v1::ReplicaStatus& replica, const HttpOptions& options);

// Takes those away that `names`, separated by commas, names. An error: there is no such check.
absl::Status Exclude(absl::string_view names, std::vector<HealthCheck>* checks);
bool AllWell(const std::vector<HealthCheck>& checks);
// A line for each check, as Kubernetes' own servers answer ?verbose, and one for all of them.
std::string VerboseText(absl::string_view what, const std::vector<HealthCheck>& checks);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_HEALTH_CHECKS_H_
