// Commands and queries of the controller: how they are made, and what makes one acceptable before
// anybody looks at the state. Runs at the door, and again when an entry is applied.
#ifndef LOCKSTEP_CORE_CONTROLLER_ADMIN_H_
#define LOCKSTEP_CORE_CONTROLLER_ADMIN_H_

#include <vector>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/controller/configuration.h"
#include "core/controller/options.h"
#include "core/proto/client.pb.h"

namespace lockstep::controller {

// InvalidArgument: the request makes no sense. OutOfRange: something in it is over its limit. The
// messages say what is wrong and what to do; kv::RefusalFor makes an answer of them.
//
// A Join names groups with distinct gids from 1, `joined` left out; members with distinct nodes
// from 1 in each group. A Leave names distinct gids. register_session, close_session, join, leave,
// move and unpin take the place in a session that kv::ValidateCommand describes; prune_history and
// set_members have none: the controller says them to itself.
absl::Status ValidateAdmin(const proto::Command& command, const ControllerLimits& limits);
// Whether it is one that the controller says to itself, and no client may.
bool IsInternal(const proto::Command& command);
absl::Status ValidateQuery(const proto::Query& query);

// Commands without their place in a session: see kv::InSession.
//
// `shards`: how many the cluster will have. The first Join decides; later ones may say anything up
// to shards_max, and it means nothing.
proto::Command MakeJoin(const std::vector<Group>& groups, uint32_t shards);
proto::Command MakeLeave(const std::vector<GroupId>& gids, bool force = false);
proto::Command MakeMove(ShardId shard, GroupId gid);
proto::Command MakeUnpin(ShardId shard);
// Complete commands.
proto::Command MakePruneHistory(ConfigurationNum before);
proto::Command MakeSetMembers(const proto::SetMembers& set);

// `num` 0: the newest.
proto::Query MakeGetConfiguration(ConfigurationNum num = ConfigurationNum());
// The first after `after` that has the group as a member.
proto::Query MakeGetConfigurationOf(GroupId gid, ConfigurationNum after);

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_ADMIN_H_
