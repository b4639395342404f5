// A gateway's replies as the public API's responses, or as errors with a Failure inside.
//
// Each takes the reply to a request made by gateway_requests.h and fills the response, or says why
// there is none. Values are taken out of the replies, not copied.
#ifndef LOCKSTEP_NET_RPC_GATEWAY_ANSWERS_H_
#define LOCKSTEP_NET_RPC_GATEWAY_ANSWERS_H_

#include "absl/status/status.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "core/proto/lockstep/v1/kv.pb.h"

namespace lockstep::net {

absl::Status Answer(proto::GatewayReply* reply, v1::GetResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::GetManyResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::PutResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::AppendResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::DeleteResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::CompareAndSwapResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::BatchResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::OpenSessionResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::CloseSessionResponse* response);
// One page; its continuation is the gateway's.
absl::Status Answer(proto::GatewayReply* reply, v1::ListResponse* response);

absl::Status Answer(proto::GatewayReply* reply, v1::JoinResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::LeaveResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::MoveResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::UnpinResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::QueryResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::TransferLeaderResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::AddNodeResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::RemoveNodeResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::ReplaceNodeResponse* response);
absl::Status Answer(proto::GatewayReply* reply, v1::StatusResponse* response);

}  // namespace lockstep::net

#endif  // LOCKSTEP_NET_RPC_GATEWAY_ANSWERS_H_
