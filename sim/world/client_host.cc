#include "sim/world/client_host.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::sim {

void ClientHost::WakeAt(Instant when) {
  alarm_.Set(timeline_, id_, when == kNever ? kNoTime : when.time_since_epoch().count());
}

void ClientHost::SendRequest(NodeId node, uint64_t attempt, Bytes request) {
  const uint16_t to = static_cast<uint16_t>(node.value());
  tracer_.Add(TraceKind::kSend, id_, to, [&] {
    return absl::StrCat("to ", to, " attempt ", attempt, ": ",
                        software_.Describe(PacketKind::kRequest, request));
  });
  network_.Send({.data = std::move(request),
                 .attempt = attempt,
                 .from = id_,
                 .to = to,
                 .kind = PacketKind::kRequest});
}

void ClientHost::OnPacket(const Packet& packet) {
  Check(packet.kind == PacketKind::kReply, "a message to a client as if it were a server");
  tracer_.Add(TraceKind::kReply, id_, packet.from, [&] {
    return absl::StrCat("from ", packet.from, " attempt ", packet.attempt, ": ",
                        software_.Describe(packet.kind, packet.data));
  });
  client_->OnReply(packet.attempt, packet.data);
}

}  // namespace lockstep::sim
