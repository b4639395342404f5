// Which shard a key belongs to.
//
// Shards are numbered from 0 to the cluster's count - 1, so ShardId(0) is a shard like any other:
// nobody asks a ShardId whether it is one (operator bool), and fields that hold one always do. What
// a shard may lack is an owner: that is GroupId(), 0.
#ifndef LOCKSTEP_CORE_BASE_PLACEMENT_H_
#define LOCKSTEP_CORE_BASE_PLACEMENT_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace lockstep {

// The controller's group. Shard groups count from 1.
inline constexpr GroupId kControllerGroup{0};

// The part of a key that places it: what stands between its first '{' and the next '}', so that
// keys with the same tag share a shard. The whole key when there is no such pair or nothing in it.
absl::string_view PlacementTag(absl::string_view key);

// The shard of a key in a cluster of `shards`: an even spread, the same in every build and for
// ever. REQUIRES: shards > 0.
ShardId ShardOf(absl::string_view key, uint32_t shards);

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_PLACEMENT_H_
