// How a router behaves. One struct, so that a simulation can draw every value.
#ifndef LOCKSTEP_CORE_CLIENT_ROUTER_OPTIONS_H_
#define LOCKSTEP_CORE_CLIENT_ROUTER_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/client/options.h"
#include "core/kv/options.h"

namespace lockstep::client {

struct RouterOptions {
  // Where configurations come from. `controller` 0 is its group's id by convention.
  std::vector<NodeId> controller_nodes;
  GroupId controller = {};

  // Of each attempt, wherever it goes: see ClientOptions.
  Duration attempt_timeout = std::chrono::seconds(1);
  // Also between two questions for the configuration, and before a List asks again.
  Duration backoff_min = std::chrono::milliseconds(10);
  Duration backoff_max = std::chrono::seconds(1);

  // Operations invoked and not completed; more are refused.
  uint32_t unfinished_max = 4096;
  // Of each shard, and of Lists at each group: see ClientOptions.
  uint32_t outstanding_max = 64;
  uint32_t queue_max = 1024;
  // Shards with a client and its session. Idle ones beyond it are left, the least recently used
  // first; those at work never are.
  uint32_t shard_sessions_max = 1024;
  // One InvokeBulk; its bytes are those of all keys and values in it.
  uint32_t bulk_operations_max = kBatchOperationsMax;
  uint64_t bulk_bytes_max = kBatchBytesMax;

  // A group that is silent, or late with a configuration that we know, is no reason to ask for a
  // newer one before ours is this old.
  Duration configuration_age_max = std::chrono::seconds(1);

  // Where stale reads, and those that any replica may answer, go first: see ClientOptions.
  NodeId near = {};

  // What the groups allow.
  kv::KvLimits limits = {};
};

// InvalidArgument with what is wrong and what is allowed.
absl::Status ValidateRouterOptions(const RouterOptions& options);

// Of one client of the router: at `group`, whose members are `nodes`.
ClientOptions ClientOptionsOf(const RouterOptions& options, GroupId group,
                              const std::vector<NodeId>& nodes);

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_ROUTER_OPTIONS_H_
