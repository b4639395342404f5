#include "sim/world/climate.h"

#include <algorithm>

#include "sim/world/weather.h"

namespace lockstep::sim {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

int64_t DrawMagnitude(Rng& rng, int64_t first, int64_t final) {
  return static_cast<int64_t>(
      rng.Magnitude(static_cast<uint64_t>(first), static_cast<uint64_t>(final)));
}

// Election time-outs must leave room for a round of messages and writes: anything shorter and no
// leader lives long enough to be useful.
void DrawTimes(Rng& rng, const WorldOptions& world, raft::Config& raft) {
  const int64_t round = 2 * (world.network.floor_max + 2 * world.network.jitter_mean) +
                        2 * (world.host.log_latency.floor + 2 * world.host.log_latency.mean) +
                        2 * world.host.turn_hold_max;
  const int64_t rounds = DrawMagnitude(rng, 6, 64);
  const int64_t election = std::max(10 * kMillisecond, round * rounds);
  raft.election_min = Duration(election);
  const int64_t spread = DrawMagnitude(rng, election / 16, election * 2);
  raft.election_max = Duration(election + spread);
  // Rare heartbeats leave a leader in office for longer than its followers wait for it.
  const int64_t twelfths = static_cast<int64_t>(rng.Between(1, 9));
  raft.heartbeat = Duration(election * twelfths / 12);
}

void DrawWindows(Rng& rng, raft::Config& raft) {
  raft.append_bytes_max = rng.Magnitude(64, uint64_t{1} << 20);
  raft.append_entries_max = rng.Magnitude(1, 1024);
  raft.inflight_messages_max = rng.Magnitude(1, 64);
  raft.inflight_bytes_max = rng.Magnitude(1024, uint64_t{8} << 20);
  const bool tight = rng.Chance({1, 4});
  const uint64_t uncommitted = rng.Magnitude(uint64_t{16} << 10, uint64_t{1} << 20);
  const uint64_t reads = rng.Magnitude(8, 1024);
  if (tight) raft.uncommitted_bytes_max = uncommitted;
  if (tight) raft.pending_reads_max = reads;
  raft.snapshot_chunk_bytes_max = rng.Magnitude(64, uint64_t{64} << 10);
  raft.snapshot_chunks_max = rng.Between(1, 8);
}

node::NodeOptions DrawNode(Rng rng, const WorldOptions& world, const WorkloadOptions& workload) {
  node::NodeOptions node;
  DrawTimes(rng, world, node.raft);
  DrawWindows(rng, node.raft);
  node.apply_entries_max = rng.Magnitude(1, 1024);
  node.apply_bytes_max = rng.Magnitude(256, uint64_t{8} << 20);
  const bool small_log = rng.Chance({3, 4});
  const uint64_t entries_max = rng.Magnitude(20, 500);
  if (small_log) node.log_entries_max = entries_max;
  node.log_entries_kept = rng.Below(std::min<uint64_t>(node.log_entries_max, 1000) / 2);
  const bool few_bytes = rng.Chance({1, 4});
  const uint64_t bytes_max = rng.Magnitude(uint64_t{4} << 10, uint64_t{1} << 20);
  if (few_bytes) node.log_bytes_max = bytes_max;
  // In most of these runs the memory for the log is as scarce as compaction permits: a checkpoint
  // is always due before the log is full, and a tail that cannot be compacted fills half of it at
  // most.
  const bool little_memory = rng.Chance({3, 4});
  const uint64_t times = rng.Between(2, 4);
  if (few_bytes && little_memory) {
    node.raft.log_bytes_max = times * node.log_bytes_max;
    node.raft.uncommitted_bytes_max = std::min(node.raft.uncommitted_bytes_max, node.log_bytes_max);
  }
  const bool few_requests = rng.Chance({1, 4});
  const uint64_t requests_max = rng.Magnitude(16, 1024);
  if (few_requests) node.requests_max = requests_max;
  // A few sessions more than there are clients: those that restarted clients left behind expire.
  const bool few_sessions = rng.Chance({1, 2});
  const uint64_t spare_sessions = rng.Magnitude(1, 64);
  if (few_sessions) {
    node.kv.sessions_max = static_cast<uint32_t>(workload.clients + spare_sessions);
  }
  const bool small_replies = rng.Chance({1, 4});
  const uint64_t value_bytes = rng.Magnitude(8, 1024);
  if (small_replies) node.kv.session_value_bytes_max = value_bytes;
  return node;
}

// In some runs there is no hard limit: then whatever adds no data must go on, whatever happens.
void DrawSpace(Rng rng, Climate& climate) {
  node::SpaceLimits& space = climate.node.space;
  space.soft_bytes = rng.Magnitude(uint64_t{32} << 10, uint64_t{4} << 20);
  const uint64_t part = rng.Between(2, 8);
  const bool hard = rng.Chance({2, 3});
  if (hard) space.hard_bytes = space.soft_bytes / part;
  climate.faults.space_bytes = space.soft_bytes;
}

storage::EngineOptions DrawEngine(Rng rng) {
  storage::EngineOptions engine;
  engine.directory = "/data";
  engine.wal_segment_bytes_max = rng.Magnitude(uint64_t{4} << 10, uint64_t{1} << 20);
  Rng reserve = rng.Split("reserve");
  if (reserve.Chance({1, 2}))
    engine.wal_reserve_bytes = reserve.Magnitude(512, uint64_t{256} << 10);
  engine.table_write_buffer_bytes = rng.Magnitude(uint64_t{64} << 10, uint64_t{512} << 10);
  Rng recent = rng.Split("recent values");
  const uint64_t recent_bytes = recent.Magnitude(256, uint64_t{64} << 10);
  if (recent.Chance({3, 4})) engine.table_recent_bytes = recent_bytes;
  return engine;
}

// In most runs the operations take about as long as the safety phase, so that faults find something
// to disturb; in the others they come as fast as the servers answer.
void SpreadOperations(Rng rng, Climate& climate) {
  WorkloadOptions& workload = climate.workload;
  const bool spread = rng.Chance({3, 4});
  const uint64_t part = rng.Between(1, 6);
  if (!spread) return;
  const int64_t rounds =
      static_cast<int64_t>(workload.operations / workload.clients / workload.processes) + 1;
  workload.think_max = climate.safety_time * static_cast<int64_t>(part) / rounds;
}

// In half of the runs clients are about as patient as the servers: only then do some of them find a
// new leader while others still believe the old one.
void PaceAttempts(Rng rng, Climate& climate) {
  const bool paced = rng.Chance({1, 2});
  const int64_t unit = climate.unit().count();
  const int64_t timeout = DrawMagnitude(rng, unit / 8, unit * 8);
  const int64_t pause = DrawMagnitude(rng, unit / 64, unit);
  if (!paced) return;
  climate.workload.attempt_timeout = Duration(timeout);
  climate.workload.backoff_min = Duration(unit / 64);
  climate.workload.backoff_max = Duration(pause);
}

// Clocks that are wrong, by so little that a leader's heartbeats still come before its followers
// give it up. In half of the runs reads rest on leases, with the true bound; in some of the others
// clocks leap, which no lease survives.
void DrawClocks(Rng rng, Climate& climate) {
  raft::Config& raft = climate.node.raft;
  ClockOptions& clock = climate.world.host.clock;
  clock.offset_max = DrawMagnitude(rng, kMillisecond, 1'000'000 * kMillisecond);
  const Duration room = raft.election_min - raft.heartbeat;
  const uint64_t drift_most =
      static_cast<uint64_t>(std::max<int64_t>(1, room.count() / (raft.election_min.count() / 250)));
  const uint64_t drift = rng.Magnitude(1, drift_most);
  const bool exact = rng.Chance({1, 8});
  const bool lease = rng.Chance({1, 2});
  const bool leaps = rng.Chance({1, 4});
  const int64_t leap_max = DrawMagnitude(rng, kMillisecond, 10'000 * kMillisecond);
  raft.lease = lease;
  raft.clock_drift_max = static_cast<uint32_t>(drift);
  // The clocks' own roundings need a little of the bound.
  if (!exact) clock.drift_max = static_cast<uint32_t>(drift * 1000 - 1);
  if (!lease && leaps) clock.leap_max = leap_max;
}

// In some runs members and leaders change all the time, and logs forget what they can: then changes
// are under way when snapshots are, and an entry that is a change is often the only one behind one.
void DrawRestlessness(Rng rng, Climate& climate) {
  const bool restless = rng.Chance({1, 6});
  const uint64_t entries_max = rng.Magnitude(2, 64);
  const uint64_t entries_kept = rng.Below(std::min<uint64_t>(entries_max, 4));
  const int64_t unit = climate.unit().count();
  const Duration gap_mean = rng.Between(Duration(unit / 8), Duration(2 * unit));
  const Duration retry = rng.Between(Duration(unit / 16), Duration(unit));
  const bool transfers = rng.Chance({1, 2});
  const Duration transfer_gap = rng.Between(Duration(unit / 2), Duration(4 * unit));
  if (!restless) return;
  climate.node.log_entries_max = entries_max;
  climate.node.log_entries_kept = entries_kept;
  climate.changes->gap_mean = gap_mean;
  climate.changes->retry = retry;
  if (transfers) climate.transfer_gap = transfer_gap;
}

}  // namespace

// Often most servers are members at first, so that the faults find a group worth of them.
void DrawChanges(Rng rng, Climate& climate) {
  GroupPlacement& group = climate.groups.front();
  const bool few = rng.Chance({1, 4});
  const uint64_t all = climate.world.servers;
  const uint64_t least = few ? 1 : (all + 1) / 2;
  const uint64_t members = rng.Between(least, all);
  while (group.spare.size() + members < all) {
    const uint64_t drawn = rng.Below(all);
    const NodeId server = group.members[drawn];
    if (std::find(group.spare.begin(), group.spare.end(), server) == group.spare.end()) {
      group.spare.push_back(server);
    }
  }
  std::sort(group.spare.begin(), group.spare.end());
  climate.changes.emplace();
  const int64_t unit = climate.unit().count();
  climate.changes->gap_mean = rng.Between(Duration(4 * unit), Duration(40 * unit));
  climate.changes->retry = Duration(unit);
  ++climate.world.clients;  // who does it
}

Climate DrawClimate(const RunOptions& options, const Rng& root) {
  const Rng streams = root.Split("climate");
  Rng rng = streams.Split("run");
  Climate climate;
  const uint64_t usual = options.profile == Profile::kShard ? 9 : 5;
  const uint64_t least = options.nodes_min == 0 ? 3 : options.nodes_min;
  const uint64_t most = options.nodes_max == 0 ? std::max(least, usual) : options.nodes_max;
  climate.world.servers = static_cast<uint16_t>(rng.Between(least, most));
  Rng workload = streams.Split("workload");
  climate.workload = WorkloadOptions::Draw(workload, options.operations);
  climate.world.clients = static_cast<uint16_t>(climate.workload.clients + 1);  // administrator
  climate.world.network = DrawNetwork(streams.Split("network"));
  climate.world.host = DrawHost(streams.Split("host"));
  climate.groups = {StoreOnAll(GroupId(1), climate.world.servers)};
  climate.node = DrawNode(streams.Split("node"), climate.world, climate.workload);
  DrawClocks(streams.Split("clock"), climate);
  climate.engine = DrawEngine(streams.Split("engine"));
  if (options.profile == Profile::kShard) DrawSharded(options, streams.Split("shards"), climate);
  if (options.profile == Profile::kRaft) DrawChanges(streams.Split("changes"), climate);
  if (options.schedule == Schedule::kPct) {
    climate.world.pct = DrawPct(streams.Split("pct"), climate.world.network, climate.unit());
  }
  const int64_t unit = climate.unit().count();
  FaultSet allowed = options.faults_allowed;
  if (!QuorumsOf(climate.groups).Differ()) allowed.erase(FaultKind::kGroupPartition);
  if (!climate.sharded.has_value()) allowed.erase(FaultKind::kHandoverStrike);
  Rng faults = streams.Split("faults");
  climate.faults = FaultOptions::Draw(faults, allowed, options.all_allowed_faults_on, unit);
  DrawSpace(streams.Split("space"), climate);
  const int64_t units = static_cast<int64_t>(rng.Between(100, 500));
  climate.safety_time = options.time.count() != 0 ? options.time : Duration(unit * units);
  SpreadOperations(streams.Split("spread"), climate);
  PaceAttempts(streams.Split("attempts"), climate);
  climate.digest_every = static_cast<uint32_t>(rng.Magnitude(32, 512));
  const bool transfers = rng.Chance({1, 2});
  const Duration transfer_gap = rng.Between(Duration(5 * unit), Duration(50 * unit));
  if (transfers) climate.transfer_gap = transfer_gap;
  if (climate.changes.has_value()) DrawRestlessness(streams.Split("restlessness"), climate);
  const bool minority_abandoned = rng.Chance({1, 2});
  climate.minority_abandoned = minority_abandoned && !options.faults_allowed.empty();
  return climate;
}

}  // namespace lockstep::sim
