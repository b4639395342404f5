// The sockets that gRPC's clients connect to. They are our own: gRPC itself says no more than that
// it could not listen, and takes whoever comes.
#ifndef LOCKSTEP_NET_RPC_LISTENER_H_
#define LOCKSTEP_NET_RPC_LISTENER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "net/rpc/connection_census.h"
#include "net/unique_fd.h"

namespace lockstep::net {

// From Open on connections are made, and wait; from Run on they are passed on, by a thread of its
// own; until Stop.
class Listener {
 public:
  // A connection, and the socket it came by. Takes the connection's descriptor.
  using Take = absl::AnyInvocable<void(int listener, UniqueFd connection)>;
  // One was closed, for there is no room for it.
  using Refused = absl::AnyInvocable<void()>;

  // On every address of "host:port" or "[v6]:port", with one port; port 0: a free one. An error is
  // one line that names the address and what to do. AlreadyExists: somebody else listens there.
  // InvalidArgument: the address is malformed, unknown, or none of this machine's.
  // PermissionDenied: it is privileged.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(absl::string_view address);
  ~Listener();  // stops
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  uint16_t port() const { return port_; }

  // REQUIRES: for the first time. `take` and `refused` are called by the listener's thread.
  void Run(ConnectionCensus census, Take take, Refused refused);
  // No connections from now on: neither made nor passed on. A second one does nothing.
  void Stop();

 private:
  Listener() = default;
  void AcceptAll();
  // Until there is something to accept (true) or to stop for.
  bool Await();
  void Accept(int socket);

  uint16_t port_ = 0;
  std::vector<UniqueFd> sockets_;
  UniqueFd stop_;  // an eventfd
  std::unique_ptr<ConnectionCensus> census_;
  Take take_;
  Refused refused_;
  std::thread thread_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_LISTENER_H_
