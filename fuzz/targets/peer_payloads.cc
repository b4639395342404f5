// What a peer's frames hold once it is welcome: Raft's messages, bundles of them, what nodes and
// gateways say to each other. What passes the door is within its bounds, comes back the same after
// it was encoded, and reads the same for Protobuf; what does not is refused in one line. Nothing
// points outside of the bytes that came.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "core/controller/configuration.h"
#include "core/gateway/forwarding_message.h"
#include "core/node/channel.h"
#include "core/node/courier.h"
#include "core/node/describe.h"
#include "core/node/door.h"
#include "core/proto/peer.pb.h"
#include "core/raft/codec.h"
#include "core/raft/group_configuration.h"
#include "fuzz/support/input.h"
#include "fuzz/support/one_line.h"

namespace lockstep::fuzz {
namespace {

constexpr uint64_t kNumberMax = uint64_t{1} << 56;  // core/raft/validate.cc

bool IsWithin(const Bytes& part, const Bytes& whole) {
  if (part.empty()) return true;
  const std::less_equal<> not_behind;
  return not_behind(whole.data(), part.data()) &&
         not_behind(part.data() + part.size(), whole.data() + whole.size());
}

struct Bounds {
  const Bytes& bytes;
  Term term;

  template <class Body>
  void operator()(const Body&) const {}
  void operator()(const raft::AppendRequest& append) const {
    CheckLe(append.entries.size(), bytes.size());
    CheckLe(append.commit.value(), kNumberMax);
    CheckLe(append.prev.index.value(), kNumberMax);
    Term last = append.prev.term;
    Index index = append.prev.index;
    for (const Entry& entry : append.entries) {
      index = index.Next();
      CheckEq(entry.index, index);
      CheckLe(last, entry.term);
      CheckLe(entry.term, term);
      Check(IsKnown(entry.kind));
      Check(IsWithin(entry.data, bytes));
      last = entry.term;
    }
  }
  void operator()(const raft::SnapshotChunk& chunk) const {
    Check(IsWithin(chunk.data, bytes));
    CheckLe(chunk.offset, kNumberMax);
    CheckLe(chunk.snapshot.term, term);
    if (chunk.configuration.empty()) return;
    const auto members = raft::DecodeConfiguration(chunk.configuration.view());
    Check(members.ok());
    CheckLe(members->id, chunk.snapshot.index);
    CheckLe(members->members.size(), raft::kGroupMembersMax);
    Check(*raft::DecodeConfiguration(raft::Encode(*members).view()) == *members);
  }
  void operator()(const raft::HeartbeatReply& reply) const {
    Check(reply.promise >= Duration(0));
    Check(reply.room <= raft::Room::kNone);
  }
  void operator()(const raft::ReadIndexRequest& request) const { Check(request.seq != ReadSeq()); }
};

node::Channel ChannelFor(const raft::Message& message, size_t size) {
  if (std::holds_alternative<raft::AppendRequest>(message.body)) return node::Channel::kLog;
  if (std::holds_alternative<raft::SnapshotChunk>(message.body)) return node::Channel::kBulk;
  return size > (size_t{64} << 10) ? node::Channel::kBulk : node::Channel::kControl;
}

// What every correct node sends is read back as it was, by this code and by Protobuf's.
void CheckEncoding(GroupId group, const raft::Message& message) {
  const Parcel parcel = raft::EncodePeerParcel(group, message);
  const Bytes encoded = parcel.Joined();
  Check(encoded == raft::EncodePeerMessage(group, message));
  GroupId group_again;
  raft::Message again;
  Check(raft::DecodePeerMessage(encoded, &group_again, &again).ok());
  CheckEq(group_again, group);
  CheckEq(raft::Describe(again), raft::Describe(message));
  Check(raft::EncodePeerMessage(group_again, again) == encoded);
  Check(!node::IsNodeMessage(encoded));
  Check(node::ChannelOf(parcel.head.view(), parcel.size()) == ChannelFor(message, encoded.size()));
  proto::PeerMessage parsed;
  Check(parsed.ParseFromArray(encoded.data(), static_cast<int>(encoded.size())));
  Check(parsed.SerializeAsString() == encoded.view());
}

// What only a later version understands is described by nothing.
void CheckDescribed(const Bytes& bytes) {
  const std::string described = node::DescribeMessage(bytes);
  if (!described.empty()) CheckOneLine(described, size_t{256} + 64 * bytes.size());
}

bool CheckPeerMessage(const Bytes& bytes) {
  CheckDescribed(bytes);
  (void)node::ChannelOf(bytes.view(), bytes.size());
  GroupId group;
  raft::Message message;
  const absl::Status status = raft::DecodePeerMessage(bytes, &group, &message);
  if (!status.ok()) {
    CheckRefusal(status);
    return false;
  }
  Check(raft::Validate(message).ok());
  CheckLe(message.term.value(), kNumberMax);
  std::visit(Bounds{bytes, message.term}, message.body);
  CheckEncoding(group, message);
  return true;
}

// --- Nodes

class Sent final : public Transport {
 public:
  void Send(NodeId to, Bytes message) override { SendParcel(to, {std::move(message), Bytes()}); }
  void SendParcel(NodeId, Parcel message) override { messages.push_back(message.Joined()); }
  std::vector<Bytes> messages;
};

// What a bundle held goes out again as a bundle of the same.
void CheckBundle(const std::vector<Bytes>& heartbeats) {
  Sent sent;
  node::Courier courier(NodeId(1), sent);
  courier.BundleHeartbeats();
  for (const Bytes& bytes : heartbeats) {
    GroupId group;
    raft::Message message;
    Check(raft::DecodePeerMessage(bytes, &group, &message).ok());
    courier.Send(NodeId(2), group, message);
  }
  courier.Flush();
  if (heartbeats.size() < 2) return;
  proto::NodeMessage bundle;
  CheckEq(sent.messages.size(), size_t{1});
  Check(node::IsNodeMessage(sent.messages[0]));
  Check(bundle.ParseFromString(std::string(sent.messages[0].view())));
  CheckEq(static_cast<size_t>(bundle.bundle_size()), heartbeats.size());
  for (const std::string& one : bundle.bundle()) Check(CheckPeerMessage(Bytes::Copy(one)));
}

void CheckConfiguration(const proto::Configuration& message) {
  const auto configuration = controller::FromProto(message);
  if (!configuration.ok()) return CheckRefusal(configuration.status());
  Check(controller::Validate(*configuration).ok());
  const auto again = controller::FromProto(controller::ToProto(*configuration));
  Check(again.ok());
  Check(*again == *configuration);
  CheckOneLine(controller::Describe(*configuration), size_t{4096});
}

void CheckNodeMessage(const Bytes& bytes) {
  proto::NodeMessage message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  std::vector<Bytes> heartbeats;
  for (const std::string& one : message.bundle()) {
    const Bytes bundled = Bytes::Copy(one);
    if (!CheckPeerMessage(bundled)) continue;
    GroupId group;
    raft::Message heartbeat;
    Check(raft::DecodePeerMessage(bundled, &group, &heartbeat).ok());
    if (std::holds_alternative<raft::Heartbeat>(heartbeat.body)) heartbeats.push_back(bundled);
  }
  CheckBundle(heartbeats);
  if (message.body_case() == proto::NodeMessage::BODY_NOT_SET) return;
  CheckConfiguration(message.configuration_answer().configuration());
  const absl::Status valid = node::ValidateNodeMessage(message);
  if (!valid.ok()) CheckRefusal(valid);
  CheckDescribed(bytes);
}

// --- Gateways

void CheckForwarding(const gateway::Forwarding& forwarding) {
  const Bytes encoded = gateway::Encode(forwarding).Joined();
  const auto again = gateway::DecodeForwarding(encoded);
  Check(again.has_value());
  Check(again->kind == forwarding.kind);
  CheckEq(again->life, forwarding.life);
  CheckEq(again->id, forwarding.id);
  CheckEq(again->other_life, forwarding.other_life);
  CheckEq(again->not_taken, forwarding.not_taken);
  Check(again->payload == forwarding.payload);
  Check(node::IsNodeMessage(encoded));
  proto::NodeMessage parsed;
  Check(parsed.ParseFromArray(encoded.data(), static_cast<int>(encoded.size())));
  Check(parsed.forwarded_request().request() == forwarding.payload.view() ||
        parsed.forwarded_reply().reply() == forwarding.payload.view());
}

void CheckForwardingBytes(const Bytes& bytes) {
  const auto forwarding = gateway::DecodeForwarding(bytes);
  if (!forwarding.has_value()) return;
  Check(IsWithin(forwarding->payload, bytes));
  CheckForwarding(*forwarding);
}

void CheckAnyForwarding(Input& input) {
  gateway::Forwarding forwarding;
  const bool request = input.Flip();
  forwarding.kind =
      request ? gateway::Forwarding::Kind::kRequest : gateway::Forwarding::Kind::kReply;
  forwarding.life = input.Number();
  forwarding.id = input.Number();
  forwarding.other_life = input.Number();
  forwarding.not_taken = !request && input.Flip();
  // Long ones, too: those are not copied.
  std::string payload(input.Text(512));
  payload.resize(payload.size() + (input.Below(8) == 1 ? kTailBytesMin : 0), 'x');
  forwarding.payload = Bytes::Copy(payload);
  CheckForwarding(forwarding);
}

// --- Raft's messages, made as a replica might, so that the door is passed more often than not.

LogPosition AnyPosition(Input& input, uint64_t term) {
  const uint64_t index = input.Below(64);
  return {.index = Index(index), .term = Term(index == 0 ? 0 : 1 + input.Below(term))};
}

Bytes AnyConfiguration(Input& input, uint64_t id) {
  proto::GroupConfiguration configuration;
  configuration.set_id(id);
  configuration.set_phase(static_cast<proto::GroupConfiguration::Phase>(input.Below(4)));
  uint64_t node = 0;
  for (uint64_t left = input.Below(6); left > 0; --left) {
    proto::GroupMember& member = *configuration.add_members();
    node += input.Below(3);
    member.set_node(node);
    member.set_incarnation(input.Number(1));
    member.set_before(static_cast<proto::GroupMember::Standing>(input.Below(4)));
    member.set_after(static_cast<proto::GroupMember::Standing>(input.Below(4)));
  }
  return Bytes::Copy(configuration.SerializeAsString());
}

raft::AppendRequest AnyAppend(Input& input, uint64_t term) {
  raft::AppendRequest append;
  append.prev = AnyPosition(input, term);
  append.commit = Index(input.Number(2));
  append.read_seq = ReadSeq(input.Number(2));
  Index index = append.prev.index;
  uint64_t last = std::max<uint64_t>(1, append.prev.term.value());
  for (uint64_t left = input.Below(8); left > 0; --left) {
    index = index.Next();
    last = std::min(term, last + input.Below(2));
    Entry entry;
    entry.index = index;
    entry.term = Term(last);
    entry.kind = static_cast<EntryKind>(input.Below(6));
    entry.data = entry.kind == EntryKind::kConfiguration ? AnyConfiguration(input, index.value())
                                                         : Bytes::Copy(input.Text(64));
    append.entries.push_back(std::move(entry));
  }
  if (!append.entries.empty() && input.Below(16) == 1) {
    append.entries.back().data = Bytes::Copy(std::string(kTailBytesMin, 'x'));
  }
  return append;
}

raft::Body AnyBody(Input& input, uint64_t term) {
  const ReadSeq seq(input.Number(1));
  switch (input.Below(14)) {
    case 0:
      return raft::PreVoteRequest{Term(term + input.Below(2)), AnyPosition(input, term)};
    case 1:
      return raft::PreVoteReply{Term(input.Number()), input.Flip()};
    case 2:
      return raft::VoteRequest{AnyPosition(input, term), input.Flip()};
    case 3:
      return raft::VoteReply{input.Flip()};
    case 4:
      return raft::AppendAccepted{Index(input.Number()), seq};
    case 5:
      return raft::AppendRejected{Index(input.Number(7)), AnyPosition(input, term), seq};
    case 6:
      return raft::Heartbeat{Index(input.Number(7)), seq};
    case 7:
      return raft::HeartbeatReply{seq, static_cast<raft::Room>(input.Below(4)),
                                  Duration(static_cast<int64_t>(input.Number()))};
    case 8: {
      const LogPosition snapshot = AnyPosition(input, term);
      return raft::SnapshotChunk{snapshot, input.Number(2), Bytes::Copy(input.Text(64)),
                                 input.Flip(),
                                 input.Flip() ? AnyConfiguration(input, input.Below(8)) : Bytes()};
    }
    case 9:
      return raft::SnapshotReply{AnyPosition(input, term), input.Number(2), input.Flip()};
    case 10:
      return raft::TimeoutNow{};
    case 11:
      return raft::ReadIndexRequest{seq};
    case 12:
      return raft::ReadIndexReply{seq, Index(input.Number(1))};
    default:
      return AnyAppend(input, term);
  }
}

raft::Message AnyMessage(Input& input) {
  const uint64_t term = input.Below(16) + 1;
  raft::Message message{Term(term), AnyBody(input, term), IncarnationId(input.Number(1))};
  return message;
}

void CheckAnyMessages(Input& input) {
  for (int i = 0; i < 32 && !input.empty(); ++i) {
    const GroupId group(input.Below(4));
    const raft::Message message = AnyMessage(input);
    CheckOneLine(raft::Describe(message), size_t{8192});
    const absl::Status valid = raft::Validate(message);
    valid.ok() ? CheckEncoding(group, message) : CheckRefusal(valid);
  }
}

void RunPeerPayloads(Input input) {
  switch (input.Below(4)) {
    case 0:
      return CheckAnyMessages(input);
    case 1:
      return CheckAnyForwarding(input);
    default: {  // As a node takes it.
      const Bytes bytes = Bytes::Copy(input.rest());
      CheckForwardingBytes(bytes);
      if (node::IsNodeMessage(bytes)) return CheckNodeMessage(bytes);
      (void)CheckPeerMessage(bytes);
    }
  }
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunPeerPayloads(lockstep::fuzz::Input(data, size));
  return 0;
}
