// How this node is: whether it can serve, and its numbers. Both answers are bare objects, without
// the wrapper of the others.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/http/calls.h"
#include "net/http/cluster_view.h"
#include "net/http/handlers.h"
#include "net/http/prometheus_text.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

constexpr uint64_t kMsPerSecond = 1000;
constexpr double kUsPerMs = 1000;

Response Plain(int status, const Json& object) {
  Response response;
  response.status = status;
  response.body = Dump(object);
  return response;
}

// What is wrong with a replica's contact to its group, in words; empty: nothing.
std::string TroubleOf(const ReplicaStatus& replica, uint64_t age_ms_max) {
  if (replica.leader() == 0) return absl::StrCat("group ", replica.group(), " has no leader");
  if (replica.members_size() > 1 && replica.quorum_contact_age_ms() > age_ms_max) {
    return absl::StrCat("group ", replica.group(), ": no contact for ",
                        replica.quorum_contact_age_ms(), " ms");
  }
  return "";
}

Response AnswerHealth(const NodeStatus* node, const HttpOptions& options, bool leaving) {
  if (node == nullptr) {
    return Plain(503, {{"status", "unhealthy"}, {"problems", {"the node does not say how it is"}}});
  }
  Json problems = Json::array();
  const bool storage = node->disk_free_bytes() >= options.disk_free_bytes_min;
  if (!storage)
    problems.push_back(absl::StrCat(node->disk_free_bytes(), " bytes are free on disk"));
  bool network = true;
  for (const ReplicaStatus& replica : node->replicas()) {
    const std::string trouble = TroubleOf(replica, options.quorum_contact_age_ms_max);
    if (trouble.empty()) continue;
    network = false;
    problems.push_back(trouble);
  }
  // A node without replicas serves by asking others.
  if (node->replicas().empty() && node->counters().peers_connected() == 0) {
    network = false;
    problems.push_back("no replica here, and no other node is connected");
  }
  if (leaving) problems.push_back("the node is leaving: ask another one");
  const bool healthy = storage && network && !leaving;
  return Plain(healthy ? 200 : 503, {{"status", healthy ? "healthy" : "unhealthy"},
                                     {"node_id", node->node()},
                                     {"uptime", node->uptime_ms() / kMsPerSecond},
                                     {"raft_state", StateName(SpeakerOf(*node, std::nullopt))},
                                     {"storage_healthy", storage},
                                     {"network_healthy", network},
                                     {"problems", std::move(problems)}});
}

Json RaftMetrics(const NodeStatus& node, const HttpOptions& options) {
  const ReplicaStatus* replica = SpeakerOf(node, std::nullopt);
  const ReplicaStatus& shown = replica == nullptr ? ReplicaStatus::default_instance() : *replica;
  return {{"current_term", shown.term()},
          {"state", StateName(replica)},
          {"leader", NodeOrNull(shown.leader())},
          {"last_log_index", shown.last()},
          {"commit_index", shown.commit()},
          {"applied_index", shown.applied()},
          {"election_timeout_ms", options.election_timeout_ms},
          {"heartbeat_interval_ms", options.heartbeat_ms},
          {"group", replica == nullptr ? Json(nullptr) : Json(shown.group())},
          {"groups", node.replicas_size()}};
}

// Of all replicas together. A replica has one snapshot, its checkpoint, once its log has lost its
// beginning.
Json StorageMetrics(const NodeStatus& node) {
  uint64_t keys = 0;
  uint64_t value_bytes = 0;
  uint64_t entries = 0;
  uint64_t snapshots = 0;
  uint64_t last_snapshot = 0;
  for (const ReplicaStatus& replica : node.replicas()) {
    keys += replica.keys();
    value_bytes += replica.value_bytes();
    entries += replica.log_entries();
    if (replica.log_base() > 0) ++snapshots;
    last_snapshot = std::max(last_snapshot, replica.log_base());
  }
  return {{"total_keys", keys},
          {"total_size_bytes", node.storage_bytes()},
          {"log_entries", entries},
          {"snapshots", snapshots},
          {"last_snapshot_index", last_snapshot},
          {"value_bytes", value_bytes},
          {"disk_free_bytes", node.disk_free_bytes()},
          {"log_syncs", node.counters().log_syncs()}};
}

double MeanMs(uint64_t sum_us, uint64_t count) {
  return count == 0 ? 0 : static_cast<double>(sum_us) / static_cast<double>(count) / kUsPerMs;
}

Json NetworkMetrics(const NodeStatus& node) {
  const lockstep::v1::NodeCounters& counters = node.counters();
  return {{"connected_peers", counters.peers_connected()},
          {"total_requests_sent", counters.messages_sent()},
          {"total_requests_received", counters.messages_received()},
          {"failed_requests", counters.messages_dropped()},
          {"avg_latency_ms", MeanMs(counters.request_time_us(), counters.requests())},
          {"bytes_sent", counters.bytes_sent()},
          {"bytes_received", counters.bytes_received()}};
}

Json ApiMetrics(const ApiSnapshot& api) {
  return {{"total_requests", api.requests},
          {"successful_requests", api.successful},
          {"failed_requests", api.failed},
          {"avg_response_time_ms", MeanMs(api.response_us, api.successful + api.failed)},
          {"requests_per_second", api.requests_per_second},
          {"connections", api.connections},
          {"outstanding_bytes", api.outstanding_bytes}};
}

// What Prometheus asks for in its Accept, or a person with ?format=prometheus.
bool WantsPrometheus(const Request& request) {
  const std::string* format = request.target.Find("format");
  if (format != nullptr) return *format == "prometheus";
  const absl::string_view accept = request.Field("Accept");
  return WeightOf(accept, "text/plain") > WeightOf(accept, "application/json");
}

Response AnswerMetrics(const Request& request, const NodeStatus* node, const HttpOptions& options,
                       const ApiSnapshot& api) {
  if (node == nullptr) {
    return ToResponse(Failure{.code = "UNAVAILABLE", .message = "the node does not say how it is"});
  }
  if (WantsPrometheus(request)) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = PrometheusText(*node, api);
    return response;
  }
  return Plain(200, {{"node_id", node->node()},
                     {"raft_metrics", RaftMetrics(*node, options)},
                     {"storage_metrics", StorageMetrics(*node)},
                     {"network_metrics", NetworkMetrics(*node)},
                     {"api_metrics", ApiMetrics(api)}});
}

}  // namespace

HandlerPtr MakeHealth(const HandlerContext& context) {
  return NodeStatusCall(
      StatusDetail::kReplicas,
      [&options = context.options, leaving = context.leaving](
          const Request&, const NodeStatus* node) { return AnswerHealth(node, options, leaving); });
}

// Whether its loop turns: a node that cannot serve for now must not be restarted for it.
HandlerPtr MakeAlive(const HandlerContext&) {
  return NodeStatusCall(StatusDetail::kReplicas, [](const Request&, const NodeStatus* node) {
    const bool alive = node != nullptr;
    return Plain(alive ? 200 : 503, {{"status", alive ? "alive" : "silent"}});
  });
}

HandlerPtr MakeMetrics(const HandlerContext& context) {
  return NodeStatusCall(StatusDetail::kShards, [&options = context.options, api = context.api](
                                                   const Request& request, const NodeStatus* node) {
    return AnswerMetrics(request, node, options, api);
  });
}

}  // namespace lockstep::net::http
