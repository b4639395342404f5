#include "net/access/door.h"

#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/gateway/gateway.h"
#include "core/kv/command.h"
#include "core/node/request_outline.h"

namespace lockstep::net {
namespace {

template <class Message>
bool Parse(const Bytes& bytes, Message* message) {
  return bytes.size() <= static_cast<size_t>(std::numeric_limits<int>::max()) &&
         message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// Nothing: the node itself refuses it, as malformed.
std::optional<Need> NeedIn(const Bytes& request) {
  if (gateway::IsGatewayRequest(request)) {
    proto::GatewayRequest parsed;
    if (!Parse(request, &parsed)) return std::nullopt;
    return NeedOf(parsed);
  }
  proto::ClientRequest parsed;
  uint64_t value_bytes = 0;
  // Without a copy of the value, where that is possible.
  if (node::ReadOutline(request, &parsed, &value_bytes)) return NeedOf(parsed);
  parsed.Clear();
  if (!Parse(request, &parsed)) return std::nullopt;
  return NeedOf(parsed);
}

proto::Code CodeOf(const absl::Status& refusal) {
  return absl::IsUnauthenticated(refusal) ? proto::UNAUTHENTICATED : proto::PERMISSION_DENIED;
}

Bytes ReplyOf(const Bytes& request, const absl::Status& refusal) {
  const std::string message(refusal.message());
  proto::Result result;
  result.set_code(CodeOf(refusal));
  result.set_message(message);
  if (!gateway::IsGatewayRequest(request)) {
    proto::ClientReply reply;
    *reply.mutable_result() = result;
    return kv::Encode(reply);
  }
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::NOT_EXECUTED);
  reply.set_status(static_cast<uint32_t>(refusal.code()));
  reply.set_message(message);
  *reply.mutable_result() = result;
  return kv::Encode(reply);
}

std::string OutcomeOf(bool gateway, const Bytes& reply) {
  proto::GatewayReply of_gateway;
  proto::ClientReply of_node;
  if (gateway ? !Parse(reply, &of_gateway) : !Parse(reply, &of_node)) return "unreadable";
  const proto::Result& result = gateway ? of_gateway.result() : of_node.result();
  if (gateway && of_gateway.kind() != proto::GatewayReply::OK) {
    const bool none = of_gateway.kind() == proto::GatewayReply::NOT_EXECUTED;
    return absl::StrCat(none ? "not executed: " : "unknown: ", of_gateway.message());
  }
  const bool done = result.code() == proto::OK || result.code() == proto::CODE_UNSPECIFIED;
  return done ? "done" : absl::StrCat(proto::Code_Name(result.code()), ": ", result.message());
}

}  // namespace

bool Door::Refuses(WhoCalls who, const Bytes& request, Service::Done* done) const {
  if (!guard_->has_policy() && !MayNeedAdmin(request)) return false;
  const std::optional<Need> need = NeedIn(request);
  if (!need.has_value()) return false;
  const Caller caller = who();
  const absl::Status judged = guard_->Judge(caller, *need);
  if (!judged.ok()) {
    if (need->role == Role::kAdmin) {
      guard_->Note(caller, need->action, absl::StrCat("refused: ", judged.message()));
    }
    (*done)(ReplyOf(request, judged));
    return true;
  }
  if (need->role != Role::kAdmin) return false;
  *done = [guard = guard_, caller, action = need->action,
           gateway = gateway::IsGatewayRequest(request), answer = std::move(*done)](Bytes reply) {
    guard->Note(caller, action, OutcomeOf(gateway, reply));
    answer(std::move(reply));
  };
  return false;
}

void Door::Call(WhoCalls who, Bytes request, Service::Done done) {
  if (!Refuses(who, request, &done)) service_.Call(std::move(request), std::move(done));
}

void Door::CallAll(WhoCalls who, std::vector<std::pair<Bytes, Service::Done>> calls) {
  std::vector<std::pair<Bytes, Service::Done>> passed;
  passed.reserve(calls.size());
  for (auto& [request, done] : calls) {
    if (!Refuses(who, request, &done)) passed.emplace_back(std::move(request), std::move(done));
  }
  if (!passed.empty()) service_.CallAll(std::move(passed));
}

}  // namespace lockstep::net
