// What a replica has seen and done since the node began, for people and their monitoring. Nothing
// that it decides depends on these.
#ifndef LOCKSTEP_CORE_NODE_REPLICA_COUNTERS_H_
#define LOCKSTEP_CORE_NODE_REPLICA_COUNTERS_H_

#include <cstdint>
#include <utility>

#include "absl/container/btree_map.h"
#include "core/base/duration_histogram.h"
#include "core/base/types.h"
#include "core/proto/shard.pb.h"

namespace lockstep::node {

struct ReplicaCounters {
  NodeId leader;                    // the last one that was known
  uint64_t leader_changes = 0;      // another was known than before; the first counts too
  uint64_t proposals_failed = 0;    // refused for a limit, or accepted and lost with leadership
  uint64_t snapshots_sent = 0;      // read to their end
  uint64_t snapshots_aborted = 0;   // the one that was being read was gone: sent anew
  uint64_t snapshots_received = 0;  // in the table
  uint64_t snapshot_bytes_sent = 0;
  uint64_t snapshot_bytes_received = 0;
  // Of linearizable reads: from their coming until the table may be read for them. A round of
  // heartbeats, unless a lease saves it, and the wait for entries to be applied.
  DurationHistogram read_index;
  // Of shards that came from another group: from the configuration that gave them to this one until
  // they were served. Each replica tells when it came to know of either.
  DurationHistogram shard_moves;
  absl::btree_map<std::pair<uint32_t, uint64_t>, Instant> coming;  // by shard and since

  void Leads(NodeId who) {
    if (who == NodeId() || who == leader) return;
    leader = who;
    ++leader_changes;
  }
  // What an entry has changed.
  void Changed(Instant now, const proto::ShardStates& shards) {
    for (const proto::ShardTenure& tenure : shards.tenures()) {
      const std::pair<uint32_t, uint64_t> name(tenure.shard(), tenure.since());
      if (tenure.state() == proto::SHARD_PULLING) {
        coming.try_emplace(name, now);
        continue;
      }
      const auto came = coming.find(name);
      if (came == coming.end()) continue;
      const bool served =
          tenure.state() == proto::SHARD_SERVING || tenure.state() == proto::SHARD_SERVING_GC;
      if (served) shard_moves.Add(now - came->second);
      coming.erase(came);
    }
  }
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_REPLICA_COUNTERS_H_
