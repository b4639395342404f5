#include "net/uv_handles.h"

#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/address.h"
#include "core/base/check.h"

namespace lockstep::net {
namespace {

template <class Handle>
void CloseAndDelete(Handle* handle) {
  handle->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

std::string Printed(const sockaddr_storage& address) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&address), sizeof(address), host,
                                 sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
  if (failed != 0) return "unknown address";
  const bool v6 = address.ss_family == AF_INET6;
  return v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<SocketAddress> Lookup(absl::string_view address, int flags) {
  const absl::StatusOr<Address> parsed = ParseAddress(address, /*port_min=*/0);
  if (!parsed.ok()) return parsed.status();
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const int failed =
      getaddrinfo(parsed->host.c_str(), absl::StrCat(parsed->port).c_str(), &hints, &found);
  if (failed != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" cannot be resolved: ", gai_strerror(failed)));
  }
  SocketAddress result;
  std::memcpy(&result.storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return result;
}

}  // namespace

absl::Status UvError(absl::string_view doing, int error) {
  const std::string text = absl::StrCat(doing, ": ", uv_strerror(error));
  if (error == UV_EADDRINUSE) return absl::AlreadyExistsError(text);
  if (error == UV_EACCES || error == UV_EPERM) return absl::PermissionDeniedError(text);
  return absl::UnavailableError(text);
}

Loop::Loop() { CheckEq(uv_loop_init(&loop_), 0); }

Loop::~Loop() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  CheckEq(uv_loop_close(&loop_), 0);
}

Timer::Timer(uv_loop_t* loop, std::function<void()> ring)
    : handle_(new uv_timer_t), ring_(std::move(ring)) {
  CheckEq(uv_timer_init(loop, handle_), 0);
  handle_->data = this;
}

Timer::~Timer() {
  uv_timer_stop(handle_);
  CloseAndDelete(handle_);
}

void Timer::Start(std::chrono::nanoseconds after) {
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(after).count();
  uv_update_time(handle_->loop);
  uv_timer_start(
      handle_, [](uv_timer_t* handle) { static_cast<Timer*>(handle->data)->ring_(); },
      whole < 0 ? 0 : static_cast<uint64_t>(whole), /*repeat=*/0);
}

void Timer::Stop() { uv_timer_stop(handle_); }

Signal::Signal(uv_loop_t* loop, std::function<void()> heard)
    : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      handle_(new uv_poll_t),
      heard_(std::move(heard)) {
  CheckLe(0, fd_);
  CheckEq(uv_poll_init(loop, handle_, fd_), 0);
  handle_->data = this;
  const int failed = uv_poll_start(handle_, UV_READABLE, [](uv_poll_t* handle, int, int) {
    auto* signal = static_cast<Signal*>(handle->data);
    uint64_t raises = 0;
    // Nothing to read: another round has heard it.
    if (read(signal->fd_, &raises, sizeof(raises)) > 0) signal->heard_();
  });
  CheckEq(failed, 0);
}

Signal::~Signal() {
  uv_poll_stop(handle_);
  CloseAndDelete(handle_);
  close(fd_);
}

void Signal::Raise() {
  const uint64_t one = 1;
  const ssize_t written = write(fd_, &one, sizeof(one));
  // Full is raised already; nothing else can go wrong with an eventfd.
  Check(written > 0 || errno == EAGAIN);
}

TurnHooks::TurnHooks(uv_loop_t* loop, std::function<void()> hook)
    : before_(new uv_prepare_t), after_(new uv_check_t), hook_(std::move(hook)) {
  CheckEq(uv_prepare_init(loop, before_), 0);
  CheckEq(uv_check_init(loop, after_), 0);
  before_->data = this;
  after_->data = this;
  uv_prepare_start(before_,
                   [](uv_prepare_t* handle) { static_cast<TurnHooks*>(handle->data)->hook_(); });
  uv_check_start(after_,
                 [](uv_check_t* handle) { static_cast<TurnHooks*>(handle->data)->hook_(); });
}

TurnHooks::~TurnHooks() {
  uv_prepare_stop(before_);
  uv_check_stop(after_);
  CloseAndDelete(before_);
  CloseAndDelete(after_);
}

absl::StatusOr<SocketAddress> ParseNumericAddress(absl::string_view address) {
  return Lookup(address, AI_NUMERICHOST);
}

absl::StatusOr<SocketAddress> ResolveAddress(absl::string_view address) {
  return Lookup(address, 0);
}

std::string AddressOf(const uv_tcp_t* socket) {
  sockaddr_storage storage = {};
  int length = sizeof(storage);
  const int failed = uv_tcp_getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &length);
  return failed != 0 ? "unknown address" : Printed(storage);
}

std::string PeerAddressOf(const uv_tcp_t* socket) {
  sockaddr_storage storage = {};
  int length = sizeof(storage);
  const int failed = uv_tcp_getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &length);
  return failed != 0 ? "unknown address" : Printed(storage);
}

}  // namespace lockstep::net
