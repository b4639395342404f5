// What a shard group allows. Equal on every replica of a group: these values decide the outcome of
// log entries.
#ifndef LOCKSTEP_CORE_SHARDKV_OPTIONS_H_
#define LOCKSTEP_CORE_SHARDKV_OPTIONS_H_

#include <cstdint>

#include "core/kv/options.h"

namespace lockstep::shardkv {

// The most shards that a cluster can have: a shard's number has two bytes in the table.
inline constexpr uint32_t kShardsMax = 16384;

struct ShardOptions {
  kv::KvOptions kv;                              // of each shard
  uint32_t sweep_records_max = 1000;             // deleted by one entry
  uint64_t sweep_bytes_max = uint64_t{1} << 20;  // of keys and values; one record always fits
};

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_OPTIONS_H_
