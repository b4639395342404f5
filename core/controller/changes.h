// What join, leave, move, unpin and set_members make of a configuration: the next one, or a
// refusal.
#ifndef LOCKSTEP_CORE_CONTROLLER_CHANGES_H_
#define LOCKSTEP_CORE_CONTROLLER_CHANGES_H_

#include "absl/status/statusor.h"
#include "core/controller/configuration.h"
#include "core/controller/options.h"
#include "core/proto/client.pb.h"

namespace lockstep::controller {

// The configuration that the command makes of `newest`; `newest` itself when the command has no
// news for it. A refusal is AlreadyExists, NotFound or FailedPrecondition, and says what to do.
//
//   join    Adds the groups, and takes from the others what balance needs. The first one decides
//           how many shards there are. After a time without groups, each shard is handed on from
//           the group that had it last, even to a new group of the same gid.
//   leave   Removes the groups with the pins to them, and shares out what they own. With force also
//           the last ones: then nobody owns anything until the next join.
//   move    Gives the shard to the group and pins it there. Nothing else moves.
//   unpin   Takes the pin away, and balances.
//   set_members  Replaces who the members of a group are, also of one that has left, or of the
//           controller. Nothing moves. What is not newer, or of a group that is not known, is no
//           news, and is never refused; nor is there any news for a configuration without groups.
//
// REQUIRES: `newest` is valid; ValidateAdmin accepted the command, and it is one of these five.
absl::StatusOr<Configuration> NextConfiguration(const Configuration& newest,
                                                const proto::Command& command,
                                                const ControllerLimits& limits);

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_CHANGES_H_
