// Requests between gateways, and between a gateway and the node inside.
#include <utility>

#include "core/gateway/gateway.h"
#include "core/gateway/outcome.h"
#include "core/proto/wire.h"

namespace lockstep::gateway {
namespace {

// Copies the payload once; a request may be large.
Bytes EncodeForwarded(uint32_t body, uint64_t life, uint64_t id, const Bytes& payload) {
  const auto message = [&](auto& sink) {
    sink.Message(body, [&](auto& inner) {
      inner.Number(proto::ForwardedRequest::kLifeFieldNumber, life);
      inner.Number(proto::ForwardedRequest::kIdFieldNumber, id);
      inner.Text(proto::ForwardedRequest::kRequestFieldNumber, payload.view());
    });
  };
  wire::SizeSink size;
  message(size);
  return Bytes::Make(size.size(), [&](char* to) {
    wire::WriteSink sink(to);
    message(sink);
  });
}
static_assert(int{proto::ForwardedReply::kReplyFieldNumber} ==
              int{proto::ForwardedRequest::kRequestFieldNumber});

}  // namespace

void Gateway::Carry(client::Send send) {
  if (send.to == self_) return AskSelf(send.request, send.attempt);
  if (IsDoubted(send.to)) {
    Feed(client::Failed{.attempt = send.attempt, .undelivered = true});
    return;
  }
  AskNode(send.to, std::move(send.request), send.attempt);
}

bool Gateway::IsDoubted(NodeId node) {
  const auto found = doubted_until_.find(node);
  if (found == doubted_until_.end()) return false;
  if (Now() < found->second) return true;
  doubted_until_.erase(found);
  return false;
}

void Gateway::AskSelf(const Bytes& request, Waiting waiting) {
  last_local_ = last_local_.Next();
  local_.emplace(last_local_, std::move(waiting));
  node_called_ = true;
  node_->OnRequest(last_local_, request);
}

void Gateway::AskNode(NodeId to, Bytes request, Waiting waiting) {
  if (forwarded_.size() >= options_.forwarded_max) {
    const Waiting oldest = std::move(forwarded_.begin()->second.waiting);
    forwarded_.erase(forwarded_.begin());
    OnNoAnswer(oldest);
  }
  ++last_forwarded_;
  forwarded_.emplace(last_forwarded_, Forwarded{to, std::move(waiting)});
  host_.transport.Send(to, EncodeForwarded(proto::NodeMessage::kForwardedRequestFieldNumber,
                                           options_.life, last_forwarded_, request));
}

void Gateway::OnForwardedRequest(NodeId from, const proto::ForwardedRequest& request) {
  if (!seen_[from].Admit(request.life(), request.id(), options_.remembered_max)) return;
  const Asker asker{from, request.life(), request.id()};
  const std::optional<bool> shards = StatusQuestion(request.request());
  if (shards.has_value()) return BeginTelling(asker, *shards);
  const Bytes bytes = Bytes::Copy(request.request());
  // A gateway asks replicas, never another gateway: nothing is carried round in circles.
  if (IsGatewayRequest(bytes)) return;
  AskSelf(bytes, asker);
}

void Gateway::SendReply(const Asker& asker, const Bytes& reply) {
  host_.transport.Send(asker.node, EncodeForwarded(proto::NodeMessage::kForwardedReplyFieldNumber,
                                                   asker.life, asker.id, reply));
}

void Gateway::OnForwardedReply(NodeId from, const proto::ForwardedReply& reply) {
  if (reply.life() != options_.life) return;
  const auto found = forwarded_.find(reply.id());
  if (found == forwarded_.end() || found->second.to != from) return;
  const Waiting waiting = std::move(found->second.waiting);
  forwarded_.erase(found);
  OnAnswer(waiting, Bytes::Copy(reply.reply()));
}

void Gateway::OnAnswer(const Waiting& waiting, Bytes reply) {
  if (const auto* attempt = std::get_if<client::AttemptId>(&waiting)) {
    return Feed(client::Reply{*attempt, std::move(reply)});
  }
  if (const auto* asker = std::get_if<Asker>(&waiting)) return SendReply(*asker, reply);
  if (const auto* part = std::get_if<PartOfInquiry>(&waiting)) return OnNodeStatus(*part, reply);
  if (const auto* part = std::get_if<PartOfTelling>(&waiting)) return OnTold(*part, reply);
  proto::ClientReply parsed;
  proto::GatewayReply answer;
  answer.set_kind(proto::GatewayReply::UNKNOWN);
  if (parsed.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) {
    const bool begun = parsed.result().code() == proto::OK;
    answer.set_kind(begun ? proto::GatewayReply::OK : proto::GatewayReply::NOT_EXECUTED);
    if (!begun) answer.set_status(static_cast<uint32_t>(absl::StatusCode::kFailedPrecondition));
    answer.set_message(parsed.result().message());
    answer.set_leader(parsed.leader());
    *answer.mutable_result() = std::move(*parsed.mutable_result());
  }
  Answer(std::get<HandingOver>(waiting).id, answer);
}

void Gateway::OnNoAnswer(const Waiting& waiting) {
  if (const auto* attempt = std::get_if<client::AttemptId>(&waiting)) {
    return Feed(client::Failed{.attempt = *attempt, .undelivered = false});
  }
  if (const auto* part = std::get_if<PartOfInquiry>(&waiting)) {
    return OnNodeSilent(*part, "the connection to it broke");
  }
  const auto* transfer = std::get_if<HandingOver>(&waiting);
  if (transfer == nullptr) return;
  proto::GatewayReply answer;
  answer.set_kind(proto::GatewayReply::UNKNOWN);
  answer.set_status(static_cast<uint32_t>(absl::StatusCode::kUnavailable));
  answer.set_message("the connection to the leader broke: ask for the status");
  Answer(transfer->id, answer);
}

}  // namespace lockstep::gateway
