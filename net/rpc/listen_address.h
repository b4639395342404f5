// "host:port" to sockets that listen, or why not.
#ifndef LOCKSTEP_NET_RPC_LISTEN_ADDRESS_H_
#define LOCKSTEP_NET_RPC_LISTEN_ADDRESS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "net/unique_fd.h"

namespace lockstep::net {

struct ListenSockets {
  uint16_t port = 0;              // of all of them
  std::vector<UniqueFd> sockets;  // at least one; none blocks
};

// One for each address of the host, all with one port. May ask the system's resolver, so it is for
// the start alone. Errors are those of Listener::Open.
absl::StatusOr<ListenSockets> OpenListenSockets(absl::string_view address);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_LISTEN_ADDRESS_H_
