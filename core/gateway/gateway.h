// A node with the way to all others: it answers for any key, whoever serves it.
//
// A process around a node's process. Requests for the node's own replicas pass through to it.
// A proto::GatewayRequest is carried out by a Router (core/client): its attempts go to the node
// inside, or as ForwardedRequests to other nodes, whose gateways hand them to their node, once.
// Questions about the whole cluster are put to every known node.
//
// Like all of core it has no thread, clock or socket: the simulator runs it as production does.
#ifndef LOCKSTEP_CORE_GATEWAY_GATEWAY_H_
#define LOCKSTEP_CORE_GATEWAY_GATEWAY_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/functional/any_invocable.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/router.h"
#include "core/gateway/forwarding_message.h"
#include "core/gateway/options.h"
#include "core/gateway/seen_requests.h"
#include "core/gateway/surroundings.h"
#include "core/node/node.h"
#include "core/node/roles.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/node.pb.h"
#include "core/runtime/host.h"
#include "core/runtime/process.h"

namespace lockstep::gateway {

// Requests of the gateway to the node inside have numbers from here on; a host's never get there.
inline constexpr RequestId kFirstGatewayCall{uint64_t{1} << 62};

class Gateway final : public Process, private Clock, private Replies {
 public:
  // Makes the node inside. REQUIRES: the router's options are valid; `host` and `surroundings`
  // outlive the gateway.
  Gateway(const node::NodeOptions& node, const GatewayOptions& options,
          std::vector<ReplicaImage> images, Rng rng, const Host& host, Surroundings& surroundings);

  void OnMessage(NodeId from, const Bytes& message) override;
  void OnStorage(Lane lane, Ticket ticket, absl::StatusOr<StorageResult> result) override;
  void OnRequest(RequestId id, const Bytes& request) override;
  void OnPeerLink(NodeId peer, bool up) override;
  void OnSpace(const DiskSpace& space) override;
  void OnWake() override;
  void OnTurnEnd() override;

 private:
  using InquiryId = Id<struct InquiryIdTag>;
  using TellingId = Id<struct TellingIdTag>;

  // Who waits for an answer.
  struct Asker {  // another node's gateway
    NodeId node;
    uint64_t life = 0;
    uint64_t id = 0;
  };
  struct PartOfInquiry {
    InquiryId inquiry;
    NodeId node;
  };
  struct PartOfTelling {
    TellingId telling;
    GroupId group;  // whose shards; the telling's beginning asks for none
    bool shards = false;
  };
  struct HandingOver {  // a transfer of leadership that was passed on
    RequestId id;
  };
  struct PartOfChange {  // a wish for other members, at the leader of one group
    RequestId id;
    GroupId group;
    std::string effect;  // what is said once it has begun
  };
  using Waiting = std::variant<client::AttemptId, Asker, PartOfInquiry, PartOfTelling, HandingOver,
                               PartOfChange>;
  struct Forwarded {
    NodeId to;
    Waiting waiting;
    // Kept while it names no life: then nobody takes it, and it is sent again with the right one.
    std::optional<Bytes> untaken;
  };

  // A question to every known node, and what is done with the answers.
  struct Inquiry {
    RequestId id;  // of the call
    Instant came;  // likewise
    proto::GatewayRequest request;
    Instant patience_ends;  // of the call
    Instant deadline;       // of those asked
    std::vector<lockstep::v1::NodeStatus> nodes;
    absl::btree_set<NodeId> missing;
    bool configuration_missing = false;
    std::optional<proto::Configuration> configuration;
  };
  // Nodes that come and go, where the leaders of groups have been asked.
  struct ChangeOfNodes {
    Instant patience_ends;
    // Of those that are missing: what is said if they stay so.
    absl::btree_map<GroupId, lockstep::v1::GroupChange> groups;
    absl::btree_set<GroupId> missing;
  };
  // Whom this node tells how it is: another node, an inquiry of its own, or a caller.
  using Teller = std::variant<Asker, PartOfInquiry, RequestId>;
  // This node's status in the making.
  struct Telling {
    Teller to;
    Instant deadline;  // then it is told without what the tables have not said
    lockstep::v1::NodeStatus status;
    bool shards = false;  // and how its shards are
    size_t missing = 1;   // answers: first the replicas' own
  };
  // An operation of the router: a call, or the question of an inquiry for the configuration.
  struct RoutedCall {
    RequestId id;
    Instant came;
  };
  using Purpose = std::variant<RoutedCall, InquiryId>;

  // The node's host.
  Instant Now() const override { return host_.clock.Now(); }
  void WakeAt(Instant when) override { node_alarm_ = when; }
  void Reply(RequestId id, Bytes reply) override;

