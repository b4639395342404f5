// RAII for libuv's handles: one class for each kind. A handle's memory outlives its owner until the
// loop has closed it; no callback comes after the owner is gone. Loop thread only, but for
// Signal::Raise.
#ifndef LOCKSTEP_NET_UV_HANDLES_H_
#define LOCKSTEP_NET_UV_HANDLES_H_

#include <uv.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::net {

// What libuv reported, with what was being done.
absl::Status UvError(absl::string_view doing, int error);

// A loop. What lives on it is destroyed first.
class Loop {
 public:
  Loop();
  ~Loop();  // lets the handles close
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  uv_loop_t* get() { return &loop_; }

 private:
  uv_loop_t loop_;
};

// One shot, at or after a time.
class Timer {
 public:
  Timer(uv_loop_t* loop, std::function<void()> ring);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  // Replaces an earlier start. Rounded up to whole milliseconds.
  void Start(std::chrono::nanoseconds after);
  void Stop();

 private:
  uv_timer_t* handle_;
  std::function<void()> ring_;
};

// Wakes the loop from any thread. Several raises may be heard once. An eventfd of its own: libuv's
// uv_async makes the loop spin until the raising thread, which may have just lost its processor to
// the loop, has left the call.
class Signal {
 public:
  Signal(uv_loop_t* loop, std::function<void()> heard);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  // Thread-safe while the owner lives.
  void Raise();

 private:
  int fd_;
  uv_poll_t* handle_;
  std::function<void()> heard_;
};

// Calls back around each wait of the loop: `before` it may sleep, and `after` events came in.
class TurnHooks {
 public:
  TurnHooks(uv_loop_t* loop, std::function<void()> hook);
  ~TurnHooks();
  TurnHooks(const TurnHooks&) = delete;
  TurnHooks& operator=(const TurnHooks&) = delete;

 private:
  uv_prepare_t* before_;
  uv_check_t* after_;
  std::function<void()> hook_;
};

// An address that libuv can use.
struct SocketAddress {
  sockaddr_storage storage = {};
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
// As ParseAddress reads it. InvalidArgument says what is wrong.
absl::StatusOr<SocketAddress> ParseNumericAddress(absl::string_view address);
// Looks names up, which blocks: before there is a loop.
absl::StatusOr<SocketAddress> ResolveAddress(absl::string_view address);
// "host:port" of a socket's own end or of the other one.
std::string AddressOf(const uv_tcp_t* socket);
std::string PeerAddressOf(const uv_tcp_t* socket);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_UV_HANDLES_H_
