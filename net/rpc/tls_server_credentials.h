// A node's certificates as gRPC's server takes them: what is in force when a connection begins.
#ifndef LOCKSTEP_NET_RPC_TLS_SERVER_CREDENTIALS_H_
#define LOCKSTEP_NET_RPC_TLS_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "net/tls/tls_credentials.h"

namespace lockstep::net {

// REQUIRES: whoever gives it to a server keeps it until the server is gone.
std::shared_ptr<grpc::ServerCredentials> TlsServerCredentials(std::shared_ptr<const TlsStore> store,
                                                              TlsDemand demand);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_TLS_SERVER_CREDENTIALS_H_
