// What became of an operation, as a gateway's answer.
#ifndef LOCKSTEP_CORE_GATEWAY_OUTCOME_H_
#define LOCKSTEP_CORE_GATEWAY_OUTCOME_H_

#include "absl/status/status.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/client/events.h"
#include "core/proto/gateway.pb.h"

namespace lockstep::gateway {

proto::GatewayReply ToReply(client::Outcome outcome);
// With where the time went, of which there was so much.
proto::GatewayReply ToReply(client::Outcome outcome, Duration took);
// Certainly not executed.
proto::GatewayReply ToReply(const absl::Status& status);
Bytes Encode(const google::protobuf::MessageLite& message);

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_OUTCOME_H_
