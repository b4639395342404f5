#include "core/gateway/gateway.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/gateway/outcome.h"
#include "core/node/courier.h"
#include "core/node/door.h"
#include "core/proto/wire.h"

namespace lockstep::gateway {
namespace {

client::RouterOptions Near(client::RouterOptions router, NodeId self) {
  router.near = self;
  return router;
}

bool IsOwn(const proto::Command& command) {
  return command.session() != 0 || command.has_register_session() || command.has_close_session();
}

}  // namespace

bool IsGatewayRequest(const Bytes& request) {
  wire::Reader reader(request.view());
  return reader.Next() && reader.field() >= proto::GatewayRequest::kCommandFieldNumber;
}

std::unique_ptr<Process> MakeNodeWithGateway(const node::NodeOptions& node,
                                             const GatewayOptions& options,
                                             std::vector<ReplicaImage> images, Rng rng,
                                             const Host& host, Surroundings& surroundings) {
  return std::make_unique<Gateway>(node, options, std::move(images), rng, host, surroundings);
}

Gateway::Gateway(const node::NodeOptions& node, const GatewayOptions& options,
                 std::vector<ReplicaImage> images, Rng rng, const Host& host,
                 Surroundings& surroundings)
    : self_(node.self),
      options_(options),
      host_(host),
      surroundings_(surroundings),
      router_(Near(options.router, node.self), rng.Split("gateway")) {
  const Host inner{*this, host.transport, host.disk, *this, host.journal};
  node_ = std::make_unique<node::Node>(node, std::move(images), rng.Split("node"), inner);
}

// --- Events

void Gateway::OnSpace(const DiskSpace& space) {
  if (!failed_) node_->OnSpace(space);
}

void Gateway::OnMessage(NodeId from, const Bytes& message) {
  if (failed_) return;
  std::optional<Forwarding> forwarding = DecodeForwarding(message);
  // The node notes what is malformed.
  if (!forwarding.has_value()) {
    ListenForControllers(message);
    return node_->OnMessage(from, message);
  }
  forwarding->kind == Forwarding::Kind::kRequest ? OnForwardedRequest(from, *std::move(forwarding))
                                                 : OnForwardedReply(from, *std::move(forwarding));
}

void Gateway::OnStorage(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result) {
  failed_ = failed_ || !result.ok();
  node_->OnStorage(lane, ticket, std::move(result));
}

void Gateway::OnRequest(RequestId id, const Bytes& request) {
  CheckLt(id, kFirstGatewayCall);
  if (failed_) return;
  if (IsGatewayRequest(request)) {
    const RoutedCall call{.id = id, .came = Now()};
    return InTurn(request.size(), [this, call, request] { OnCall(call, request); });
  }
  const std::optional<bool> shards = StatusQuestion(request.view());
  if (shards.has_value()) return BeginTelling(id, *shards);
  node_called_ = true;
  node_->OnRequest(id, request);
}

void Gateway::OnPeerLink(NodeId peer, bool up) {
  if (failed_) return;
  node_->OnPeerLink(peer, up);
  if (up) {
    doubted_until_.erase(peer);
    return AskNewcomer(peer);
  }
  doubted_until_[peer] = Now() + options_.link_doubt;
  std::vector<Waiting> lost;
  for (auto at = forwarded_.begin(); at != forwarded_.end();) {
    if (at->second.to != peer) {
      ++at;
      continue;
    }
    lost.push_back(std::move(at->second.waiting));
    at = forwarded_.erase(at);
  }
  for (const Waiting& waiting : lost) OnNoAnswer(waiting);
}

void Gateway::OnWake() {
  if (failed_) return;
  armed_ = kNever;
  if (Now() >= node_alarm_) {
    node_alarm_ = kNever;
    node_->OnWake();
  }
  if (Now() >= router_alarm_) Feed(client::Wake{});
  FireTellings();  // First: they may be parts of inquiries.
  FireInquiries();
  FireHandingsOver();
  FireChanges();
  if (large_work_.empty()) return;
  Work work = std::move(large_work_.front());
  large_work_.pop_front();
  work();
}

// What the node answers at the end of its turn may make the router ask it again at once; that is
// refused or accepted, and the answer to what is accepted waits for the disk, so this ends.
void Gateway::OnTurnEnd() {
  do {
    node_called_ = false;
    node_->OnTurnEnd();
    for (auto& [id, reply] : std::exchange(local_replies_, {})) OnLocalReply(id, std::move(reply));
    Learn(node_->controllers());
  } while (node_called_);
  Arm();
}

void Gateway::Arm() {
  Instant wake_at = std::min(node_alarm_, router_alarm_);
  if (!large_work_.empty()) wake_at = std::min(wake_at, Now());
  for (const auto& [id, inquiry] : inquiries_) wake_at = std::min(wake_at, inquiry.deadline);
  for (const auto& [id, telling] : tellings_) wake_at = std::min(wake_at, telling.deadline);
  for (const auto& [id, patience_ends] : handing_over_) {
    wake_at = std::min(wake_at, patience_ends);
  }
  for (const auto& [id, change] : changes_) wake_at = std::min(wake_at, change.patience_ends);
  if (wake_at == armed_) return;
  armed_ = wake_at;
  host_.clock.WakeAt(wake_at);
}

void Gateway::InTurn(uint64_t bytes, Work work) {
  if (bytes < options_.large_bytes) return work();
  large_work_.push_back(std::move(work));
}

void Gateway::Reply(RequestId id, Bytes reply) {
  if (id < kFirstGatewayCall) return host_.replies.Reply(id, std::move(reply));
  local_replies_.emplace_back(id, std::move(reply));
}

void Gateway::OnLocalReply(RequestId id, Bytes reply) {
  const auto found = local_.find(id);
  Check(found != local_.end());
  const Waiting waiting = std::move(found->second);
  local_.erase(found);
  OnAnswer(waiting, std::move(reply));
}

// --- Calls

Instant Gateway::DeadlineOf(const proto::GatewayRequest& request) const {
  const uint64_t most = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(options_.patience_max).count());
  if (request.patience_us() == 0) return Now() + options_.patience;
  return Now() + std::chrono::microseconds(std::min(request.patience_us(), most));
}

