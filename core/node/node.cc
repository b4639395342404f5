#include "core/node/node.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/container/btree_set.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/kv/command.h"
#include "core/node/client_reply.h"
#include "core/node/door.h"
#include "core/node/request_outline.h"
#include "core/proto/wire.h"
#include "core/raft/codec.h"

namespace lockstep::node {

namespace {

// What only a leader says, and only to those whom its log names.
bool BringsLog(const raft::Message& message) {
  return std::holds_alternative<raft::AppendRequest>(message.body) ||
         std::holds_alternative<raft::SnapshotChunk>(message.body);
}

}  // namespace

Node::Node(const NodeOptions& options, std::vector<ReplicaImage> images, Rng rng, const Host& host)
    : options_(options),
      rng_(rng),
      host_(host),
      courier_(options.self, host.transport),
      space_(options.space),
      bulk_(options.bulk_bytes_per_second_max),
      spread_(options.leader_spread_every, rng.Split("spread")) {
  CheckLe(options_.groups.size(), images.size());
  for (const ReplicaImage& image : images) Open(image);
}

Replica& Node::Open(const ReplicaImage& image) {
  const auto place = std::find_if(replicas_.begin(), replicas_.end(), [&](const auto& replica) {
    return image.group < replica->group();
  });
  const Rng stream = rng_.Split("replica", image.group.value());
  const auto made = replicas_.insert(
      place, std::make_unique<Replica>(options_, image, stream, host_, courier_, space_, bulk_));
  if (replicas_.size() > 1) courier_.BundleHeartbeats();
  if (told_room_ != raft::Room::kAmple) (*made)->OnRoom(told_room_);
  (*made)->OnControllers(controllers_);
  return **made;
}

const Replica* Node::replica(GroupId group) const { return const_cast<Node*>(this)->Find(group); }

Replica* Node::Find(GroupId group) {
  for (const std::unique_ptr<Replica>& replica : replicas_) {
    if (replica->group() == group) return replica.get();
  }
  return nullptr;
}

void Node::OnMessage(NodeId from, const Bytes& message) {
  if (failed_) return;
  IsNodeMessage(message) ? OnNodeMessage(from, message) : OnPeerMessage(from, message);
}

void Node::OnPeerMessage(NodeId from, const Bytes& message) {
  GroupId group;
  raft::Message decoded;
  const absl::Status status = raft::DecodePeerMessage(message, &group, &decoded);
  Replica* replica = status.ok() ? Find(group) : nullptr;
  if (status.ok() && replica == nullptr && options_.takes_replicas && BringsLog(decoded)) {
    ReplicaImage nothing;
    nothing.group = group;
    replica = &Open(nothing);
  }
  if (replica == nullptr) return NoteMalformed(from, message.size());
  replica->OnMessage(from, std::move(decoded));
}

void Node::OnNodeMessage(NodeId from, const Bytes& message) {
  proto::NodeMessage decoded;
  const bool readable = decoded.ParseFromArray(message.data(), static_cast<int>(message.size()));
  if (!readable) return NoteMalformed(from, message.size());
  for (const std::string& one : decoded.bundle()) OnPeerMessage(from, Bytes::Copy(one));
  if (decoded.body_case() == proto::NodeMessage::BODY_NOT_SET) return;
  if (!Deliver(from, decoded)) NoteMalformed(from, message.size());
}

// False: nobody here can make anything of it.
bool Node::Deliver(NodeId from, const proto::NodeMessage& message) {
  if (!ValidateNodeMessage(message).ok()) return false;
  if (message.has_leading_question()) {
    proto::NodeMessage answer;
    answer.mutable_leading_answer()->set_groups(static_cast<uint32_t>(GroupsLed()));
    answer.mutable_leading_answer()->set_takes_more(space_.room() == raft::Room::kAmple &&
                                                    !LogIsStalled());
    courier_.Send(from, std::move(answer));
    return true;
  }
  if (message.has_leading_answer()) {
    OnLeadingAnswer(from, message.leading_answer());
    return true;
  }
  GroupId to = kControllerGroup;
  if (message.has_shard()) to = GroupId(message.shard().to_group());
  if (message.has_configuration_answer()) to = GroupId(message.configuration_answer().to_group());
  const GroupRole role =
      message.has_configuration_request() ? GroupRole::kController : GroupRole::kShards;
  Replica* replica = Find(to);
  if (replica == nullptr || replica->role() != role) return false;
  replica->OnMessage(from, message);
  return true;
}

void Node::NoteMalformed(NodeId from, size_t bytes) {
  if (!host_.journal.listening()) return;
  host_.journal.Record(Note{.kind = NoteKind::kMalformed,
                            .group = GroupId(),
                            .term = Term(),
                            .peer = from,
                            .position = LogPosition{},
                            .number = bytes,
                            .entry = nullptr});
}

void Node::OnStorage(Lane lane, Ticket, absl::StatusOr<StorageResult> result) {
  if (failed_) return;
  if (!result.ok()) {
    failed_ =
        true;  // Nobody knows what the disk holds: say nothing more. The host stops the process.
    return;
  }
  if (lane == Lane::kLog) {
    OnLogDone();
  } else {
    OnTableDone(*result);
  }
}

void Node::OnLogDone() {
  const std::vector<Write> done = std::exchange(under_way_, {});
  for (const Write& write : done) write.replica->OnPersisted(write.seq);
}

void Node::OnTableDone(StorageResult& result) {
  std::visit(
      [this](auto& done) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(done)>, std::monostate>) {
          Replica* replica = Find(done.group);
          Check(replica != nullptr);
          replica->NoteTableDone();
          replica->OnTableDone(done);
        }
      },
      result);
}

