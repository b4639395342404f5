#include "absl/strings/str_cat.h"
#include "sim/world/climate.h"
#include "sim/world/weather.h"

namespace lockstep::sim {
namespace {

std::string Microseconds(int64_t nanoseconds) { return absl::StrCat(nanoseconds / 1000, " us"); }

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

absl::string_view NameOf(node::GroupRole role) {
  switch (role) {
    case node::GroupRole::kStore:
      return "a store";
    case node::GroupRole::kController:
      return "the controller";
    case node::GroupRole::kShards:
      return "shards";
  }
  return "?";
}

std::string DescribeClocks(const Climate& climate) {
  const ClockOptions& clock = climate.world.host.clock;
  const raft::Config& raft = climate.node.raft;
  return absl::StrCat("clocks: ahead by up to ", Microseconds(clock.offset_max), ", off by up to ",
                      clock.drift_max, " millionths, leaps up to ", Microseconds(clock.leap_max),
                      raft.lease ? absl::StrCat("; leases, for clocks off by up to ",
                                                raft.clock_drift_max, " thousandths")
                                 : "; no leases");
}

// Nothing where there is but one.
std::string DescribeGroups(const Climate& climate) {
  std::string text;
  if (climate.groups.size() < 2) return text;
  for (const GroupPlacement& group : climate.groups) {
    absl::StrAppend(&text, "group ", group.group.value(), ": ", NameOf(group.role), " on servers");
    const raft::Membership beginning = group.Beginning();
    for (const NodeId member : beginning.voters()) absl::StrAppend(&text, " ", member.value());
    absl::StrAppend(&text, group.spare.empty() ? "\n" : ", perhaps later");
    if (group.spare.empty()) continue;
    for (const NodeId spare : group.spare) absl::StrAppend(&text, " ", spare.value());
    absl::StrAppend(&text, "\n");
  }
  return text;
}

std::string DescribeChanges(const Climate& climate) {
  if (!climate.changes.has_value()) return "";
  std::string text =
      absl::StrCat("\nmembers changed every ", Microseconds(climate.changes->gap_mean.count()));
  if (climate.groups.size() > 1) return text;
  absl::StrAppend(&text, ", spare at first:");
  for (const NodeId server : climate.groups.front().spare) {
    absl::StrAppend(&text, " ", server.value());
  }
  return climate.groups.front().spare.empty() ? absl::StrCat(text, " nobody") : text;
}

}  // namespace

std::string Describe(const Climate& climate) {
  return absl::StrCat(
      climate.world.servers, " servers, ", climate.world.clients,
      " clients (one administers), safety phase at most ",
      Microseconds(climate.safety_time.count()), ", then ",
      climate.minority_abandoned ? "a majority" : "everybody", " recovers\n",
      DescribeGroups(climate), Describe(climate.world), "\n", DescribeClocks(climate), "\n",
      DescribeNode(climate.node), "\nstorage: segments of ", climate.engine.wal_segment_bytes_max,
      " B with ", climate.engine.wal_reserve_bytes, " ahead, write buffer ",
      climate.engine.table_write_buffer_bytes, " B, digest of one in ", climate.digest_every,
      " applies; space low below ", climate.node.space.soft_bytes, " B, none below ",
      climate.node.space.hard_bytes, " B\nleadership ",
      climate.transfer_gap == Duration(0)
          ? "stays where elections put it"
          : absl::StrCat("moved every ", Microseconds(climate.transfer_gap.count())),
      DescribeChanges(climate), "\nworkload: ", Describe(climate.workload), "\n",
      Describe(climate.faults));
}

}  // namespace lockstep::sim
