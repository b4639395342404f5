#include "net/rpc/listener.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "net/rpc/listen_address.h"

namespace lockstep::net {
namespace {

// Without descriptors or memory for a connection, others are let go first.
constexpr int kShortageMs = 50;

// What the kernel's own limits, and nothing that a caller did, refuse.
bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// Without its port. IPv4 that came by an IPv6 socket is another address, but always the same one.
absl::string_view AddressOf(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    return {reinterpret_cast<const char*>(&v6.sin6_addr), sizeof(v6.sin6_addr)};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
  return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof(v4.sin_addr)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(absl::string_view address) {
  absl::StatusOr<ListenSockets> opened = OpenListenSockets(address);
  if (!opened.ok()) return opened.status();
  auto listener = std::unique_ptr<Listener>(new Listener);
  listener->port_ = opened->port;
  listener->sockets_ = std::move(opened->sockets);
  listener->stop_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!listener->stop_.valid()) {
    return absl::UnavailableError(absl::StrCat("cannot listen for gRPC on ", address,
                                               ": no descriptors are left; raise ulimit -n"));
  }
  return listener;
}

Listener::~Listener() { Stop(); }

void Listener::Run(ConnectionCensus census, Take take, Refused refused) {
  Check(census_ == nullptr, "a listener runs once");
  census_ = std::make_unique<ConnectionCensus>(std::move(census));
  take_ = std::move(take);
  refused_ = std::move(refused);
  thread_ = std::thread([this] { AcceptAll(); });
}

void Listener::Stop() {
  if (!stop_.valid()) return;  // it was never opened
  const uint64_t once = 1;
  Check(write(stop_.get(), &once, sizeof(once)) == sizeof(once));
  if (thread_.joinable()) thread_.join();
  sockets_.clear();
}

void Listener::AcceptAll() {
  while (Await()) {
    for (const UniqueFd& socket : sockets_) Accept(socket.get());
  }
}

bool Listener::Await() {
  std::vector<pollfd> events = {{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
  for (const UniqueFd& socket : sockets_) {
    events.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
  }
  while (poll(events.data(), events.size(), -1) < 0) CheckEq(errno, EINTR);
  return events.front().revents == 0;
}

void Listener::Accept(int socket) {
  sockaddr_storage from = {};
  socklen_t length = sizeof(from);
  UniqueFd connection(
      accept4(socket, reinterpret_cast<sockaddr*>(&from), &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection.valid()) {
    pollfd stop = {.fd = stop_.get(), .events = POLLIN, .revents = 0};
    // Else nobody waits any more, or whoever waited has gone.
    if (IsShortage(errno)) poll(&stop, 1, kShortageMs);
    return;
  }
  if (!census_->Admit(connection.get(), AddressOf(from))) return refused_();
  take_(socket, std::move(connection));
}

}  // namespace lockstep::net