// What the client has sent is what goes into the log, not a copy of it: values may be large, and
// request_ may lack them. Only the controller's commands, which have none, are completed at the
// door.
Bytes Node::EncodedCommand(GroupRole role, const Bytes& request) const {
  wire::Reader reader(request.view());
  Bytes found;
  int times = 0;
  while (reader.Next()) {
    if (reader.field() != proto::ClientRequest::kCommandFieldNumber) continue;
    const auto offset = static_cast<size_t>(reader.text().data() - request.data());
    found = request.Slice(offset, reader.text().size());
    ++times;
  }
  const bool as_sent = times == 1 && role != GroupRole::kController;
  return as_sent ? found : kv::Encode(request_.command());
}

void Node::OnRequest(RequestId id, const Bytes& request) {
  if (failed_) return;
  uint64_t value_bytes = 0;
  if (!ReadOutline(request, &request_, &value_bytes) &&
      !request_.ParseFromArray(request.data(), static_cast<int>(request.size()))) {
    return RefuseAtDoor(id, MalformedReply(request.size()));
  }
  if (request_.has_get_node_status()) return RefuseAtDoor(id, StatusReply());
  Replica* replica = Find(GroupId(request_.group()));
  if (replica == nullptr) return RefuseAtDoor(id, UnknownGroupReply(GroupId(request_.group())));
  switch (request_.body_case()) {
    case proto::ClientRequest::kCommand: {
      absl::Status status = AdmitCommand(replica->role(), options_, request_.mutable_command());
      if (status.ok()) status = kv::ValidateValueBytes(value_bytes, options_.kv.limits);
      if (!status.ok()) return RefuseAtDoor(id, ReplyWithResult(kv::RefusalFor(status)));
      Bytes encoded = EncodedCommand(replica->role(), request);
      return replica->OnCommand(id, request_.command(), std::move(encoded));
    }
    case proto::ClientRequest::kQuery: {
      const absl::Status status = AdmitQuery(replica->role(), options_, request_.query());
      if (!status.ok()) return RefuseAtDoor(id, ReplyWithResult(kv::RefusalFor(status)));
      using Freshness = Replica::Freshness;
      const proto::Query& query = request_.query();
      const Freshness linearizable =
          query.any_replica() ? Freshness::kForwarded : Freshness::kLinearizable;
      return replica->OnQuery(id, kv::Encode(query),
                              query.stale() ? Freshness::kAnyState : linearizable);
    }
    case proto::ClientRequest::kTransferLeadership:
      return replica->OnTransferLeadership(id, NodeId(request_.transfer_leadership().to()));
    case proto::ClientRequest::kChangeMembership:
      return replica->OnChangeMembership(id, request_.change_membership());
    case proto::ClientRequest::kGetNodeStatus:
      return;  // Answered above.
    case proto::ClientRequest::BODY_NOT_SET:
      return RefuseAtDoor(id, MalformedReply(request.size()));
  }
}

Bytes Node::StatusReply() const {
  proto::ClientReply reply;
  reply.mutable_result()->set_code(proto::OK);
  reply.mutable_node_status()->set_node(options_.self.value());
  reply.mutable_node_status()->set_online(true);
  reply.mutable_node_status()->set_disk_room(static_cast<lockstep::v1::DiskRoom>(space_.room()));
  for (const std::unique_ptr<Replica>& replica : replicas_) {
    *reply.mutable_node_status()->add_replicas() = replica->Status();
  }
  return kv::Encode(reply);
}

void Node::OnPeerLink(NodeId peer, bool up) {
  if (failed_) return;
  for (const std::unique_ptr<Replica>& replica : replicas_) replica->OnPeerLink(peer, up);
}

void Node::OnSpace(const DiskSpace& space) {
  if (failed_) return;
  space_.Measured(space.free_bytes, under_way_.empty() ? 0 : under_way_bytes_);
  TellRoom();
}

void Node::TellRoom() {
  if (std::exchange(told_room_, space_.room()) == space_.room()) return;
  for (const std::unique_ptr<Replica>& replica : replicas_) replica->OnRoom(space_.room());
}

