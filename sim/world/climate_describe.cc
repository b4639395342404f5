#include "absl/strings/str_cat.h"
#include "sim/world/climate.h"

namespace lockstep::sim {
namespace {

std::string Microseconds(int64_t nanoseconds) { return absl::StrCat(nanoseconds / 1000, " us"); }

std::string Describe(const Latency& latency) {
  std::string text = absl::StrCat(Microseconds(latency.floor), " + ~", Microseconds(latency.mean));
  if (latency.tail.numerator != 0) {
    absl::StrAppend(&text, " (1/", latency.tail.denominator, " up to x",
                    uint64_t{1} << latency.tail_doublings, ")");
  }
  return text;
}

std::string Describe(const CrashOptions& crash) {
  return absl::StrCat("files keep ", crash.files.keep, " drop ", crash.files.drop, " prefix ",
                      crash.files.prefix, " pages ", crash.files.pages, " sectors ",
                      crash.files.sectors, "; names keep ", crash.names.keep, " drop ",
                      crash.names.drop, " prefix ", crash.names.prefix, " independent ",
                      crash.names.independent);
}

std::string DescribeNode(const node::NodeOptions& node) {
  const raft::Config& raft = node.raft;
  return absl::StrCat(
      "raft: election ", Microseconds(raft.election_min.count()), "..",
      Microseconds(raft.election_max.count()), ", heartbeat ", Microseconds(raft.heartbeat.count()),
      ", append ", raft.append_entries_max, " entries ", raft.append_bytes_max, " B, in flight ",
      raft.inflight_messages_max, " messages ", raft.inflight_bytes_max, " B\nlimits: uncommitted ",
      raft.uncommitted_bytes_max, " B, reads ", raft.pending_reads_max, ", requests ",
      node.requests_max, ", apply ", node.apply_entries_max, " entries ", node.apply_bytes_max,
      " B, sessions ", node.kv.sessions_max, " with values of ", node.kv.session_value_bytes_max,
      " B\nlog: compacted at ", node.log_entries_max, " entries or ", node.log_bytes_max,
      " B, keeps ", node.log_entries_kept, "; snapshot chunks of ", raft.snapshot_chunk_bytes_max,
      " B, ", raft.snapshot_chunks_max, " in flight");
}

}  // namespace

std::string Describe(const Climate& climate) {
  const NetworkOptions& network = climate.world.network;
  const HostOptions& host = climate.world.host;
  const Latency jitter{.floor = network.floor_max,
                       .mean = network.jitter_mean,
                       .tail = network.tail,
                       .tail_doublings = network.tail_doublings};
  return absl::StrCat(
      climate.world.servers, " servers, ", climate.world.clients,
      " clients (one administers), safety phase at most ",
      Microseconds(climate.safety_time.count()), ", then ",
      climate.minority_abandoned ? "a majority" : "everybody",
      " recovers\nnetwork: ", Microseconds(network.floor_min), "..", Describe(jitter),
      "\ndisk: log ", Describe(host.log_latency), ", table ", Describe(host.table_latency),
      "\ncrash: ", Describe(host.crash), "\nturns: up to ", host.turn_events_max,
      " events, held up to ", Microseconds(host.turn_hold_max), "\n", DescribeNode(climate.node),
      "\nstorage: segments of ", climate.engine.wal_segment_bytes_max, " B, write buffer ",
      climate.engine.table_write_buffer_bytes, " B, digest of one in ", climate.digest_every,
      " applies\nleadership ",
      climate.transfer_gap == Duration(0)
          ? "stays where elections put it"
          : absl::StrCat("moved every ", Microseconds(climate.transfer_gap.count())),
      "\nworkload: ", Describe(climate.workload), "\n", Describe(climate.faults));
}

}  // namespace lockstep::sim
