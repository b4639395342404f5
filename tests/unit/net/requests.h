// Which requests a test means.
#ifndef LOCKSTEP_TESTS_UNIT_NET_REQUESTS_H_
#define LOCKSTEP_TESTS_UNIT_NET_REQUESTS_H_

#include "core/gateway/gateway.h"
#include "core/proto/client.pb.h"
#include "core/proto/gateway.pb.h"

namespace lockstep::net {

// Of a client library, to a replica: a write of a key; a read of one.
inline proto::ClientRequest ParseDirect(const Bytes& request) {
  proto::ClientRequest parsed;
  const bool direct = !gateway::IsGatewayRequest(request) &&
                      parsed.ParseFromArray(request.data(), static_cast<int>(request.size()));
  return direct ? parsed : proto::ClientRequest();
}
inline bool IsDirectPut(const Bytes& request) { return ParseDirect(request).command().has_put(); }
inline bool IsDirectAppend(const Bytes& request) {
  return ParseDirect(request).command().has_append();
}
inline bool IsDirectGet(const Bytes& request) { return ParseDirect(request).query().has_get(); }

inline proto::GatewayRequest ParseGateway(const Bytes& request) {
  proto::GatewayRequest parsed;
  const bool its = gateway::IsGatewayRequest(request) &&
                   parsed.ParseFromArray(request.data(), static_cast<int>(request.size()));
  return its ? parsed : proto::GatewayRequest();
}
inline bool IsGatewayPut(const Bytes& request) { return ParseGateway(request).command().has_put(); }
inline bool IsGatewayMove(const Bytes& request) {
  return ParseGateway(request).command().has_move();
}
inline bool IsGatewayStatus(const Bytes& request) {
  return ParseGateway(request).has_cluster_status();
}

}  // namespace lockstep::net

#endif  // LOCKSTEP_TESTS_UNIT_NET_REQUESTS_H_
