// Handlers that are two functions: one makes the question, one makes an answer of the reply.
#ifndef LOCKSTEP_NET_HTTP_CALLS_H_
#define LOCKSTEP_NET_HTTP_CALLS_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "core/proto/gateway.pb.h"
#include "net/http/handler.h"

namespace lockstep::net::http {

// One call of the gateway. `ask` is given the request with its body, `answer` without; it sees OK
// replies alone, all others are failures already. So are results of a read that say no; those of a
// write are `answer`'s to tell.
using AskGateway = std::function<absl::StatusOr<proto::GatewayRequest>(Request&)>;
using AnswerGateway = std::function<Response(const Request&, proto::GatewayReply)>;
std::unique_ptr<Handler> GatewayCall(CallKind kind, AskGateway ask, AnswerGateway answer);

// Asks this node how it is. `answer` is given nothing when it does not say.
using AnswerNodeStatus = std::function<Response(const Request&, const lockstep::v1::NodeStatus*)>;
enum class StatusDetail { kReplicas, kShards };
std::unique_ptr<Handler> NodeStatusCall(StatusDetail detail, AnswerNodeStatus answer);

// Answers at once.
std::unique_ptr<Handler> Immediately(std::function<Response(const Request&)> answer);

// Messages as the service takes and gives them.
Bytes Encode(const google::protobuf::Message& message);
// A failure of ours if it cannot be read.
absl::StatusOr<proto::GatewayReply> DecodeReply(const Bytes& reply);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_CALLS_H_
