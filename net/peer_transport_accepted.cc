// Connections that other nodes have dialled.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/peer_transport.h"

namespace lockstep::net {
namespace {

// "10.0.0.4:7400" without the port.
std::string HostOf(const std::string& address) { return address.substr(0, address.rfind(':')); }

}  // namespace

void PeerTransport::OnIncoming() {
  ++last_accepted_;
  const uint64_t id = last_accepted_;
  Connection::Events events;
  events.frame = [this, id](FrameKind kind, Bytes payload) {
    return OnAcceptedFrame(id, kind, std::move(payload));
  };
  events.closed = [this, id](absl::Status why) { OnAcceptedClosed(id, why); };
  Accepted accepted;
  accepted.connection = std::make_unique<Connection>(loop_, std::move(events), options_.limits,
                                                     counters_, Credentials());
  const absl::Status status =
      accepted.connection->Accept(reinterpret_cast<uv_stream_t*>(listener_));
  if (!status.ok() || stopped_) return;
  accepted.address = HostOf(accepted.connection->peer_address());
  // Destroyed, hence closed, when there is no place for it.
  if (HasRoomFor(accepted.address)) accepted_.emplace(id, std::move(accepted));
}

bool PeerTransport::HasRoomFor(const std::string& address) const {
  if (accepted_.size() >= options_.accepted_max) return false;
  size_t from_there = 0;
  for (const auto& [id, accepted] : accepted_) from_there += accepted.address == address ? 1u : 0u;
  return from_there < options_.accepted_per_address_max;
}

bool PeerTransport::OnAcceptedFrame(uint64_t id, FrameKind kind, Bytes payload) {
  const auto found = accepted_.find(id);
  if (found == accepted_.end()) return false;
  if (!found->second.from) {
    if (kind == FrameKind::kHello) return OnHello(id, payload);
    found->second.connection->Close(absl::InvalidArgumentError("it did not say hello"));
    return false;
  }
  if (kind == FrameKind::kPing) return true;
  if (kind != FrameKind::kMessage) {
    found->second.connection->Close(absl::InvalidArgumentError("it said hello twice"));
    return false;
  }
  ++counters_.messages_received;
  events_.message(found->second.from, std::move(payload));
  return true;
}

bool PeerTransport::OnHello(uint64_t id, const Bytes& payload) {
  Accepted& accepted = accepted_.at(id);
  const std::optional<proto::Hello> hello = ReadHello(payload);
  const proto::Welcome welcome =
      AnswerHello(hello, accepted.connection->certified(), options_.cluster, introduction_, book_);
  accepted.connection->Send(FrameKind::kWelcome, Bytes::Copy(welcome.SerializeAsString()));
  if (welcome.refusal() != proto::WELCOME) {
    Log(LogLevel::kWarn, "refused a connection",
        {{"from", accepted.connection->peer_address()}, {"why", welcome.advice()}});
    accepted.connection->CloseAfterFlush(absl::PermissionDeniedError(welcome.advice()));
    return false;
  }
  const NodeId from(hello->from().node());
  accepted.connection->set_payload_bytes_max(kFrameBytesMax);
  accepted.from = from;
  accepted.channel = static_cast<node::Channel>(hello->channel());
  accepted.connection->Flush();
  // It may have said hello and gone: the write has failed, and `accepted` with it.
  if (!accepted_.contains(id)) return false;
  // It is alive: do not wait out the pause before dialling it.
  tick_->Start(std::chrono::milliseconds(0));
  const auto peer = peers_.find(from);
  if (peer == peers_.end()) return true;
  for (Dialled& dialled : peer->second.channels) {
    if (dialled.connection == nullptr && dialled.pause <= options_.pause_max) {
      dialled.dial_at = Now();
    }
  }
  return true;
}

// A leader that dies is noticed here first: the kernel closes what it had dialled.
void PeerTransport::OnAcceptedClosed(uint64_t id, const absl::Status& why) {
  const auto found = accepted_.find(id);
  if (found == accepted_.end()) return;
  const NodeId from = found->second.from;
  const node::Channel channel = found->second.channel;
  closed_.push_back(std::move(found->second.connection));
  accepted_.erase(found);
  if (!from) {
    Log(LogLevel::kDebug, "a stranger's connection ended", {{"why", std::string(why.message())}});
    return;
  }
  if (channel != node::Channel::kControl || HasAccepted(from, channel)) return;
  Log(LogLevel::kInfo, "no longer connected from",
      {{"node", absl::StrCat(from.value())}, {"why", std::string(why.message())}});
  events_.link(from, false);
}

bool PeerTransport::HasAccepted(NodeId from, node::Channel channel) const {
  for (const auto& [id, accepted] : accepted_) {
    if (accepted.from == from && accepted.channel == channel) return true;
  }
  return false;
}

void PeerTransport::CloseIdle() {
  std::vector<uint64_t> idle;
  for (const auto& [id, accepted] : accepted_) {
    const auto allowed = accepted.from ? options_.idle_max : options_.handshake_max;
    if (accepted.connection->ReadIdle() >= allowed) idle.push_back(id);
  }
  for (const uint64_t id : idle) {
    const auto found = accepted_.find(id);
    if (found == accepted_.end()) continue;
    found->second.connection->Close(absl::DeadlineExceededError("nothing was heard for long"));
  }
}

}  // namespace lockstep::net
