// How the fronts (gRPC, HTTP) speak to the process on the loop thread.
#ifndef LOCKSTEP_NET_SERVICE_H_
#define LOCKSTEP_NET_SERVICE_H_

#include <functional>
#include <utility>
#include <vector>

#include "core/base/bytes.h"

namespace lockstep::net {

// Thread-safe.
class Service {
 public:
  // Takes the reply; runs on the loop thread, so it must be brief: nothing that grows with the
  // reply's size is done there, and nothing that blocks.
  using Done = std::function<void(Bytes reply)>;

  virtual ~Service() = default;
  // `request` is an encoded proto::GatewayRequest (answered with a proto::GatewayReply) or an
  // encoded proto::ClientRequest for a replica of this node (answered with a proto::ClientReply).
  // Each is answered at most once; a GatewayRequest exactly once, unless the process stops, which
  // drops `done` uncalled.
  virtual void Call(Bytes request, Done done) = 0;
  // Many with one hand-over.
  virtual void CallAll(std::vector<std::pair<Bytes, Done>> calls) = 0;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_SERVICE_H_
