// Requests between gateways, and between a gateway and the node inside.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/gateway/gateway.h"
#include "core/gateway/group_change.h"
#include "core/gateway/outcome.h"

namespace lockstep::gateway {

void Gateway::Carry(client::Send send) {
  if (send.to == self_) return AskSelf(std::move(send.request), send.attempt);
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

void Gateway::AskSelf(Bytes request, Waiting waiting) {
  const uint64_t bytes = request.size();
  InTurn(bytes, [this, request = std::move(request), waiting = std::move(waiting)]() mutable {
    last_local_ = last_local_.Next();
    local_.emplace(last_local_, std::move(waiting));
    node_called_ = true;
    node_->OnRequest(last_local_, request);
  });
}

void Gateway::AskNode(NodeId to, Bytes request, Waiting waiting) {
  if (forwarded_.size() >= options_.forwarded_max) {
    const Waiting oldest = std::move(forwarded_.begin()->second.waiting);
    forwarded_.erase(forwarded_.begin());
    OnNoAnswer(oldest);
  }
  ++last_forwarded_;
  const uint64_t to_life = lives_[to];
  Parcel message = Encode(Forwarding{.kind = Forwarding::Kind::kRequest,
                                     .life = options_.life,
                                     .id = last_forwarded_,
                                     .other_life = to_life,
                                     .payload = request});
  Forwarded forwarded{.to = to, .waiting = std::move(waiting), .untaken = std::nullopt};
  if (to_life == 0) forwarded.untaken = std::move(request);
  forwarded_.emplace(last_forwarded_, std::move(forwarded));
  host_.transport.SendParcel(to, std::move(message));
}

void Gateway::OnForwardedRequest(NodeId from, Forwarding request) {
  if (request.other_life != options_.life) {
    request.not_taken = true;
    request.payload = Bytes();
    return Return(from, std::move(request));
  }
  if (!seen_[from].Admit(request.life, request.id, options_.remembered_max)) return;
  const Asker asker{from, request.life, request.id};
  const std::optional<bool> shards = StatusQuestion(request.payload.view());
  if (shards.has_value()) return BeginTelling(asker, *shards);
  // A gateway asks replicas, never another gateway: nothing is carried round in circles.
  if (IsGatewayRequest(request.payload)) return;
  AskSelf(std::move(request.payload), asker);
}

void Gateway::SendReply(const Asker& asker, Bytes reply) {
  Return(asker.node, {.life = asker.life, .id = asker.id, .payload = std::move(reply)});
}

void Gateway::Return(NodeId to, Forwarding reply) {
  reply.kind = Forwarding::Kind::kReply;
  reply.other_life = options_.life;
  host_.transport.SendParcel(to, Encode(reply));
}

void Gateway::OnForwardedReply(NodeId from, Forwarding reply) {
  if (reply.life != options_.life) return;
  const auto found = forwarded_.find(reply.id);
  if (found == forwarded_.end() || found->second.to != from) return;
  lives_[from] = std::max(lives_[from], reply.other_life);
  Forwarded forwarded = std::move(found->second);
  forwarded_.erase(found);
  if (reply.not_taken) return OnNotTaken(std::move(forwarded));
  OnAnswer(forwarded.waiting, std::move(reply.payload));
}

// Of the life that it named, if it named one, a copy may have been taken.
void Gateway::OnNotTaken(Forwarded forwarded) {
  if (!forwarded.untaken.has_value()) return OnNoAnswer(forwarded.waiting);
  AskNode(forwarded.to, *std::move(forwarded.untaken), std::move(forwarded.waiting));
}

void Gateway::OnAnswer(const Waiting& waiting, Bytes reply) {
  if (const auto* attempt = std::get_if<client::AttemptId>(&waiting)) {
    const uint64_t bytes = reply.size();
    return InTurn(bytes, [this, attempt = *attempt, reply = std::move(reply)]() mutable {
      Feed(client::Reply{attempt, std::move(reply)});
    });
  }
  if (const auto* asker = std::get_if<Asker>(&waiting)) return SendReply(*asker, std::move(reply));
  if (const auto* part = std::get_if<PartOfInquiry>(&waiting)) return OnNodeStatus(*part, reply);
  if (const auto* part = std::get_if<PartOfTelling>(&waiting)) return OnTold(*part, reply);
  proto::ClientReply parsed;
  const bool readable = parsed.ParseFromArray(reply.data(), static_cast<int>(reply.size()));
  if (const auto* part = std::get_if<PartOfChange>(&waiting)) {
    if (!readable) parsed.Clear();
    return OnGroupChange(*part, ChangeOf(part->group, parsed, part->effect));
  }
  proto::GatewayReply answer;
  answer.set_kind(proto::GatewayReply::UNKNOWN);
  answer.set_status(static_cast<uint32_t>(absl::StatusCode::kUnknown));
  if (readable) {
    const bool begun = parsed.result().code() == proto::OK;
    answer.set_kind(begun ? proto::GatewayReply::OK : proto::GatewayReply::NOT_EXECUTED);
    answer.set_status(static_cast<uint32_t>(begun ? absl::StatusCode::kOk
                                                  : absl::StatusCode::kFailedPrecondition));
    answer.set_message(parsed.result().message());
    answer.set_leader(parsed.leader());
    *answer.mutable_result() = std::move(*parsed.mutable_result());
  }
  FinishHandingOver(std::get<HandingOver>(waiting).id, answer);
}

void Gateway::OnNoAnswer(const Waiting& waiting) {
  if (const auto* attempt = std::get_if<client::AttemptId>(&waiting)) {
    return Feed(client::Failed{.attempt = *attempt, .undelivered = false});
  }
  if (const auto* part = std::get_if<PartOfInquiry>(&waiting)) {
    return OnNodeSilent(*part, "the connection to it broke");
  }
  if (const auto* part = std::get_if<PartOfChange>(&waiting)) {
    return OnGroupChange(*part, UnknownChange(part->group, "the connection to the leader broke"));
  }
  const auto* transfer = std::get_if<HandingOver>(&waiting);
  if (transfer == nullptr) return;
  proto::GatewayReply answer;
  answer.set_kind(proto::GatewayReply::UNKNOWN);
  answer.set_status(static_cast<uint32_t>(absl::StatusCode::kUnavailable));
  answer.set_message("the connection to the leader broke: ask for the status");
  FinishHandingOver(transfer->id, answer);
}

}  // namespace lockstep::gateway
