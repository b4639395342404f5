// The public API's requests as questions to a node's gateway. InvalidArgument, with a Failure that
// says that nothing was done: what makes no sense.
//
// Values are taken out of the requests, not copied: they may be 64 MiB.
#ifndef LOCKSTEP_NET_RPC_GATEWAY_REQUESTS_H_
#define LOCKSTEP_NET_RPC_GATEWAY_REQUESTS_H_

#include "absl/status/statusor.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "core/proto/lockstep/v1/kv.pb.h"

namespace lockstep::net {

using GatewayRequestOr = absl::StatusOr<proto::GatewayRequest>;

GatewayRequestOr ToGateway(v1::GetRequest* request);
GatewayRequestOr ToGateway(v1::GetManyRequest* request);
GatewayRequestOr ToGateway(v1::PutRequest* request);
GatewayRequestOr ToGateway(v1::AppendRequest* request);
GatewayRequestOr ToGateway(v1::DeleteRequest* request);
GatewayRequestOr ToGateway(v1::CompareAndSwapRequest* request);
GatewayRequestOr ToGateway(v1::BatchRequest* request);
GatewayRequestOr ToGateway(v1::OpenSessionRequest* request);
GatewayRequestOr ToGateway(v1::CloseSessionRequest* request);
// One page of at most so many pairs (0: as many as a page holds), behind `continuation`.
proto::GatewayRequest PageOf(const v1::ListRequest& request, uint32_t limit,
                             const std::string& continuation);

GatewayRequestOr ToGateway(v1::JoinRequest* request);
GatewayRequestOr ToGateway(v1::LeaveRequest* request);
GatewayRequestOr ToGateway(v1::MoveRequest* request);
GatewayRequestOr ToGateway(v1::UnpinRequest* request);
GatewayRequestOr ToGateway(v1::QueryRequest* request);
GatewayRequestOr ToGateway(v1::TransferLeaderRequest* request);
GatewayRequestOr ToGateway(v1::AddNodeRequest* request);
GatewayRequestOr ToGateway(v1::RemoveNodeRequest* request);
GatewayRequestOr ToGateway(v1::ReplaceNodeRequest* request);
GatewayRequestOr ToGateway(v1::StatusRequest* request);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_GATEWAY_REQUESTS_H_
