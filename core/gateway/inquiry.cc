// Questions to every known node at once: the status of the cluster, and what needs it to begin with
// (who leads a group, who hosts one).
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/address.h"
#include "core/base/check.h"
#include "core/gateway/gateway.h"
#include "core/gateway/member_wish.h"
#include "core/gateway/outcome.h"

namespace lockstep::gateway {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

NodeStatus* Find(std::vector<NodeStatus>& nodes, NodeId node) {
  for (NodeStatus& status : nodes) {
    if (status.node() == node.value()) return &status;
  }
  return nullptr;
}

void Convert(const proto::ShardGroup& from, lockstep::v1::Group* to) {
  to->set_gid(from.gid());
  to->set_joined(from.joined());
  for (const proto::Member& member : from.members()) {
    lockstep::v1::Member& added = *to->add_members();
    added.set_node(member.node());
    added.set_address(std::string(AddressText(member.address())));
  }
}

lockstep::v1::Configuration Convert(const proto::Configuration& from) {
  lockstep::v1::Configuration to;
  to.set_num(from.num());
  for (const proto::ShardGroup& group : from.groups()) Convert(group, to.add_groups());
  for (const uint64_t owner : from.owners()) to.add_owners(owner);
  for (const proto::Pin& pin : from.pins()) to.add_pinned(pin.shard());
  return to;
}

// Fills in the members of a group that is to join. False: nobody hosts it.
bool FillMembers(const std::vector<NodeStatus>& nodes, proto::ShardGroup* group) {
  for (const NodeStatus& node : nodes) {
    if (!group->members().empty()) break;
    for (const ReplicaStatus& replica : node.replicas()) {
      if (replica.group() != group->gid()) continue;
      for (const uint64_t member : replica.members()) group->add_members()->set_node(member);
    }
  }
  for (proto::Member& member : *group->mutable_members()) {
    for (const NodeStatus& node : nodes) {
      const bool its = node.node() == member.node();
      if (its && member.address().empty()) member.set_address(node.peer_address());
    }
  }
  return !group->members().empty();
}

bool IsMember(const proto::ShardGroup& group, uint64_t node) {
  return std::any_of(group.members().begin(), group.members().end(),
                     [node](const proto::Member& member) { return member.node() == node; });
}

// A member that answers, where none of those that answer has a replica: shards that this group was
// given would be served by nobody. Null: one has, or none answers, so that nobody can tell.
const NodeStatus* WhoHostsNothingOf(const std::vector<NodeStatus>& nodes,
                                    const proto::ShardGroup& group) {
  const NodeStatus* without = nullptr;
  for (const NodeStatus& node : nodes) {
    if (!node.online() || !IsMember(group, node.node())) continue;
    const bool hosts = std::any_of(
        node.replicas().begin(), node.replicas().end(),
        [&group](const ReplicaStatus& replica) { return replica.group() == group.gid(); });
    if (hosts) return nullptr;
    without = &node;
  }
  return without;
}

absl::Status MayJoin(const std::vector<NodeStatus>& nodes, proto::ShardGroup* group) {
  const auto start = [group](absl::string_view them) {
    return absl::StrCat(": start ", them, " with --group ", group->gid(), "=NODE,NODE,... first");
  };
  if (!FillMembers(nodes, group)) {
    return absl::InvalidArgumentError(absl::StrCat("no node that answers hosts group ",
                                                   group->gid(), start("its nodes"),
                                                   ", or name its members"));
  }
  const NodeStatus* const without = WhoHostsNothingOf(nodes, *group);
  if (without == nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("node ", without->node(),
                                                 " answers, and hosts no replica of group ",
                                                 group->gid(), start("the group's nodes")));
}

}  // namespace

void Gateway::BeginInquiry(RequestId id, proto::GatewayRequest request) {
  last_inquiry_ = last_inquiry_.Next();
  const InquiryId number = last_inquiry_;
  Inquiry& inquiry = inquiries_[number];
  inquiry.id = id;
  inquiry.came = Now();
  inquiry.patience_ends = DeadlineOf(request);
  inquiry.deadline = std::min(inquiry.patience_ends, Now() + options_.status_patience);
  inquiry.nodes = surroundings_.KnownNodes();
  inquiry.request = std::move(request);
  const bool change = inquiry.request.has_change_nodes();
  inquiry.configuration_missing = inquiry.request.has_cluster_status() ||
                                  (change && MeansAllGroups(inquiry.request.change_nodes()));
  std::vector<NodeId> asked;
  for (NodeStatus& node : inquiry.nodes) {
    node.set_online(false);
    node.set_error("no answer in time");
    asked.push_back(NodeId(node.node()));
    inquiry.missing.insert(NodeId(node.node()));
  }
  const bool shards = inquiry.request.cluster_status().shards();
  const Instant deadline = inquiry.deadline;
  proto::ClientRequest question;
  question.mutable_get_node_status()->set_shards(shards);
  const Bytes encoded = Encode(question);
  for (const NodeId node : asked) {
    const PartOfInquiry part{number, node};
    if (node == self_) {
      BeginTelling(part, shards);
    } else if (IsDoubted(node)) {
      OnNodeSilent(part, "it cannot be reached");
    } else {
      AskNode(node, encoded, part);
    }
  }
  if (!inquiries_.contains(number) || !inquiries_.at(number).configuration_missing) return;
  client::Invoke invoke{.id = {}, .operation = proto::Query(), .deadline = deadline};
  std::get<proto::Query>(invoke.operation).mutable_get_configuration();
  Invoke(number, std::move(invoke));
}

