// What the clients of a run are like. Drawn once per run (swarm testing: each run switches some
// kinds of operation off and lives at its own scale), printed in the climate.
#ifndef LOCKSTEP_SIM_WORKLOAD_WORKLOAD_OPTIONS_H_
#define LOCKSTEP_SIM_WORKLOAD_WORKLOAD_OPTIONS_H_

#include <cstdint>
#include <string>

#include "core/base/rng.h"
#include "core/base/types.h"

namespace lockstep::sim {

// How often each kind of operation is chosen, relative to the others; 0: never.
struct OperationMix {
  uint32_t get = 0;
  uint32_t put = 0;
  uint32_t append = 0;
  uint32_t remove = 0;
  uint32_t compare_and_swap = 0;
  uint32_t list = 0;
  // Of a pair of keys with one tag: both are written, or one is compared and both are written; and
  // both are read.
  uint32_t batch = 0;
  uint32_t get_many = 0;
  // Of keys of all shards at random: reads of several, writes of several without atomicity, and
  // batches that must be refused.
  uint32_t read_several = 0;
  uint32_t bulk = 0;
  uint32_t misplaced_batch = 0;
};

struct WorkloadOptions {
  uint32_t clients = 4;
  uint32_t readers = 0;    // so many of the clients only read: nothing makes them look for a leader
  uint32_t processes = 1;  // operations that one client has under way at most
  uint64_t operations = 1000;  // by all clients together, the final round not counted
  uint32_t keys = 5;
  uint32_t shards = 0;  // into which the keys fall, where there are shards
  uint32_t tags = 0;    // keys share so many {tags}; 0: they have none
  uint32_t pairs = 0;   // of keys that only batches write
  // A key is drawn as the smallest of this many uniform draws: 1 is uniform, more is skewed
  // towards the first keys.
  uint32_t skew = 1;
  OperationMix mix;
  uint64_t value_bytes_max = 16;  // padding of most values, log-uniform
  uint64_t large_bytes_max = 0;   // of the occasional large value; 0: none
  Ratio large;                    // how often a value is large
  bool unique_values = true;      // false: few distinct values, so that reads are ambiguous
  // A pause between two operations of a process, log-uniform; zero `think_max`: none.
  Duration think_max{0};
  // From issuing to giving up, log-uniform in [deadline_min, deadline_max].
  Duration deadline_min = std::chrono::milliseconds(500);
  Duration deadline_max = std::chrono::seconds(20);
  // Per operation: soon after it began, its client forgets everything and begins a new session.
  Ratio restart;
  // How the client library behaves (core/client/options.h).
  Duration attempt_timeout = std::chrono::milliseconds(500);
  Duration backoff_min = std::chrono::milliseconds(10);
  Duration backoff_max = std::chrono::seconds(1);
  uint32_t outstanding_max = 4;        // must not exceed the group's session_window_max
  uint32_t shard_sessions_max = 1024;  // of a client, where there are shards
  // So many of the clients, the last ones, are thin: they ask any node's gateway
  // (sim/workload/thin_caller.h). Some of these, the last ones again, have sessions of their own.
  uint32_t thin = 0;
  uint32_t thin_in_session = 0;
  Duration thin_patience = std::chrono::seconds(1);  // of a call, at least
  Duration thin_grace = std::chrono::seconds(1);
  Ratio stale;        // of thin clients' reads that take any state
  Ratio any_replica;  // of all other reads: linearizable, from a replica that need not lead

  bool IsThin(uint64_t client) const { return client + thin > clients; }  // from 1

  // Draws everything. `operations`: how many in all; 0: drawn.
  static WorkloadOptions Draw(Rng& rng, uint32_t operations);
};

// A few words for the climate: "4 clients x 1, 1200 operations on 5 keys, ...".
std::string Describe(const WorkloadOptions& options);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORKLOAD_WORKLOAD_OPTIONS_H_