void Gateway::OnCall(RoutedCall call, const Bytes& bytes) {
  const RequestId id = call.id;
  proto::GatewayRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Refuse(id, absl::InvalidArgumentError(absl::StrCat("a request of ", bytes.size(),
                                                              " bytes that cannot be read")));
  }
  const Instant deadline = DeadlineOf(request);
  client::Invoke invoke{.id = {}, .operation = {}, .deadline = deadline};
  invoke.key = std::move(*request.mutable_key());
  switch (request.body_case()) {
    case proto::GatewayRequest::kCommand: {
      proto::Command& command = *request.mutable_command();
      if (IsOwn(command)) invoke.place = client::Invoke::Place::kOwn;
      if (command.first_outstanding() == 0) command.set_first_outstanding(command.sequence());
      invoke.operation = std::move(command);
      return InTurn(bytes.size(), [this, call, invoke = std::move(invoke)]() mutable {
        Invoke(call, std::move(invoke));
      });
    }
    case proto::GatewayRequest::kQuery:
      invoke.operation = std::move(*request.mutable_query());
      return Invoke(call, std::move(invoke));
    case proto::GatewayRequest::kBulk:
      return InTurn(bytes.size(), [this, call, bulk = std::move(*request.mutable_bulk()),
                                   deadline]() mutable { InvokeBulk(call, &bulk, deadline); });
    case proto::GatewayRequest::kClusterStatus:
    case proto::GatewayRequest::kTransfer:
    case proto::GatewayRequest::kJoin:
      return BeginInquiry(id, std::move(request));
    case proto::GatewayRequest::kChangeNodes:
      return BeginChangeOfNodes(id, std::move(request));
    case proto::GatewayRequest::BODY_NOT_SET:
      return Refuse(id, absl::InvalidArgumentError("the request asks for nothing"));
  }
}

