// What a wish for other nodes (proto::ChangeNodes) means in one group, from what the nodes say of
// themselves. Pure.
//
// A wish is computed from the leader's own configuration and names its id, so what has changed
// since is refused by the leader and never lost (thesis §4; decision 0017).
#ifndef LOCKSTEP_CORE_GATEWAY_MEMBER_WISH_H_
#define LOCKSTEP_CORE_GATEWAY_MEMBER_WISH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/proto/client.pb.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::gateway {

// Groups that one question may name.
inline constexpr int kGroupsNamedMax = 4096;

// InvalidArgument: what makes no sense in any cluster.
absl::Status Validate(const proto::ChangeNodes& question);

// Whether only the controller can say which groups are meant: all that there are.
bool MeansAllGroups(const proto::ChangeNodes& question);
// The groups that are named; otherwise all of the configuration and the controller for a node that
// is added, and those that have the node for one that goes. REQUIRES: the configuration is there if
// MeansAllGroups.
absl::btree_set<GroupId> GroupsMeant(const proto::ChangeNodes& question,
                                     const std::vector<lockstep::v1::NodeStatus>& nodes,
                                     const std::optional<proto::Configuration>& configuration);

// Who leads the group as those who answered see it: whoever says so of the highest term. None:
// nobody knows.
NodeId LeaderOf(const std::vector<lockstep::v1::NodeStatus>& nodes, GroupId group);

struct Wish {
  NodeId leader;
  proto::ChangeMembership change;
  std::string effect;  // for people: what it does once it has begun
};
// What the group's leader is to be asked, or what became of the question without it.
std::variant<Wish, lockstep::v1::GroupChange> WishFor(
    const proto::ChangeNodes& question, GroupId group,
    const std::vector<lockstep::v1::NodeStatus>& nodes);

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_MEMBER_WISH_H_
