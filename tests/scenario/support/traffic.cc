#include "tests/scenario/support/traffic.h"

#include <utility>

namespace lockstep::scenario {
namespace {

std::optional<proto::ShardMessage> ShardMessageIn(const Bytes& bytes) {
  // NodeMessage::shard is field 30; what Raft says has smaller ones.
  const bool about_shards = bytes.size() > 2 && bytes.data()[0] == '\xf2' && bytes.data()[1] == 1;
  proto::NodeMessage message;
  if (!about_shards) return std::nullopt;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  return std::move(*message.mutable_shard());
}

}  // namespace

absl::StatusOr<sim::Life> MeteredSoftware::Boot(NodeId node, storage::FileSystem& files, Rng rng,
                                                const Host& host) {
  auto meter = std::make_unique<Meter>(host, node, *this);
  // Its last life is over: nothing refers to the meter before.
  std::unique_ptr<Meter>& place = meters_[node];
  place = std::move(meter);
  return KvSoftware::Boot(node, files, rng, place->host);
}

void MeteredSoftware::Repeat(const ShardTalk& talk) {
  proto::NodeMessage message;
  *message.mutable_shard() = talk.message;
  meters_.at(talk.from)->transport.Send(talk.to, Bytes::Copy(message.SerializeAsString()));
}

void MeteredSoftware::Meter::Send(NodeId to, Bytes message) {
  ++software.total_.messages;
  software.total_.bytes += message.size();
  if (software.listener_) {
    const std::optional<proto::ShardMessage> said = ShardMessageIn(message);
    if (said.has_value() && software.listener_({.from = node, .to = to, .message = *said})) return;
  }
  transport.Send(to, std::move(message));
}

}  // namespace lockstep::scenario
