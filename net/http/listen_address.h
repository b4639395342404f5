// "host:port" to something that can be listened on.
#ifndef LOCKSTEP_NET_HTTP_LISTEN_ADDRESS_H_
#define LOCKSTEP_NET_HTTP_LISTEN_ADDRESS_H_

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::net::http {

// Numeric or a name of this machine; brackets around IPv6. May ask the system's resolver, so it is
// for the start alone. InvalidArgument says what an address looks like.
absl::StatusOr<sockaddr_storage> ResolveListenAddress(absl::string_view address);

// As ResolveListenAddress takes it.
std::string DescribeAddress(const sockaddr_storage& address);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_LISTEN_ADDRESS_H_
