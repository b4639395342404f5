// How a client shows its token.
#ifndef LOCKSTEP_NET_CLIENT_TOKEN_H_
#define LOCKSTEP_NET_CLIENT_TOKEN_H_

#include <grpcpp/client_context.h>

#include <string>

namespace lockstep::client {

// In the field that every call of a Store carries; none: nothing. Before the call begins.
inline void ShowToken(const std::string& token, grpc::ClientContext* context) {
  if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
}

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_TOKEN_H_
