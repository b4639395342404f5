// A node's first question: what cluster is this, who belongs to it, who is its controller?
#ifndef LOCKSTEP_NET_SEED_H_
#define LOCKSTEP_NET_SEED_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/proto/transport.pb.h"
#include "net/tls/tls_credentials.h"

namespace lockstep::net {

// Says hello at an address and returns the welcome. Blocking, `patience` at the most; for startup,
// before there is a loop. Of a name's addresses each `attempt` asks the next one. Unavailable:
// nobody there who answers like a node. PermissionDenied: it refuses this node, with its advice, or
// TLS does.
// With `credentials` they speak TLS.
absl::StatusOr<proto::Welcome> AskSeed(const std::string& address, const std::string& cluster,
                                       const proto::NodeAddress& self,
                                       std::chrono::milliseconds patience, size_t attempt = 0,
                                       std::shared_ptr<const TlsCredentials> credentials = nullptr);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_SEED_H_
