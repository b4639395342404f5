// Whether an address can be listened on, and if not, why: gRPC itself only says that it failed.
#ifndef LOCKSTEP_NET_RPC_LISTEN_PROBE_H_
#define LOCKSTEP_NET_RPC_LISTEN_PROBE_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::net {

// Host and port of "host:port" or "[v6]:port". InvalidArgument: it is neither.
absl::StatusOr<std::pair<std::string, std::string>> SplitAddress(absl::string_view address);

// Listens for a moment. AlreadyExists: somebody else does. InvalidArgument: the address is
// malformed, unknown, or none of this machine's. PermissionDenied: it is privileged.
absl::Status ProbeListen(absl::string_view address);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_LISTEN_PROBE_H_
