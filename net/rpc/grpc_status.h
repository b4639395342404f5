// Our statuses as gRPC's, and how long a call has left.
#ifndef LOCKSTEP_NET_RPC_GRPC_STATUS_H_
#define LOCKSTEP_NET_RPC_GRPC_STATUS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <optional>

#include "absl/status/status.h"

namespace lockstep::net {

// With the Failure inside, if there is one, as grpc-status-details-bin.
grpc::Status ToGrpc(const absl::Status& status);

// Refusals of this front: certainly nothing was done.
absl::Status Overloaded();
absl::Status Leaving();
absl::Status TooLate();

// What the gateway may take, in microseconds: the caller's deadline less what the way back takes.
// 0: the caller has none. Nothing: it has passed.
std::optional<uint64_t> PatienceOf(const grpc::CallbackServerContext& context);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_GRPC_STATUS_H_
