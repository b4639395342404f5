// The limits of a script's replicas: small ones, so that a script can reach them.
#ifndef LOCKSTEP_FUZZ_MODELS_RAFT_SETTINGS_H_
#define LOCKSTEP_FUZZ_MODELS_RAFT_SETTINGS_H_

#include <cstdint>

#include "core/raft/io.h"
#include "fuzz/proto/raft_script.pb.h"

namespace lockstep::fuzz {

inline raft::Config ConfigOf(const RaftSettings& settings) {
  const auto small_or = [](uint32_t given, uint64_t otherwise, uint64_t bound) {
    return given == 0 ? otherwise : 1 + given % bound;
  };
  raft::Config config;
  config.election_min = std::chrono::milliseconds(100);
  config.election_max = std::chrono::milliseconds(200);
  config.heartbeat = std::chrono::milliseconds(20);
  config.append_entries_max = small_or(settings.append_entries_max(), 4, 8);
  config.append_bytes_max = 200;
  config.inflight_messages_max = small_or(settings.inflight_messages_max(), 4, 8);
  config.log_bytes_max = 100 + small_or(settings.log_bytes_max(), 400, 2000);
  config.uncommitted_bytes_max = 100 + small_or(settings.uncommitted_bytes_max(), 300, 1000);
  config.snapshot_chunk_bytes_max = small_or(settings.snapshot_chunk_bytes_max(), 40, 200);
  config.snapshot_chunks_max = small_or(settings.snapshot_chunks_max(), 2, 4);
  config.pending_reads_max = small_or(settings.pending_reads_max(), 4, 8);
  config.lease = settings.lease();
  return config;
}

// 3, or 2 to 5.
inline uint64_t NodesOf(const RaftSettings& settings) {
  return settings.nodes() == 0 ? 3 : 2 + settings.nodes() % 4;
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_RAFT_SETTINGS_H_
