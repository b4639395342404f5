// Who should own which shard: a pure function, so that every replica comes to the same answer.
//
// What balanced means: no shard that is not pinned could move from its group to one that has at
// least two fewer. Without pins that is the usual "all within one of each other"; a group to which
// more are pinned than its share keeps exactly those, and the others share the rest evenly.
//
// The targets. With p pins of a group, let q be the largest number for which the sum of max(p, q)
// over the groups does not exceed the number of shards. Groups with more than q pins get just
// those. The others get q, and what is still left over gives one more to as many of them: to those
// that own most already, among equals to the lowest gid. No other balanced assignment needs fewer
// moves: a group loses only what is above its target, and everything else stays.
//
// The moves. Shards without an owner in `gids`, and of each group that has too many its lowest ones
// that are not pinned, go in ascending order to the groups that have too few, the lowest gid first.
#ifndef LOCKSTEP_CORE_CONTROLLER_REBALANCE_H_
#define LOCKSTEP_CORE_CONTROLLER_REBALANCE_H_

#include <vector>

#include "absl/types/span.h"
#include "core/base/types.h"
#include "core/controller/configuration.h"

namespace lockstep::controller {

// The owner of each shard, given its owner so far (0, or a gid that is gone: it has none). All 0
// when there are no groups. Pins to gids that are not among `gids` are void; a shard that is pinned
// elsewhere than where it is goes there first. O((shards + groups) log groups).
// REQUIRES: `gids` ascend and are not 0; `pins` ascend by shard and lie within `owners`.
std::vector<GroupId> Rebalance(absl::Span<const GroupId> owners, absl::Span<const GroupId> gids,
                               absl::Span<const Pin> pins);

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_REBALANCE_H_
