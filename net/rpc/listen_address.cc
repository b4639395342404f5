#include "net/rpc/listen_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/address.h"
#include "core/base/check.h"

namespace lockstep::net {
namespace {

constexpr int kBacklog = 1024;

using AddressList = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

std::string CannotListen(absl::string_view address) {
  return absl::StrCat("cannot listen for gRPC on ", address, ": ");
}

absl::Status Explain(absl::string_view address, int error) {
  const std::string what = CannotListen(address);
  switch (error) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(absl::StrCat(
          what, "the address is in use; stop whoever listens there, or choose another port"));
    case EACCES:
      return absl::PermissionDeniedError(
          absl::StrCat(what, "not allowed; choose a port from 1024"));
    case EADDRNOTAVAIL:
      return absl::InvalidArgumentError(absl::StrCat(
          what, "this machine has no such address; name one of its own, or 0.0.0.0 for all"));
    default:
      return absl::UnavailableError(absl::StrCat(what, std::strerror(error)));
  }
}

absl::StatusOr<AddressList> Resolve(absl::string_view address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address, /*port_min=*/0);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(CannotListen(address), parsed.status().message()));
  }
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(parsed->host.c_str(), absl::StrCat(parsed->port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(CannotListen(address), "unknown host (", gai_strerror(error), ")"));
  }
  return AddressList(found, &freeaddrinfo);
}

void SetPort(sockaddr& at, uint16_t port) {
  if (at.sa_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(at).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(at).sin_port = htons(port);
  }
}

uint16_t PortOf(const UniqueFd& socket) {
  sockaddr_storage bound = {};
  socklen_t length = sizeof(bound);
  CheckEq(getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length), 0);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

// Not valid: errno says why. What is accepted has the same options.
UniqueFd ListenOn(const addrinfo& at, bool v6_only) {
  UniqueFd listener(socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return listener;
  const int on = 1;
  const int only = v6_only ? 1 : 0;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (at.ai_family == AF_INET6) {
    setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
  }
  const bool listens =
      bind(listener.get(), at.ai_addr, at.ai_addrlen) == 0 && listen(listener.get(), kBacklog) == 0;
  if (!listens) listener.Reset();
  return listener;
}

}  // namespace

absl::StatusOr<ListenSockets> OpenListenSockets(absl::string_view address) {
  const absl::StatusOr<AddressList> resolved = Resolve(address);
  if (!resolved.ok()) return resolved.status();
  const bool several = (*resolved)->ai_next != nullptr;
  ListenSockets opened;
  int error = 0;
  for (addrinfo* at = resolved->get(); at != nullptr; at = at->ai_next) {
    if (!opened.sockets.empty()) SetPort(*at->ai_addr, opened.port);
    UniqueFd socket = ListenOn(*at, /*v6_only=*/several);
    if (!socket.valid()) {
      error = errno;
      // A name may have addresses of a family that this machine does not speak.
      if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) continue;
      return Explain(address, error);
    }
    opened.port = PortOf(socket);
    opened.sockets.push_back(std::move(socket));
  }
  if (opened.sockets.empty()) return Explain(address, error);
  return opened;
}

}  // namespace lockstep::net
