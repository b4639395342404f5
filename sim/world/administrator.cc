#include "sim/world/administrator.h"

#include "core/proto/client.pb.h"
#include "sim/network/latency.h"

namespace lockstep::sim {

void Administrator::Sleep() {
  if (stopped_ || gap_mean_ == Duration(0)) return port_->WakeAt(kNever);
  port_->WakeAt(port_->Now() + Duration(ExponentialTail(rng_, gap_mean_.count()) + 1));
}

void Administrator::OnWake() {
  if (stopped_) return;
  const bool anybody = rng_.Chance({1, 3});
  const uint64_t successor = 1 + rng_.Below(servers_);
  Ask(DrawGroup(), anybody ? NodeId() : NodeId(successor));
  Sleep();
}

GroupId Administrator::DrawGroup() {
  if (groups_.size() == 1) return groups_.front();  // without a draw
  const uint64_t which = rng_.Below(groups_.size());
  return groups_[which];
}

void Administrator::Ask(GroupId group, NodeId successor) {
  proto::ClientRequest request;
  request.set_group(group.value());
  request.mutable_transfer_leadership()->set_to(successor.value());
  ++attempts_;
  // Everybody is asked: who leads is not for the administrator to know.
  for (uint16_t server = 1; server <= servers_; ++server) {
    port_->SendRequest(NodeId(server), attempts_,
                       Bytes::Make(request.ByteSizeLong(), [&](char* to) {
                         request.SerializeToArray(to, static_cast<int>(request.ByteSizeLong()));
                       }));
  }
}

void Administrator::OnReply(uint64_t, const Bytes& reply) {
  proto::ClientReply decoded;
  if (!decoded.ParseFromArray(reply.data(), static_cast<int>(reply.size()))) return;
  if (decoded.result().code() == proto::OK) ++agreed_;
}

}  // namespace lockstep::sim
