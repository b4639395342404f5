// The answers that a node gives of itself, encoded (core/proto/client.proto).
#ifndef LOCKSTEP_CORE_NODE_CLIENT_REPLY_H_
#define LOCKSTEP_CORE_NODE_CLIENT_REPLY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/node/stage_times.h"
#include "core/proto/client.pb.h"
#include "core/raft/io.h"

namespace lockstep::node {

// A state machine's encoded proto::Result as a reply, copied without being parsed.
Bytes ReplyWithResult(const Bytes& result, const Stages& stages);
Bytes ReplyWithResult(const proto::Result& result);
Bytes OkReply();
// Definitely not executed here. `leader`: who may be it; none: not known.
Bytes NotLeaderReply(NodeId leader);
// Definitely not executed: the named limit is reached.
Bytes OverloadedReply(absl::string_view limit, uint64_t value);
// Definitely not executed: disks are low on space, this node's or those of too many others.
Bytes NoSpaceReply(uint64_t free_bytes, uint64_t need_bytes);
Bytes NoSpaceInGroupReply(uint64_t need_bytes);
// Not known whether it will be executed.
Bytes LeadershipLostReply();
Bytes UnknownGroupReply(GroupId group);
Bytes NoSuchVoterReply(NodeId node);
Bytes MalformedReply(size_t bytes);
// A change of membership: its first step is committed, with `now` in force; or why it is not begun.
Bytes ChangeBegunReply(const raft::GroupConfiguration& now);
Bytes ChangeRefusedReply(raft::RefusedWhy why, const raft::GroupConfiguration& now);
// Definitely not executed: nobody could have such members.
Bytes NoSuchGroupReply(const absl::Status& why);

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_CLIENT_REPLY_H_
