#include "core/client/router_options.h"

#include "absl/strings/str_cat.h"

namespace lockstep::client {

ClientOptions ClientOptionsOf(const RouterOptions& options, GroupId group,
                              const std::vector<NodeId>& nodes) {
  ClientOptions client;
  client.nodes = nodes;
  client.group = group;
  client.attempt_timeout = options.attempt_timeout;
  client.backoff_min = options.backoff_min;
  client.backoff_max = options.backoff_max;
  client.outstanding_max = options.outstanding_max;
  client.queue_max = options.queue_max;
  client.near = options.near;
  return client;
}

absl::Status ValidateRouterOptions(const RouterOptions& options) {
  const absl::Status client =
      ValidateClientOptions(ClientOptionsOf(options, options.controller, options.controller_nodes));
  if (!client.ok()) return client;
  if (options.unfinished_max == 0 || options.shard_sessions_max == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("unfinished_max is ", options.unfinished_max, " and shard_sessions_max ",
                     options.shard_sessions_max, ": both must be at least 1"));
  }
  if (options.bulk_operations_max == 0 || options.limits.batch_operations_max == 0 ||
      options.limits.list_pairs_max == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "bulk_operations_max is ", options.bulk_operations_max, ", batch_operations_max ",
        options.limits.batch_operations_max, ", list_pairs_max ", options.limits.list_pairs_max,
        ": all must be at least 1"));
  }
  if (options.configuration_age_max < Duration::zero() ||
      options.configuration_age_max > std::chrono::hours(24)) {
    return absl::InvalidArgumentError(absl::StrCat("configuration_age_max is ",
                                                   options.configuration_age_max.count(),
                                                   " ns: allowed are 0 to a day"));
  }
  return absl::OkStatus();
}

}  // namespace lockstep::client
