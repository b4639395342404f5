#include "core/base/placement.h"

#include "core/base/check.h"
#include "core/base/hash.h"

namespace lockstep {

absl::string_view PlacementTag(absl::string_view key) {
  const size_t open = key.find('{');
  if (open == absl::string_view::npos) return key;
  const size_t close = key.find('}', open + 1);
  if (close == absl::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

ShardId ShardOf(absl::string_view key, uint32_t shards) {
  CheckLt(0u, shards);
  // The hash as a fraction of its range, times the count: no shard gets more than one hash value in
  // 2^32 beyond its share, and the upper bits decide, which are the best mixed.
  __extension__ using Wide = unsigned __int128;
  const Wide scaled = static_cast<Wide>(StableHash(PlacementTag(key))) * shards;
  return ShardId(static_cast<uint64_t>(scaled >> 64));
}

}  // namespace lockstep
