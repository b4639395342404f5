// How a client behaves. One struct, so that a simulation can draw every value.
#ifndef LOCKSTEP_CORE_CLIENT_OPTIONS_H_
#define LOCKSTEP_CORE_CLIENT_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"

namespace lockstep::client {

inline constexpr uint32_t kPatienceDoublingsMax = 6;

struct ClientOptions {
  // The nodes that may lead the group, to begin with; each at most once, at least one.
  std::vector<NodeId> nodes;
  GroupId group;
  // How long to wait for the answer to an operation's first attempt before making another. Each
  // attempt that waited in vain doubles it for the next, kPatienceDoublingsMax times at most:
  // otherwise servers that answer more slowly than this would be given ever more to do, and never
  // catch up.
  Duration attempt_timeout = std::chrono::seconds(1);
  // Every whole MiB of a request is given so much more: it is sent several times, and written.
  Duration attempt_timeout_per_mib = std::chrono::milliseconds(100);
  // The pause before attempt n + 1 is drawn from [p / 2, p] with p = backoff_min * 2^n, at most
  // backoff_max.
  Duration backoff_min = std::chrono::milliseconds(10);
  Duration backoff_max = std::chrono::seconds(1);
  // Operations under way at a time, and the span of sequences that commands under way may cover.
  // Must not exceed the group's session_window_max.
  uint32_t outstanding_max = 64;
  // Operations that wait for a place; more are refused.
  uint32_t queue_max = 1024;
  // The client of this shard alone. Its requests name the shard, and that the group does not have
  // it is no final answer: it may be on its way there, or the client be sent elsewhere (Retarget).
  std::optional<ShardId> shard = {};
  // A node that does not know the group may only have left it: another one is asked, to the
  // deadline. Otherwise that is a final answer, except for the client of a shard.
  bool members_change = false;
  // Whom stale reads, and those that any replica may answer, go to first, if it is one of `nodes`;
  // none: the leader.
  NodeId near = {};
  // Who may lead the group, as far as others know; none: one of `nodes` is drawn.
  NodeId leader = {};
};

// InvalidArgument with what is wrong and what is allowed.
absl::Status ValidateClientOptions(const ClientOptions& options);

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_OPTIONS_H_
