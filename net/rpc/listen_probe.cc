#include "net/rpc/listen_probe.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace lockstep::net {
namespace {

std::string Text(absl::string_view text) { return std::string(text.data(), text.size()); }

absl::Status Explain(absl::string_view address, int error) {
  const std::string what = absl::StrCat("cannot listen for gRPC on ", address, ": ");
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

absl::Status ListenOnce(absl::string_view address, const addrinfo& at) {
  const int fd = socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Explain(address, errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool listens = bind(fd, at.ai_addr, at.ai_addrlen) == 0 && listen(fd, 1) == 0;
  const int error = errno;
  close(fd);
  return listens ? absl::OkStatus() : Explain(address, error);
}

}  // namespace

absl::StatusOr<std::pair<std::string, std::string>> SplitAddress(absl::string_view address) {
  const size_t colon = address.rfind(':');
  int number = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &number) || number < 0 || number > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "gRPC address \"", address, "\" is malformed: give host:port, with a port of 0 to 65535"));
  }
  absl::string_view host = address.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    if (!absl::ConsumeSuffix(&host, "]")) {
      return absl::InvalidArgumentError(
          absl::StrCat("gRPC address \"", address, "\" lacks a \"]\""));
    }
  }
  return std::make_pair(Text(host), Text(address.substr(colon + 1)));
}

absl::Status ProbeListen(absl::string_view address) {
  const auto parts = SplitAddress(address);
  if (!parts.ok()) return parts.status();
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(parts->first.c_str(), parts->second.c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot listen for gRPC on ", address,
                                                   ": unknown host (", gai_strerror(error), ")"));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &freeaddrinfo);
  return ListenOnce(address, *found);
}

}  // namespace lockstep::net
