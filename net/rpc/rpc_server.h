// The gRPC front of a node: lockstep.v1.KV, Cluster and Direct, the standard health service, and
// reflection.
//
// gRPC's threads read requests and hand them to the node's process (Service); answers come on the
// loop thread, which only passes them on to one thread of this server's own.
#ifndef LOCKSTEP_NET_RPC_RPC_SERVER_H_
#define LOCKSTEP_NET_RPC_RPC_SERVER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "net/metrics/node_metrics.h"
#include "net/rpc/options.h"
#include "net/service.h"

namespace lockstep::net {

class RpcServer {
 public:
  // `service` outlives Shutdown; what it answers later goes nowhere. `metrics`: the node's, shared
  // with its other parts.
  explicit RpcServer(Service& service, RpcOptions options = {},
                     std::shared_ptr<NodeMetrics> metrics = std::make_shared<NodeMetrics>());
  // Shuts down at once if that has not been done.
  ~RpcServer();
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // Listens on "host:port" (port 0: a free one) and serves from then on; the health service says
  // SERVING. An error is one line that names the address and what to do:
  // AlreadyExists if it is in use, InvalidArgument if it is none of this machine's.
  // REQUIRES: not started before.
  absl::Status Start(absl::string_view address);
  // What is listened on, with the real port. Empty before Start.
  const std::string& address() const { return address_; }

  // What the health service says from now on, of the node and of each of its services. Thread-safe
  // between Start and Shutdown.
  void SetServing(bool serving);

  // Takes no new calls; those under way are answered, for this long at the most, and then
  // cancelled. Returns when nothing is under way. Health says NOT_SERVING. A second one does
  // nothing. Not on the loop thread.
  void Shutdown(std::chrono::milliseconds patience);

 private:
  class Parts;  // all that knows gRPC

  Service& service_;
  const RpcOptions options_;
  const std::shared_ptr<NodeMetrics> metrics_;
  std::unique_ptr<Parts> parts_;
  std::string address_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_RPC_SERVER_H_
