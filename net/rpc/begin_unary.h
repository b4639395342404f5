// A call of the public API as a UnaryCall.
#ifndef LOCKSTEP_NET_RPC_BEGIN_UNARY_H_
#define LOCKSTEP_NET_RPC_BEGIN_UNARY_H_

#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "net/rpc/gateway_answers.h"
#include "net/rpc/gateway_requests.h"
#include "net/rpc/unary_call.h"

namespace lockstep::net {

// A method is called as its request is, without the last word.
template <class Request>
absl::string_view MethodOf() {
  absl::string_view name = Request::descriptor()->name();
  absl::ConsumeSuffix(&name, "Request");
  return name;
}

// gRPC's interface says const, but the request is this call's alone until it is done: a value of 64
// MiB is taken out of it, not copied.
template <class Request, class Response>
grpc::ServerUnaryReactor* BeginUnary(grpc::CallbackServerContext* context,
                                     const std::shared_ptr<Gate>& gate, const Request* request,
                                     Response* response) {
  return UnaryCall::Begin(
      context, gate, MethodOf<Request>(), ToGateway(const_cast<Request*>(request)),
      [response](proto::GatewayReply* reply) { return Answer(reply, response); });
}

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_BEGIN_UNARY_H_
