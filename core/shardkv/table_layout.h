// Where things lie in a shard group's table. The first byte of a key is the kind of its record:
//
//   'g'                       -> proto::ShardStates   what holds for the group, without tenures
//   't' shard since           -> proto::ShardTenure   one tenure, without its counts
//   'n' shard since           -> counts               of the tenure: they change with every write
//   'z' shard since key       -> value                the contents of the tenure: a key-value store
//
// with shard as 2 and since (the configuration that began the tenure) as 8 bytes, both big-endian,
// so that the contents of a tenure are one range. Part of the disk and snapshot formats.
#ifndef LOCKSTEP_CORE_SHARDKV_TABLE_LAYOUT_H_
#define LOCKSTEP_CORE_SHARDKV_TABLE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/kv/table_layout.h"

namespace lockstep::shardkv {

inline constexpr char kGroupKind = 'g';
inline constexpr char kTenureKind = 't';
inline constexpr char kCountsKind = 'n';
inline constexpr char kContentsKind = 'z';
inline constexpr size_t kTenureKeyBytes = 1 + 2 + 8;

// The key of a tenure's record of a kind; for kContentsKind what all of its keys begin with.
inline std::string TenureKey(char kind, uint32_t shard, uint64_t since) {
  std::string key(1, kind);
  key.push_back(static_cast<char>(shard >> 8));
  key.push_back(static_cast<char>(shard));
  kv::AppendBigEndian64(since, &key);
  return key;
}

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_TABLE_LAYOUT_H_