void Gateway::OnNodeStatus(const PartOfInquiry& part, const Bytes& reply) {
  const auto found = inquiries_.find(part.inquiry);
  if (found == inquiries_.end() || found->second.missing.erase(part.node) == 0) return;
  proto::ClientReply parsed;
  NodeStatus* status = Find(found->second.nodes, part.node);
  Check(status != nullptr);
  if (parsed.ParseFromArray(reply.data(), static_cast<int>(reply.size())) &&
      parsed.node_status().node() == part.node.value()) {
    *status = std::move(*parsed.mutable_node_status());
    status->set_online(true);
    status->clear_error();
  }
  FinishIfComplete(part.inquiry);
}

void Gateway::OnNodeSilent(const PartOfInquiry& part, absl::string_view why) {
  const auto found = inquiries_.find(part.inquiry);
  if (found == inquiries_.end() || found->second.missing.erase(part.node) == 0) return;
  Find(found->second.nodes, part.node)->set_error(std::string(why.data(), why.size()));
  FinishIfComplete(part.inquiry);
}

void Gateway::OnConfiguration(InquiryId id, const client::Outcome& outcome) {
  const auto found = inquiries_.find(id);
  if (found == inquiries_.end()) return;
  found->second.configuration_missing = false;
  if (outcome.kind == client::Outcome::Kind::kOk && outcome.result.has_configuration()) {
    found->second.configuration = outcome.result.configuration();
  }
  FinishIfComplete(id);
}

void Gateway::FireInquiries() {
  std::vector<InquiryId> due;
  for (auto& [id, inquiry] : inquiries_) {
    if (inquiry.deadline > Now()) continue;
    inquiry.missing.clear();
    inquiry.configuration_missing = false;
    due.push_back(id);
  }
  for (const InquiryId id : due) FinishIfComplete(id);
}

void Gateway::FinishIfComplete(InquiryId id) {
  const auto found = inquiries_.find(id);
  if (found == inquiries_.end()) return;  // The end of another one was the end of this one too.
  if (!found->second.missing.empty() || found->second.configuration_missing) return;
  Inquiry inquiry = std::move(found->second);
  inquiries_.erase(found);
  if (inquiry.request.has_cluster_status()) return FinishStatus(inquiry);
  if (inquiry.request.has_join()) return FinishJoin(inquiry);
  if (inquiry.request.has_change_nodes()) return FinishChangeOfNodes(inquiry);
  FinishTransfer(inquiry);
}

void Gateway::FinishStatus(const Inquiry& inquiry) {
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::OK);
  lockstep::v1::StatusResponse& status = *reply.mutable_cluster_status();
  for (const NodeStatus& node : inquiry.nodes) *status.add_nodes() = node;
  status.set_answered_by(self_.value());
  status.set_cluster(options_.cluster);
  if (inquiry.configuration.has_value()) {
    status.set_configuration_num(inquiry.configuration->num());
    *status.mutable_configuration() = Convert(*inquiry.configuration);
  }
  Answer(inquiry.id, reply);
}

void Gateway::FinishJoin(Inquiry& inquiry) {
  client::Invoke invoke{.id = {}, .operation = proto::Command(), .deadline = inquiry.patience_ends};
  auto& join = *std::get<proto::Command>(invoke.operation).mutable_join();
  join = std::move(*inquiry.request.mutable_join());
  for (proto::ShardGroup& group : *join.mutable_groups()) {
    const absl::Status may = MayJoin(inquiry.nodes, &group);
    if (!may.ok()) return Refuse(inquiry.id, may);
  }
  Invoke(RoutedCall{.id = inquiry.id, .came = inquiry.came}, std::move(invoke));
}

void Gateway::FinishTransfer(const Inquiry& inquiry) {
  const proto::TransferQuestion& question = inquiry.request.transfer();
  const NodeId leader = LeaderOf(inquiry.nodes, GroupId(question.group()));
  if (leader == NodeId()) {
    return Refuse(inquiry.id, absl::UnavailableError(absl::StrCat(
                                  "nobody who answers knows a leader of group ", question.group(),
                                  ": try again, or look at the status")));
  }
  proto::ClientRequest request;
  request.set_group(question.group());
  request.mutable_transfer_leadership()->set_to(question.to());
  const Bytes encoded = Encode(request);
  handing_over_[inquiry.id] = inquiry.patience_ends;
  if (leader == self_) return AskSelf(encoded, HandingOver{inquiry.id});
  AskNode(leader, encoded, HandingOver{inquiry.id});
}

// Once: an answer may come after the patience has ended.
void Gateway::FinishHandingOver(RequestId id, const proto::GatewayReply& reply) {
  if (handing_over_.erase(id) > 0) Answer(id, reply);
}

void Gateway::FireHandingsOver() {
  std::vector<RequestId> due;
  for (const auto& [id, patience_ends] : handing_over_) {
    if (patience_ends <= Now()) due.push_back(id);
  }
  for (const RequestId id : due) {
    proto::GatewayReply reply;
    reply.set_kind(proto::GatewayReply::UNKNOWN);
    reply.set_status(static_cast<uint32_t>(absl::StatusCode::kDeadlineExceeded));
    reply.set_message("the leader has not answered: ask for the status");
    FinishHandingOver(id, reply);
  }
}

}  // namespace lockstep::gateway
