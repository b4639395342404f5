#include "bin/lockstepd_times.h"

#include <chrono>

namespace lockstep::lockstepd {

raft::Config RaftTimesOf(const Options& options) {
  raft::Config raft;
  raft.heartbeat = std::chrono::milliseconds(options.heartbeat_ms);
  raft.election_min = std::chrono::milliseconds(options.election_timeout_ms);
  raft.election_max = std::chrono::milliseconds(2 * options.election_timeout_ms);
  raft.lease = options.lease_reads == "on";
  raft.clock_drift_max = static_cast<uint32_t>(options.clock_drift_max);
  return raft;
}

}  // namespace lockstep::lockstepd
