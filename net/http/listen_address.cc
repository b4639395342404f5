#include "net/http/listen_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <uv.h>

#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace lockstep::net::http {
namespace {

constexpr uint32_t kPortMax = 65535;

absl::Status BadAddress(absl::string_view address, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("\"", address, "\": ", why,
                                                 "; --listen-http takes an address like "
                                                 "127.0.0.1:7402"));
}

}  // namespace

absl::StatusOr<sockaddr_storage> ResolveListenAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == address.npos || colon == 0) return BadAddress(address, "host:port is expected");
  absl::string_view host = address.substr(0, colon);
  const absl::string_view port = address.substr(colon + 1);
  uint32_t number = 0;
  const bool digits = !port.empty() && absl::ascii_isdigit(static_cast<unsigned char>(port[0]));
  if (!digits || !absl::SimpleAtoi(port, &number) || number > kPortMax) {
    return BadAddress(address, "the port is a number from 0 to 65535");
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != host.npos) {
    return BadAddress(address, "an IPv6 address goes into brackets");
  }
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(std::string(host).c_str(), absl::StrCat(number).c_str(), &hints, &found);
  if (error != 0) return BadAddress(address, gai_strerror(error));
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
