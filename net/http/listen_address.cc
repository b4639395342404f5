#include "net/http/listen_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <uv.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/address.h"

namespace lockstep::net::http {
namespace {

absl::Status BadAddress(absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(why, "; --listen-http takes an address like 127.0.0.1:7402"));
}

}  // namespace

absl::StatusOr<sockaddr_storage> ResolveListenAddress(absl::string_view address) {
  const absl::StatusOr<Address> parsed = ParseAddress(address, /*port_min=*/0);
  if (!parsed.ok()) return BadAddress(parsed.status().message());
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(parsed->host.c_str(), absl::StrCat(parsed->port).c_str(), &hints, &found);
  if (error != 0) return BadAddress(absl::StrCat("\"", address, "\": ", gai_strerror(error)));
  sockaddr_storage storage = {};
  std::memcpy(&storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return storage;
}

std::string DescribeAddress(const sockaddr_storage& address) {
  char name[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    uv_ip6_name(v6, name, sizeof(name));
    return absl::StrCat("[", name, "]:", ntohs(v6->sin6_port));
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
  uv_ip4_name(v4, name, sizeof(name));
  return absl::StrCat(name, ":", ntohs(v4->sin_port));
}

}  // namespace lockstep::net::http
