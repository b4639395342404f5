#include "core/node/courier.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "core/kv/command.h"
#include "core/proto/wire.h"
#include "core/raft/codec.h"

namespace lockstep::node {
namespace {

Bytes Bundle(const std::vector<Bytes>& messages) {
  return wire::Encode([&](auto& sink) {
    for (const Bytes& message : messages) {
      sink.Text(proto::NodeMessage::kBundleFieldNumber, message.view());
    }
  });
}

}  // namespace

// A leader sends the same entries to all followers that keep up. Entries are shared buffers, so
// what is at the same place is the same, as long as the turn lasts.
Parcel Courier::Encode(GroupId group, const raft::Message& message) {
  const auto* append = std::get_if<raft::AppendRequest>(&message.body);
  if (append == nullptr || append->entries.empty()) return raft::EncodePeerParcel(group, message);
  Encoded& last = last_append_;
  const bool same = last.parcel.size() > 0 && last.group == group && last.term == message.term &&
                    last.prev == append->prev && last.commit == append->commit &&
                    last.read_seq == append->read_seq &&
                    std::equal(last.entries.begin(), last.entries.end(), append->entries.begin(),
                               append->entries.end(), [](const char* place, const Entry& entry) {
                                 return place == entry.data.data();
                               });
  if (same) return last.parcel;
  last.entries.clear();
  for (const Entry& entry : append->entries) last.entries.push_back(entry.data.data());
  last.group = group;
  last.term = message.term;
  last.prev = append->prev;
  last.commit = append->commit;
  last.read_seq = append->read_seq;
  last.parcel = raft::EncodePeerParcel(group, message);
  return last.parcel;
}

void Courier::Send(NodeId to, GroupId group, const raft::Message& message) {
  Parcel parcel = Encode(group, message);
  const bool waits = std::holds_alternative<raft::Heartbeat>(message.body) ||
                     std::holds_alternative<raft::HeartbeatReply>(message.body);
  if (bundles_ && waits) {
    waiting_[to].push_back(parcel.Joined());
  } else {
    transport_.SendParcel(to, std::move(parcel));
  }
}

void Courier::Send(NodeId to, proto::NodeMessage message) {
  if (to == self_) {
    local_.push_back(std::move(message));
  } else {
    transport_.Send(to, kv::Encode(message));
  }
}

void Courier::Flush() {
  last_append_.parcel = Parcel();
  for (auto& [to, messages] : waiting_) {
    if (messages.empty()) continue;
    Bytes bytes = messages.size() == 1 ? std::move(messages.front()) : Bundle(messages);
    transport_.Send(to, std::move(bytes));
    messages.clear();
  }
}

std::vector<proto::NodeMessage> Courier::TakeLocal() { return std::exchange(local_, {}); }

bool IsNodeMessage(const Bytes& message) {
  constexpr uint32_t kFirst = proto::NodeMessage::kShardFieldNumber;
  wire::Reader reader(message.view());
  return reader.Next() && reader.field() >= kFirst;
}

}  // namespace lockstep::node
