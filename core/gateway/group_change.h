// What became of a wish for other nodes in each group, and of all of it. Pure.
#ifndef LOCKSTEP_CORE_GATEWAY_GROUP_CHANGE_H_
#define LOCKSTEP_CORE_GATEWAY_GROUP_CHANGE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::gateway {

std::string NameOf(GroupId group);  // "the controller" or "group 101"

// An end of the wish, with a message for people.
lockstep::v1::GroupChange Settled(GroupId group, lockstep::v1::GroupChange::Outcome outcome,
                                  std::string message);
lockstep::v1::GroupChange Refused(GroupId group, lockstep::v1::GroupChange::Reason reason,
                                  std::string message);
// What the leader's answer to a wish with this effect says.
lockstep::v1::GroupChange ChangeOf(GroupId group, const proto::ClientReply& reply,
                                   absl::string_view effect);
// It was asked, and nothing came back.
lockstep::v1::GroupChange UnknownChange(GroupId group, absl::string_view why);

// The whole answer: an error only where nothing has begun in any group.
proto::GatewayReply ToReply(const std::vector<lockstep::v1::GroupChange>& changes);

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_GROUP_CHANGE_H_
