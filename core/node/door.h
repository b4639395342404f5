// What clients and other nodes may say: checked before anything of it reaches a replica.
#ifndef LOCKSTEP_CORE_NODE_DOOR_H_
#define LOCKSTEP_CORE_NODE_DOOR_H_

#include "absl/status/status.h"
#include "core/node/roles.h"
#include "core/proto/client.pb.h"
#include "core/proto/node.pb.h"

namespace lockstep::node {

// What kv::ValidateCommand, controller::ValidateAdmin and shardkv::ValidatePlacement say, each for
// its role; and InvalidArgument for what a group says to itself alone. Fills in what the node knows
// better: how many shards a cluster begins with.
absl::Status AdmitCommand(GroupRole role, const NodeOptions& options, proto::Command* command);
absl::Status AdmitQuery(GroupRole role, const NodeOptions& options, const proto::Query& query);

// Whether a client's command may make the data larger: such commands are refused while disks are
// low on space. The controller's are not among them: its configurations are few and small, and an
// administrator needs them to relieve groups that are full.
bool AddsData(const proto::Command& command);

// What no correct node ever sends is InvalidArgument. REQUIRES: a body.
absl::Status ValidateNodeMessage(const proto::NodeMessage& message);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_DOOR_H_
