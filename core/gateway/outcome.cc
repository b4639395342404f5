#include "core/gateway/outcome.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/kv/command.h"

namespace lockstep::gateway {
namespace {

void SetStatus(const absl::Status& status, proto::GatewayReply* reply) {
  reply->set_status(static_cast<uint32_t>(status.code()));
  reply->set_message(std::string(status.message().data(), status.message().size()));
}

proto::GatewayReply::Kind KindOf(client::Outcome::Kind kind) {
  switch (kind) {
    case client::Outcome::Kind::kOk:
      return proto::GatewayReply::OK;
    case client::Outcome::Kind::kNotExecuted:
      return proto::GatewayReply::NOT_EXECUTED;
    case client::Outcome::Kind::kUnknown:
      return proto::GatewayReply::UNKNOWN;
  }
  return proto::GatewayReply::UNKNOWN;
}

}  // namespace

proto::GatewayReply ToReply(client::Outcome outcome) {
  proto::GatewayReply reply;
  reply.set_kind(KindOf(outcome.kind));
  SetStatus(outcome.status, &reply);
  *reply.mutable_result() = std::move(outcome.result);
  for (client::Outcome& one : outcome.each) *reply.add_each() = ToReply(std::move(one));
  return reply;
}

proto::GatewayReply ToReply(client::Outcome outcome, Duration took) {
  const uint64_t took_us = Microseconds(took);
  const uint64_t replica_us = std::min(client::SumUs(outcome.stages), took_us);
  const uint64_t hop_us = std::min(Microseconds(outcome.hop), took_us - replica_us);
  proto::Stages stages = std::move(outcome.stages);
  proto::GatewayReply reply = ToReply(std::move(outcome));
  *reply.mutable_stages() = std::move(stages);
  reply.set_hop_us(hop_us);
  reply.set_route_us(took_us - replica_us - hop_us);
  return reply;
}

proto::GatewayReply ToReply(const absl::Status& status) {
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::NOT_EXECUTED);
  SetStatus(status, &reply);
  reply.mutable_result()->set_code(kv::CodeOf(status));
  reply.mutable_result()->set_message(reply.message());
  return reply;
}

Bytes Encode(const google::protobuf::MessageLite& message) { return kv::Encode(message); }

}  // namespace lockstep::gateway
