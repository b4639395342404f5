// How this node is: whether it can serve, and its numbers. Both answers are bare objects, without
// the wrapper of the others.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "net/http/calls.h"
#include "net/http/cluster_view.h"
#include "net/http/handlers.h"
#include "net/http/health_checks.h"

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

bool IsWell(const std::vector<HealthCheck>& checks, absl::string_view name) {
  return std::all_of(checks.begin(), checks.end(), [&](const HealthCheck& check) {
    return check.name != name || check.problems.empty();
  });
}

Response HealthJson(const NodeStatus* node, const std::vector<HealthCheck>& checks) {
  const bool healthy = AllWell(checks);
  Json problems = Json::array();
  for (const HealthCheck& check : checks) {
    for (const std::string& problem : check.problems) problems.push_back(problem);
  }
  Json answer = {{"status", healthy ? "healthy" : "unhealthy"}};
  if (node != nullptr) {
    answer["node_id"] = node->node();
    answer["uptime"] = node->uptime_ms() / kMsPerSecond;
    answer["raft_state"] = StateName(SpeakerOf(*node, std::nullopt));
    answer["storage_healthy"] = IsWell(checks, "storage");
    answer["network_healthy"] = IsWell(checks, "groups") && IsWell(checks, "peers");
  }
  answer["problems"] = std::move(problems);
  return Plain(healthy ? 200 : 503, answer);
}

// What a probe asked for: ?exclude=NAME,... and ?verbose. Without them `brief` answers.
template <class Brief>
Response AnswerProbe(const Request& request, absl::string_view what,
                     std::vector<HealthCheck> checks, Brief brief) {
  const std::string* exclude = request.target.Find("exclude");
  if (exclude != nullptr) {
    const absl::Status status = Exclude(*exclude, &checks);
    if (!status.ok()) return ToResponse(FailureOf(status));
  }
  if (request.target.Find("verbose") == nullptr) return brief(checks);
  Response response;
  response.status = AllWell(checks) ? 200 : 503;
  response.content_type = "text/plain; charset=utf-8";
  response.body = VerboseText(what, checks);
  return response;
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
                       const ApiSnapshot& api, const NodeMetrics& metrics) {
  if (node == nullptr) {
    return ToResponse(Failure{.code = "UNAVAILABLE", .message = "the node does not say how it is"});
  }
  if (WantsPrometheus(request)) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics.Text(
        *node, {.connections = api.connections, .outstanding_bytes = api.outstanding_bytes});
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
  return NodeStatusCall(StatusDetail::kReplicas, context.options,
                        [&options = context.options, leaving = context.leaving](
                            const Request& request, const NodeStatus* node) {
                          return AnswerProbe(request, "readyz", ReadyChecks(node, options, leaving),
                                             [&](const std::vector<HealthCheck>& checks) {
                                               return HealthJson(node, checks);
                                             });
                        });
}

HandlerPtr MakeAlive(const HandlerContext& context) {
  return NodeStatusCall(
      StatusDetail::kReplicas, context.options, [](const Request& request, const NodeStatus* node) {
        return AnswerProbe(
            request, "livez", LiveChecks(node), [](const std::vector<HealthCheck>& checks) {
              const bool alive = AllWell(checks);
              return Plain(alive ? 200 : 503, {{"status", alive ? "alive" : "silent"}});
            });
      });
}

HandlerPtr MakeMetrics(const HandlerContext& context) {
  return NodeStatusCall(StatusDetail::kShards, context.options,
                        [&options = context.options, &metrics = context.metrics, api = context.api](
                            const Request& request, const NodeStatus* node) {
                          return AnswerMetrics(request, node, options, api, metrics);
                        });
}

}  // namespace lockstep::net::http