void Gateway::Answer(RequestId id, proto::GatewayReply reply) {
  if (reply.kind() != proto::GatewayReply::OK) ++calls_failed_;
  const uint64_t bytes = reply.ByteSizeLong();
  InTurn(bytes, [this, id, reply = std::move(reply)] { host_.replies.Reply(id, Encode(reply)); });
}

void Gateway::Refuse(RequestId id, const absl::Status& status) { Answer(id, ToReply(status)); }

void Gateway::Invoke(Purpose purpose, client::Invoke invoke) {
  last_operation_ = last_operation_.Next();
  invoke.id = last_operation_;
  operations_.emplace(last_operation_, purpose);
  Feed(std::move(invoke));
}

void Gateway::InvokeBulk(RoutedCall call, proto::BulkWrites* bulk, Instant deadline) {
  last_operation_ = last_operation_.Next();
  operations_.emplace(last_operation_, call);
  client::InvokeBulk invoke{.id = last_operation_, .operations = {}, .deadline = deadline};
  for (proto::BatchOperation& operation : *bulk->mutable_operations()) {
    invoke.operations.push_back(std::move(operation));
  }
  Feed(std::move(invoke));
}

// Within a step nothing steps again: what comes up meanwhile waits in inputs_.
void Gateway::RunRouter() {
  if (std::exchange(stepping_, true)) return;
  while (!inputs_.empty()) {
    client::Output out;
    client::Input next = std::move(inputs_.front());
    inputs_.pop_front();
    router_.Step(Now(), std::move(next), &out);
    router_alarm_ = out.wake_at;
    for (client::Send& send : out.sends) Carry(std::move(send));
    for (client::Completion& completion : out.completions) Complete(std::move(completion));
  }
  stepping_ = false;
  RememberControllers();
}

// What the node's groups are told is news for the router as well: it may not have asked for long,
// and when it does, all controllers whom it knows may be gone.
void Gateway::ListenForControllers(const Bytes& message) {
  wire::Reader reader(message.view());
  const bool answer =
      reader.Next() && reader.field() == proto::NodeMessage::kConfigurationAnswerFieldNumber;
  proto::NodeMessage parsed;
  if (!answer || !parsed.ParseFromArray(message.data(), static_cast<int>(message.size()))) return;
  if (!node::ValidateNodeMessage(parsed).ok()) return;
  Learn(parsed.configuration_answer().configuration().controllers());
  Learn(parsed.configuration_answer().controllers());
}

void Gateway::Learn(const proto::Controllers& controllers) {
  if (controllers.nodes().empty()) return;
  if (controllers.membership() <= router_.controllers().membership) return;
  client::LearnControllers learnt{.membership = controllers.membership(), .nodes = {}};
  for (const uint64_t node : controllers.nodes()) learnt.nodes.push_back(NodeId(node));
  Feed(std::move(learnt));
}

void Gateway::RememberControllers() {
  const client::LearnControllers& controllers = router_.controllers();
  if (controllers.membership <= remembered_) return;
  remembered_ = controllers.membership;
  surroundings_.RememberControllers(controllers.membership, controllers.nodes);
}

void Gateway::Complete(client::Completion completion) {
  const auto found = operations_.find(completion.id);
  Check(found != operations_.end());
  const Purpose purpose = found->second;
  operations_.erase(found);
  if (const auto* inquiry = std::get_if<InquiryId>(&purpose)) {
    return OnConfiguration(*inquiry, completion.outcome);
  }
  const RoutedCall& call = std::get<RoutedCall>(purpose);
  Answer(call.id, ToReply(std::move(completion.outcome), Now() - call.came));
}

}  // namespace lockstep::gateway
