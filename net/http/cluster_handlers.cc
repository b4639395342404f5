// How the cluster is: nodes, replicas, configurations, shards.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "net/http/calls.h"
#include "net/http/cluster_view.h"
#include "net/http/handlers.h"
#include "net/http/proto_json.h"
#include "net/http/request_fields.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;
using lockstep::v1::ShardStatus;
using lockstep::v1::StatusResponse;

absl::StatusOr<proto::GatewayRequest> AskStatus(Request& request) {
  absl::StatusOr<bool> shards = request.target.Flag("shards");
  if (!shards.ok()) return shards.status();
  absl::StatusOr<uint64_t> group = request.target.Number("group", 0, UINT64_MAX);
  if (!group.ok()) return group.status();
  proto::GatewayRequest question;
  question.mutable_cluster_status()->set_shards(*shards);
  return question;
}

absl::StatusOr<proto::GatewayRequest> AskShards(Request&) {
  proto::GatewayRequest question;
  question.mutable_cluster_status()->set_shards(true);
  return question;
}

// The members that a client of a single Raft group knows, of this node's replica.
Json SingleGroupView(const StatusResponse& status, std::optional<uint64_t> group) {
  const ReplicaStatus* replica = nullptr;
  for (const NodeStatus& node : status.nodes()) {
    if (node.node() == status.answered_by()) replica = SpeakerOf(node, group);
  }
  const ReplicaStatus& shown = replica == nullptr ? ReplicaStatus::default_instance() : *replica;
  Json peers = Json::array();
  for (const uint64_t member : shown.members()) {
    if (member != status.answered_by()) peers.push_back(member);
  }
  return {{"node_id", status.answered_by()},
          {"group", replica == nullptr ? Json(nullptr) : Json(shown.group())},
          {"state", StateName(replica)},
          {"term", shown.term()},
          {"leader", NodeOrNull(shown.leader())},
          {"peers", std::move(peers)},
          {"last_log_index", shown.last()},
          {"commit_index", shown.commit()},
          {"applied_index", shown.applied()}};
}

Response AnswerStatus(const Request& request, proto::GatewayReply reply) {
  std::optional<uint64_t> group;
  if (request.target.Find("group") != nullptr) {
    group = request.target.Number("group", 0, UINT64_MAX).value_or(0);
  }
  Json data = SingleGroupView(reply.cluster_status(), group);
  data.update(ToJson(reply.cluster_status()));
  return Success(data);
}

Response AnswerNodes(const Request&, proto::GatewayReply reply) {
  Json nodes = Json::array();
  for (const NodeStatus& node : reply.cluster_status().nodes()) {
    Json each = {{"node_id", node.node()},
                 {"address", node.peer_address()},
                 {"grpc_address", node.grpc_address()},
                 {"http_address", node.http_address()},
                 {"online", node.online()},
                 {"state", node.online() ? StateName(SpeakerOf(node, std::nullopt)) : "offline"},
                 {"version", node.version()},
                 {"uptime_ms", node.uptime_ms()}};
    if (!node.online()) each["error"] = node.error();
    nodes.push_back(std::move(each));
  }
  return Success({{"nodes", std::move(nodes)}});
}

// The replica that knows most of a shard: its leader's, or any that has it.
struct ShardSeen {
  const ReplicaStatus* replica = nullptr;
  const ShardStatus* shard = nullptr;
};
ShardSeen FindShard(const StatusResponse& status, uint64_t owner, uint32_t number) {
  ShardSeen seen;
  for (const NodeStatus& node : status.nodes()) {
    const ReplicaStatus* replica = SpeakerOf(node, owner);
    if (replica == nullptr) continue;
    if (seen.replica != nullptr && replica->role() != lockstep::v1::LEADER) continue;
    const auto found =
        std::find_if(replica->shards().begin(), replica->shards().end(),
                     [&](const ShardStatus& shard) { return shard.shard() == number; });
    if (found != replica->shards().end()) seen = {replica, &*found};
  }
  return seen;
}

Response AnswerShards(const Request&, proto::GatewayReply reply) {
  const StatusResponse& status = reply.cluster_status();
  const lockstep::v1::Configuration& configuration = status.configuration();
  Json shards = Json::array();
  for (int i = 0; i < configuration.owners_size(); ++i) {
    const auto number = static_cast<uint32_t>(i);
    const uint64_t owner = configuration.owners(i);
    const ShardSeen seen = owner == 0 ? ShardSeen{} : FindShard(status, owner, number);
    const auto& pinned = configuration.pinned();
    Json each = {{"shard", number},
                 {"gid", owner == 0 ? Json(nullptr) : Json(owner)},
                 {"pinned", std::find(pinned.begin(), pinned.end(), number) != pinned.end()}};
    each["state"] = seen.shard == nullptr ? Json(nullptr) : Json(seen.shard->state());
    each["keys"] = seen.shard == nullptr ? Json(nullptr) : Json(seen.shard->keys());
    each["bytes"] = seen.shard == nullptr ? Json(nullptr) : Json(seen.shard->bytes());
    each["leader"] = NodeOrNull(seen.replica == nullptr ? 0 : seen.replica->leader());
    shards.push_back(std::move(each));
  }
  return Success({{"configuration", status.configuration_num()}, {"shards", std::move(shards)}});
}

absl::StatusOr<proto::GatewayRequest> AskConfiguration(Request& request) {
  uint64_t num = 0;
  if (!request.arguments.empty()) {
    absl::StatusOr<uint64_t> number =
        NumberArgument(request, "the configuration's number in the path");
    if (!number.ok()) return number.status();
    num = *number;
  }
  proto::GatewayRequest question;
  question.mutable_query()->mutable_get_configuration()->set_num(num);
  return question;
}

Response AnswerConfiguration(const Request&, proto::GatewayReply reply) {
  return Success(ConfigurationJson(reply.result().configuration()));
}

}  // namespace

HandlerPtr MakeClusterStatus(const HandlerContext&) {
  return GatewayCall(CallKind::kRead, AskStatus, AnswerStatus);
}
HandlerPtr MakeNodes(const HandlerContext&) {
  return GatewayCall(CallKind::kRead, AskStatus, AnswerNodes);
}
HandlerPtr MakeShards(const HandlerContext&) {
  return GatewayCall(CallKind::kRead, AskShards, AnswerShards);
}
HandlerPtr MakeConfiguration(const HandlerContext&) {
  return GatewayCall(CallKind::kRead, AskConfiguration, AnswerConfiguration);
}

}  // namespace lockstep::net::http
