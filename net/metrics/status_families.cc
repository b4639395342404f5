#include "net/metrics/status_families.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "net/metrics/bounds.h"

namespace lockstep::net::metrics {
namespace {

using lockstep::v1::NodeCounters;
using lockstep::v1::NodeStatus;
using lockstep::v1::PeerLink;
using lockstep::v1::ReplicaStatus;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double kMsPerSecond = 1000;
constexpr double kUsPerSecond = 1'000'000;

// One metric of many of the same kind: how it is called, and how it is read.
template <class Part>
struct Reading {
  const char* name;
  MetricType type;
  const char* help;
  double (*value)(const Part&);
};

constexpr Reading<NodeStatus> kNode[] = {
    {"lockstep_uptime_seconds", MetricType::Gauge, "Since the node began.",
     [](const NodeStatus& n) { return static_cast<double>(n.uptime_ms()) / kMsPerSecond; }},
    {"lockstep_storage_bytes", MetricType::Gauge, "Of the data directory.",
     [](const NodeStatus& n) { return static_cast<double>(n.storage_bytes()); }},
    {"lockstep_disk_free_bytes", MetricType::Gauge, "Of its file system.",
     [](const NodeStatus& n) { return static_cast<double>(n.disk_free_bytes()); }},
    {"lockstep_disk_room", MetricType::Gauge,
     "0: ample; 1: no more data of clients; 2: nothing any more.",
     [](const NodeStatus& n) { return static_cast<double>(n.disk_room()); }},
};

constexpr Reading<NodeCounters> kCounters[] = {
    {"lockstep_peers_connected", MetricType::Gauge, "Other nodes with a connection.",
     [](const NodeCounters& c) { return static_cast<double>(c.peers_connected()); }},
    {"lockstep_messages_sent_total", MetricType::Counter, "Messages to other nodes.",
     [](const NodeCounters& c) { return static_cast<double>(c.messages_sent()); }},
    {"lockstep_messages_received_total", MetricType::Counter, "Messages from other nodes.",
     [](const NodeCounters& c) { return static_cast<double>(c.messages_received()); }},
    {"lockstep_messages_dropped_total", MetricType::Counter,
     "Messages that a full queue or a missing connection dropped.",
     [](const NodeCounters& c) { return static_cast<double>(c.messages_dropped()); }},
    {"lockstep_bytes_sent_total", MetricType::Counter, "Bytes to other nodes.",
     [](const NodeCounters& c) { return static_cast<double>(c.bytes_sent()); }},
    {"lockstep_bytes_received_total", MetricType::Counter, "Bytes from other nodes.",
     [](const NodeCounters& c) { return static_cast<double>(c.bytes_received()); }},
    {"lockstep_calls_total", MetricType::Counter,
     "Calls that the fronts made of the node's process; a request of a client is one or more.",
     [](const NodeCounters& c) { return static_cast<double>(c.requests()); }},
    {"lockstep_calls_failed_total", MetricType::Counter, "Those that failed.",
     [](const NodeCounters& c) { return static_cast<double>(c.requests_failed()); }},
    {"lockstep_loop_busy_seconds_max", MetricType::Gauge,
     "The longest that the protocol's thread was busy without a pause.",
     [](const NodeCounters& c) { return static_cast<double>(c.turn_us_max()) / kUsPerSecond; }},
};

constexpr Reading<ReplicaStatus> kReplica[] = {
    {"lockstep_is_leader", MetricType::Gauge, "1 where this replica leads its group.",
     [](const ReplicaStatus& r) { return r.role() == lockstep::v1::LEADER ? 1.0 : 0.0; }},
    {"lockstep_has_leader", MetricType::Gauge, "1 where a leader of the group is known.",
     [](const ReplicaStatus& r) { return r.leader() != 0 ? 1.0 : 0.0; }},
    {"lockstep_leader_changes_total", MetricType::Counter,
     "Another leader was known than before; the first counts too.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.counters().leader_changes()); }},
    {"lockstep_raft_term", MetricType::Gauge, "The replica's term.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.term()); }},
    {"lockstep_raft_members", MetricType::Gauge, "Members of the group, learners too.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.members_size()); }},
    {"lockstep_raft_last_index", MetricType::Gauge, "The last entry of the log.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.last()); }},
    {"lockstep_raft_log_entries", MetricType::Gauge, "Entries kept in the log.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.log_entries()); }},
    {"lockstep_raft_log_bytes", MetricType::Gauge, "Bytes of the log in memory.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.log_bytes()); }},
    {"lockstep_raft_quorum_contact_age_seconds", MetricType::Gauge,
     "Since a majority answered (leader), or the leader was heard (follower).",
     [](const ReplicaStatus& r) {
       return static_cast<double>(r.quorum_contact_age_ms()) / kMsPerSecond;
     }},
    {"lockstep_raft_repairing", MetricType::Gauge,
     "1 while the replica abstains, until it has again what damage took.",
     [](const ReplicaStatus& r) { return r.repairing() ? 1.0 : 0.0; }},
    {"lockstep_proposals_pending", MetricType::Gauge,
     "Accepted by this leader and not answered yet.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.proposals_pending()); }},
    {"lockstep_proposals_committed_total", MetricType::Counter,
     "Entries committed: the index of the last one.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.commit()); }},
    {"lockstep_proposals_applied_total", MetricType::Counter,
     "Entries applied: the index of the last one.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.applied()); }},
    {"lockstep_proposals_failed_total", MetricType::Counter,
     "Refused for a limit, or accepted and lost with leadership.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.counters().proposals_failed()); }},
    {"lockstep_snapshot_send_inflight", MetricType::Gauge,
     "Peers that a snapshot is being sent to.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.snapshots_under_way()); }},
    {"lockstep_snapshot_send_total", MetricType::Counter, "Snapshots sent.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.counters().snapshots_sent()); }},
    {"lockstep_snapshot_send_failures_total", MetricType::Counter,
     "Snapshots that had to be begun anew.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.counters().snapshots_aborted()); }},
    {"lockstep_snapshot_send_bytes_total", MetricType::Counter, "Bytes of snapshots sent.",
     [](const ReplicaStatus& r) {
       return static_cast<double>(r.counters().snapshot_bytes_sent());
     }},
    {"lockstep_snapshot_receive_total", MetricType::Counter, "Snapshots received.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.counters().snapshots_received()); }},
    {"lockstep_snapshot_receive_bytes_total", MetricType::Counter, "Bytes of snapshots received.",
     [](const ReplicaStatus& r) {
       return static_cast<double>(r.counters().snapshot_bytes_received());
     }},
    {"lockstep_keys", MetricType::Gauge, "Keys in the group's shards.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.keys()); }},
    {"lockstep_value_bytes", MetricType::Gauge, "Bytes of keys and values in the group's shards.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.value_bytes()); }},
    {"lockstep_sessions", MetricType::Gauge, "Sessions of clients in the group's shards.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.sessions()); }},
    {"lockstep_shard_config_num", MetricType::Gauge,
     "The configuration that the group has come to; 0: none, or the controller.",
     [](const ReplicaStatus& r) { return static_cast<double>(r.configuration_num()); }},
};

constexpr Reading<PeerLink> kLinks[] = {
    {"lockstep_peer_connected", MetricType::Gauge, "1 where there is a connection to this peer.",
     [](const PeerLink& p) { return p.connected() ? 1.0 : 0.0; }},
    {"lockstep_peer_round_trip_seconds", MetricType::Gauge,
     "To this peer and back, smoothed, as TCP measures it; 0: not measured.",
     [](const PeerLink& p) { return static_cast<double>(p.round_trip_us()) / kUsPerSecond; }},
    {"lockstep_peer_send_queue_bytes", MetricType::Gauge,
     "Bytes that wait to be sent to this peer.",
     [](const PeerLink& p) { return static_cast<double>(p.queued_bytes()); }},
};

MetricFamily Family(const std::string& name, MetricType type, const std::string& help) {
  MetricFamily family;
  family.name = name;
  family.type = type;
  family.help = help;
  return family;
}

void AddSample(Labels labels, double value, MetricFamily* family) {
  ClientMetric& sample = family->metric.emplace_back();
  sample.label = std::move(labels);
  if (family->type == MetricType::Counter) sample.counter.value = value;
  if (family->type == MetricType::Gauge) sample.gauge.value = value;
}

// For each reading a family, with a sample for each part.
template <class Part, size_t kSize, class Parts, class LabelsOf>
void Add(const Reading<Part> (&readings)[kSize], const Parts& parts, LabelsOf labels_of,
         std::vector<MetricFamily>* families) {
  for (const Reading<Part>& reading : readings) {
    MetricFamily& family = families->emplace_back(Family(reading.name, reading.type, reading.help));
    for (const Part& part : parts) AddSample(labels_of(part), reading.value(part), &family);
  }
}

Labels GroupLabel(const ReplicaStatus& replica) {
  return {{"group", absl::StrCat(replica.group())}};
}

// Cumulative, as Prometheus wants it.
void AddHistogram(Labels labels, const lockstep::v1::DurationHistogram& histogram,
                  MetricFamily* family) {
  ClientMetric& sample = family->metric.emplace_back();
  sample.label = std::move(labels);
  const std::vector<double> bounds = DurationBounds();
  uint64_t count = 0;
  for (int i = 0; i < histogram.counts_size(); ++i) {
    count += histogram.counts(i);
    const auto at = static_cast<size_t>(i);
    if (at < bounds.size()) {
      sample.histogram.bucket.push_back({.cumulative_count = count, .upper_bound = bounds[at]});
    }
  }
  sample.histogram.sample_count = count;
  sample.histogram.sample_sum = static_cast<double>(histogram.sum_us()) / kUsPerSecond;
}

MetricFamily ReadIndexDurations(const NodeStatus& node) {
  MetricFamily family = Family("lockstep_read_index_duration_seconds", MetricType::Histogram,
                               "Of linearizable reads: from their coming to a replica until its "
                               "table may be read for them.");
  for (const ReplicaStatus& replica : node.replicas()) {
    AddHistogram(GroupLabel(replica), replica.counters().read_index(), &family);
  }
  return family;
}

MetricFamily ShardMoves(const NodeStatus& node) {
  MetricFamily family = Family("lockstep_shard_move_duration_seconds", MetricType::Histogram,
                               "Of shards that came from another group: from the configuration "
                               "that gave them to this one until they were served.");
  for (const ReplicaStatus& replica : node.replicas()) {
    AddHistogram(GroupLabel(replica), replica.counters().shard_moves(), &family);
  }
  return family;
}

MetricFamily ShardStates(const NodeStatus& node) {
  MetricFamily family = Family("lockstep_shard_state", MetricType::Gauge,
                               "1 for each shard that the group has, by its state.");
  for (const ReplicaStatus& replica : node.replicas()) {
    for (const lockstep::v1::ShardStatus& shard : replica.shards()) {
      Labels labels = GroupLabel(replica);
      labels.push_back({"shard", absl::StrCat(shard.shard())});
      labels.push_back({"since", absl::StrCat(shard.since())});
      labels.push_back({"state", shard.state()});
      AddSample(std::move(labels), 1, &family);
    }
  }
  return family;
}

MetricFamily BuildInfo(const NodeStatus& node) {
  MetricFamily family = Family("lockstep_build_info", MetricType::Gauge,
                               "The node, its version and commit, as labels.");
  AddSample(
      {{"node", absl::StrCat(node.node())}, {"version", node.version()}, {"commit", node.commit()}},
      1, &family);
  return family;
}

}  // namespace

MetricFamily Gauge(const std::string& name, const std::string& help, double value) {
  MetricFamily family = Family(name, MetricType::Gauge, help);
  AddSample({}, value, &family);
  return family;
}

MetricFamily Counter(const std::string& name, const std::string& help, double value) {
  MetricFamily family = Family(name, MetricType::Counter, help);
  AddSample({}, value, &family);
  return family;
}

std::vector<MetricFamily> StatusFamilies(const NodeStatus& node) {
  const auto no_labels = [](const auto&) { return Labels(); };
  std::vector<MetricFamily> families;
  families.push_back(BuildInfo(node));
  Add(kNode, std::vector<NodeStatus>{node}, no_labels, &families);
  Add(kCounters, std::vector<NodeCounters>{node.counters()}, no_labels, &families);
  Add(kReplica, node.replicas(), GroupLabel, &families);
  families.push_back(ReadIndexDurations(node));
  families.push_back(ShardMoves(node));
  families.push_back(ShardStates(node));
  Add(
      kLinks, node.links(),
      [](const PeerLink& link) { return Labels{{"peer", absl::StrCat(link.node())}}; }, &families);
  return families;
}

}  // namespace lockstep::net::metrics