void Node::OnWake() {
  if (failed_) return;
  armed_ = kNever;
  bool heartbeats = false;
  const bool log_stalled = LogIsStalled();
  for (const std::unique_ptr<Replica>& replica : replicas_) {
    heartbeats |= replica->OnWake(log_stalled);
  }
  if (spread_.Due(host_.clock.Now())) AskWhoLeads();
  if (!heartbeats) return;
  for (const std::unique_ptr<Replica>& replica : replicas_) replica->OnNearbyHeartbeat(log_stalled);
}

void Node::OnTurnEnd() {
  if (failed_) return;
  EndTurnOfReplicas();
  spread_.Leads(host_.clock.Now(), GroupsLed());
  Instant wake_at = spread_.wake_at();
  for (const std::unique_ptr<Replica>& replica : replicas_) {
    wake_at = std::min(wake_at, replica->wake_at());
  }
  for (Refusal& refusal : refusals_) host_.replies.Reply(refusal.id, std::move(refusal.reply));
  refusals_.clear();
  SubmitLog();
  if (wake_at == armed_) return;
  armed_ = wake_at;
  host_.clock.WakeAt(wake_at);
}

// Until the replicas have nothing more to say to each other: each answers only to what is asked,
// and asks at its time, so that comes soon.
void Node::EndTurnOfReplicas() {
  std::vector<proto::NodeMessage> messages;
  do {
    for (const proto::NodeMessage& message : messages) Deliver(options_.self, message);
    LearnControllers();
    for (const std::unique_ptr<Replica>& replica : replicas_) replica->EndTurn();
    messages = courier_.TakeLocal();
  } while (!messages.empty());
  courier_.Flush();
}

// Where one of the controllers is, nobody need be asked who they are: and perhaps it is the only
// one. Elsewhere the logs of the groups say it, also to those who only follow and never ask.
void Node::LearnControllers() {
  const uint64_t known = controllers_.membership();
  for (const std::unique_ptr<Replica>& one : replicas_) {
    const proto::Controllers* heard = one->controllers();
    if (heard != nullptr && heard->membership() > controllers_.membership()) controllers_ = *heard;
  }
  const Replica* controller = replica(kControllerGroup);
  const raft::GroupConfiguration* members =
      controller == nullptr ? nullptr : controller->standing().members;
  if (members != nullptr && members->id.value() > controllers_.membership()) {
    const proto::SetMembers said = SayMembers(0, 0, *members);
    controllers_.set_membership(said.membership());
    *controllers_.mutable_nodes() = said.nodes();
  }
  if (controllers_.membership() == known) return;
  for (const std::unique_ptr<Replica>& one : replicas_) one->OnControllers(controllers_);
}

// Those who follow here, each once.
void Node::AskWhoLeads() {
  absl::btree_set<NodeId> followers;
  for (const std::unique_ptr<Replica>& replica : replicas_) {
    if (!replica->raft().is_leader()) continue;
    for (const raft::Leader::Peer& peer : replica->raft().leader_state()->peers) {
      followers.insert(peer.id);
    }
  }
  for (const NodeId follower : followers) {
    proto::NodeMessage question;
    question.mutable_leading_question();
    courier_.Send(follower, std::move(question));
  }
}

void Node::OnLeadingAnswer(NodeId from, const proto::LeadingAnswer& answer) {
  if (!answer.takes_more() || !spread_.MayGive(answer.groups())) return;
  for (const std::unique_ptr<Replica>& replica : replicas_) {
    if (!replica->HandOver(from)) continue;
    return spread_.Gave();
  }
}

uint64_t Node::GroupsLed() const {
  return static_cast<uint64_t>(
      std::count_if(replicas_.begin(), replicas_.end(),
                    [](const auto& replica) { return replica->raft().is_leader(); }));
}

void Node::SubmitLog() {
  if (!under_way_.empty()) return;
  CommitLog job;
  for (const std::unique_ptr<Replica>& replica : replicas_) {
    if (!replica->HasBatch()) continue;
    PersistSeq seq;
    job.batches.push_back(replica->TakeBatch(&seq));
    under_way_.push_back({replica.get(), seq});
  }
  if (job.batches.empty()) return;
  under_way_since_ = host_.clock.Now();
  under_way_bytes_ = 0;
  for (const LogBatch& batch : job.batches) {
    for (const Entry& entry : batch.append) under_way_bytes_ += entry.data.size();
  }
  host_.disk.Submit(std::move(job));
  space_.Wrote(under_way_bytes_);
  TellRoom();
}

// A write to the log has taken longer than an election time-out. It concerns every replica, also
// those that have nothing in it: what they write next waits behind it. A large one is given more
// time: else no leader on slow disks could ever write a large value, and each would give up over
// it.
bool Node::LogIsStalled() const {
  constexpr Duration kPerMebibyte = std::chrono::milliseconds(100);  // so slow, and it is not dead
  const auto mebibytes = static_cast<int64_t>(under_way_bytes_ >> 20);
  return !under_way_.empty() && host_.clock.Now() >= under_way_since_ + options_.raft.election_max +
                                                         kPerMebibyte * mebibytes;
}

}  // namespace lockstep::node