  // gateway.cc
  void OnCall(RoutedCall call, const Bytes& request);
  void OnLocalReply(RequestId id, Bytes reply);
  void Invoke(Purpose purpose, client::Invoke invoke);
  void InvokeBulk(RoutedCall call, proto::BulkWrites* bulk, Instant deadline);
  template <class Event>
  void Feed(Event event) {
    inputs_.emplace_back(std::in_place_type<Event>, std::move(event));
    RunRouter();
  }
  void RunRouter();
  void ListenForControllers(const Bytes& message);
  void Learn(const proto::Controllers& controllers);
  void RememberControllers();
  void Complete(client::Completion completion);
  void Answer(RequestId id, proto::GatewayReply reply);
  void Refuse(RequestId id, const absl::Status& status);
  Instant DeadlineOf(const proto::GatewayRequest& request) const;
  void Arm();
  // Does it now, or later in a turn of its own if it is work on so many bytes.
  using Work = absl::AnyInvocable<void()>;
  void InTurn(uint64_t bytes, Work work);

  // forwarding.cc
  void Carry(client::Send send);
  void AskNode(NodeId to, Bytes request, Waiting waiting);
  void OnForwardedRequest(NodeId from, Forwarding request);
  void OnForwardedReply(NodeId from, Forwarding reply);
  void OnAnswer(const Waiting& waiting, Bytes reply);
  void OnNoAnswer(const Waiting& waiting);
  void OnNotTaken(Forwarded forwarded);
  void SendReply(const Asker& asker, Bytes reply);
  void Return(NodeId to, Forwarding reply);
  bool IsDoubted(NodeId node);
  void AskSelf(Bytes request, Waiting waiting);

  // inquiry.cc
  void BeginInquiry(RequestId id, proto::GatewayRequest request);
  void OnNodeStatus(const PartOfInquiry& part, const Bytes& reply);
  void OnNodeSilent(const PartOfInquiry& part, absl::string_view why);
  void OnConfiguration(InquiryId id, const client::Outcome& outcome);
  void FinishIfComplete(InquiryId id);
  void FireInquiries();
  void FinishStatus(const Inquiry& inquiry);
  void FinishJoin(Inquiry& inquiry);
  void FinishTransfer(const Inquiry& inquiry);
  void FinishHandingOver(RequestId id, const proto::GatewayReply& reply);
  void FireHandingsOver();

  // members.cc
  void BeginChangeOfNodes(RequestId id, proto::GatewayRequest request);
  void AskNewcomer(NodeId node);
  void FinishChangeOfNodes(const Inquiry& inquiry);
  void OnGroupChange(const PartOfChange& part, lockstep::v1::GroupChange answer);
  void FinishChangeIfComplete(RequestId id);
  void FireChanges();

  // telling.cc
  void BeginTelling(Teller to, bool shards);
  void OnTold(const PartOfTelling& part, const Bytes& reply);
  void AskForShards(TellingId id, Telling& telling);
  void FireTellings();
  void FinishTelling(TellingId id);

  const NodeId self_;
  const GatewayOptions options_;
  const Host host_;
  Surroundings& surroundings_;
  client::Router router_;
  std::unique_ptr<node::Node> node_;

  std::deque<Work> large_work_;  // one a turn
  Instant node_alarm_ = kNever;
  Instant router_alarm_ = kNever;
  Instant armed_ = kNever;
  bool node_called_ = false;                                // since its turn last ended
  std::vector<std::pair<RequestId, Bytes>> local_replies_;  // of the node, not looked at yet

  RequestId last_local_ = kFirstGatewayCall;
  absl::btree_map<RequestId, Waiting> local_;  // asked of the node inside
  uint64_t last_forwarded_ = 0;
  absl::btree_map<uint64_t, Forwarded> forwarded_;  // asked of others
  absl::btree_map<NodeId, SeenRequests> seen_;
  absl::btree_map<NodeId, uint64_t> lives_;  // of others: the last that was heard of
  absl::btree_map<NodeId, Instant> doubted_until_;

  client::OperationId last_operation_;
  absl::btree_map<client::OperationId, Purpose> operations_;
  std::deque<client::Input> inputs_;  // for the router, once its step is over
  bool stepping_ = false;
  uint64_t remembered_ = 0;  // the membership of the controllers that the surroundings were told

  InquiryId last_inquiry_;
  absl::btree_map<InquiryId, Inquiry> inquiries_;
  absl::btree_map<RequestId, Instant> handing_over_;  // transfers passed on, and their patience
  absl::btree_map<RequestId, ChangeOfNodes> changes_;
  TellingId last_telling_;
  absl::btree_map<TellingId, Telling> tellings_;
  uint64_t calls_failed_ = 0;  // answered with something else than OK
  bool failed_ = false;        // the disk failed: nothing is said any more
};

// Whether the bytes are an encoded proto::GatewayRequest, if they are anything. Total.
bool IsGatewayRequest(const Bytes& request);

// Whether an encoded proto::ClientRequest asks the node how it is, and then, whether with shards.
// Total.
std::optional<bool> StatusQuestion(absl::string_view request);

// A node with its gateway, for a host. The only place that makes one beside tests.
std::unique_ptr<Process> MakeNodeWithGateway(const node::NodeOptions& node,
                                             const GatewayOptions& options,
                                             std::vector<ReplicaImage> images, Rng rng,
                                             const Host& host, Surroundings& surroundings);

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_GATEWAY_H_
