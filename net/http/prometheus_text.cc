#include "net/http/prometheus_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

constexpr double kMsPerSecond = 1000;
constexpr double kUsPerSecond = 1'000'000;

class Text {
 public:
  // Opens a metric: its samples follow.
  void Metric(absl::string_view name, absl::string_view type, absl::string_view help) {
    name_ = std::string(name);
    absl::StrAppend(&text_, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
  }
  template <class Number>
  void Sample(const std::string& labels, Number number) {
    absl::StrAppend(&text_, name_, labels, " ", number, "\n");
  }
  template <class Number>
  void Single(absl::string_view name, absl::string_view type, absl::string_view help,
              Number number) {
    Metric(name, type, help);
    Sample("", number);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};

struct ReplicaMetric {
  absl::string_view name;
  absl::string_view help;
  double (*value)(const ReplicaStatus&);
};
constexpr ReplicaMetric kReplicaMetrics[] = {
    {"lockstep_raft_is_leader", "1 where this replica leads its group.",
     [](const ReplicaStatus& r) { return r.role() == lockstep::v1::LEADER ? 1.0 : 0.0; }},
    {"lockstep_raft_has_leader", "1 where a leader of the group is known.",
     [](const ReplicaStatus& r) { return r.leader() != 0 ? 1.0 : 0.0; }},
    {"lockstep_raft_term", "The replica's term.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.term()); }},
    {"lockstep_raft_last_index", "The last entry of its log.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.last()); }},
    {"lockstep_raft_commit_index", "The last entry that is committed.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.commit()); }},
    {"lockstep_raft_applied_index", "The last entry that is applied.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.applied()); }},
    {"lockstep_raft_log_entries", "Entries kept in its log.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.log_entries()); }},
    {"lockstep_raft_log_bytes", "Bytes of the log in memory.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.log_bytes()); }},
    {"lockstep_raft_quorum_contact_age_seconds",
     "Since a majority answered (leader), or the leader was heard (follower).",
     [](const ReplicaStatus& r) {
       return static_cast<double>(r.quorum_contact_age_ms()) / kMsPerSecond;
     }},
    {"lockstep_keys", "Keys in the replica's table.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.keys()); }},
    {"lockstep_value_bytes", "Bytes of keys and values in the replica's table.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.value_bytes()); }},
};

// Exact for integers up to 2^53; StrCat of a double would round to six digits.
std::string Exact(double number) {
  const auto whole = static_cast<int64_t>(number);
  return static_cast<double>(whole) == number ? absl::StrCat(whole) : absl::StrCat(number);
}

void AddReplicas(const NodeStatus& node, Text* text) {
  for (const ReplicaMetric& metric : kReplicaMetrics) {
    text->Metric(metric.name, "gauge", metric.help);
    for (const ReplicaStatus& replica : node.replicas()) {
      text->Sample(absl::StrCat("{group=\"", replica.group(), "\"}"), Exact(metric.value(replica)));
    }
  }
}

void AddNode(const NodeStatus& node, Text* text) {
  const std::string version =
      absl::StrReplaceAll(node.version(), {{"\\", ""}, {"\"", ""}, {"\n", ""}});
  text->Metric("lockstep_build_info", "gauge", "The node and its version, as labels.");
  text->Sample(absl::StrCat("{node=\"", node.node(), "\",version=\"", version, "\"}"), 1);
  text->Single("lockstep_uptime_seconds", "gauge", "Since the process began.",
               Exact(static_cast<double>(node.uptime_ms()) / kMsPerSecond));
  text->Single("lockstep_storage_bytes", "gauge", "Of the data directory.", node.storage_bytes());
  text->Single("lockstep_disk_free_bytes", "gauge", "Of its file system.", node.disk_free_bytes());
  text->Single("lockstep_disk_room", "gauge", "0: ample; 1: no more data; 2: nothing any more.",
               static_cast<uint64_t>(node.disk_room()));
}

void AddCounters(const lockstep::v1::NodeCounters& counters, Text* text) {
  text->Single("lockstep_peers_connected", "gauge", "Other nodes with a connection.",
               counters.peers_connected());
  text->Single("lockstep_messages_sent_total", "counter", "Messages to other nodes.",
               counters.messages_sent());
  text->Single("lockstep_messages_received_total", "counter", "Messages from other nodes.",
               counters.messages_received());
  text->Single("lockstep_messages_dropped_total", "counter",
               "Messages that a full queue or a missing connection dropped.",
               counters.messages_dropped());
  text->Single("lockstep_bytes_sent_total", "counter", "Bytes to other nodes.",
               counters.bytes_sent());
  text->Single("lockstep_bytes_received_total", "counter", "Bytes from other nodes.",
               counters.bytes_received());
  text->Single("lockstep_log_syncs_total", "counter", "Syncs of the write-ahead log.",
               counters.log_syncs());
  text->Single("lockstep_requests_total", "counter", "Calls of clients, by any protocol.",
               counters.requests());
  text->Single("lockstep_requests_failed_total", "counter", "Those that failed.",
               counters.requests_failed());
  text->Single("lockstep_request_seconds_total", "counter", "Time that they took, in sum.",
               Exact(static_cast<double>(counters.request_time_us()) / kUsPerSecond));
}

void AddApi(const ApiSnapshot& api, Text* text) {
  text->Metric("lockstep_http_requests_total", "counter", "HTTP requests that were answered.");
  text->Sample("{result=\"ok\"}", api.successful);
  text->Sample("{result=\"failed\"}", api.failed);
  text->Single("lockstep_http_request_seconds_total", "counter", "Time that they took, in sum.",
               Exact(static_cast<double>(api.response_us) / kUsPerSecond));
  text->Single("lockstep_http_connections", "gauge", "Open HTTP connections.", api.connections);
  text->Single("lockstep_http_outstanding_bytes", "gauge", "Of bodies and answers under way.",
               api.outstanding_bytes);
}

}  // namespace

std::string PrometheusText(const NodeStatus& node, const ApiSnapshot& api) {
  Text text;
  AddNode(node, &text);
  AddReplicas(node, &text);
  AddCounters(node.counters(), &text);
  AddApi(api, &text);
  return text.Take();
}

}  // namespace lockstep::net::http
