// A tenure: the time during which one shard is at this group, from the configuration that gives it
// to the one that takes it away, and on until nobody needs what is left of it
// (docs/decisions/0011).
#ifndef LOCKSTEP_CORE_SHARDKV_TENURE_H_
#define LOCKSTEP_CORE_SHARDKV_TENURE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/types.h"
#include "core/kv/kv_machine.h"
#include "core/proto/shard.pb.h"
#include "core/shardkv/contents.h"

namespace lockstep::shardkv {

struct TenureId {
  uint32_t shard = 0;
  uint64_t since = 0;  // the number of the configuration that began it
  friend auto operator<=>(const TenureId&, const TenureId&) = default;
};

struct Tenure {
  TenureId id;
  proto::ShardState state = proto::SHARD_NONE;
  uint64_t until = 0;             // the configuration that ended it; 0: none yet
  proto::ShardGroup source;       // who is pulled from, then told; gid 0: nobody need be told
  uint64_t source_ended = 0;      // the configuration that took the shard from the source
  proto::ShardGroup destination;  // who was given it at `until`; gid 0: nobody, or not lost
  uint64_t next_sequence = 1;     // of the part to be installed; while pulling
  std::string resume;             // where that part begins at the source
  uint64_t joined = 0;            // of the group, when it gained the shard
  uint64_t version_offset = 0;    // version = log index + this. Versions never go back
  uint64_t frozen_version = 0;    // frozen: that of what was frozen
  Counts counts;
  // While it serves.
  std::unique_ptr<kv::KvMachine> machine;

  // Clients are served.
  bool serves() const { return state == proto::SHARD_SERVING || state == proto::SHARD_SERVING_GC; }
  Index VersionAt(Index index) const { return index.Plus(version_offset); }
  std::string prefix() const;  // of its contents
  // What the destination must get. REQUIRES: frozen.
  proto::ShardSummary Summary() const;
};

// With what people and other groups want to know of it.
proto::ShardTenure ToProto(const Tenure& tenure);
// The machine and the counts are left out.
Tenure FromProto(const proto::ShardTenure& record);

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_TENURE_H_
