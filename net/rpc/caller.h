// Who calls by gRPC.
#ifndef LOCKSTEP_NET_RPC_CALLER_H_
#define LOCKSTEP_NET_RPC_CALLER_H_

#include <grpcpp/server_context.h>

#include "net/access/guard.h"

namespace lockstep::net {

// What the call has shown: the certificate of its connection, and the field `authorization`.
Caller CallerOf(const grpc::CallbackServerContext& context);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_CALLER_H_
