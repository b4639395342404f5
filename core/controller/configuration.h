// A configuration: which groups there are, and which of them owns each shard. Immutable once made,
// numbered from 1 without gaps. Number 0 is before the first: no groups, and not yet any shards.
//
// A group is named by (gid, joined): a gid that leaves and comes back is another group, and has
// none of the data that the first one still may hold, though both may live on the same servers.
//
// Invariants (Validate): either every shard has an owner in `groups`, or there are no groups and no
// shard has one. A pinned shard is owned by the group that it is pinned to. `handovers` names
// exactly the shards whose owner changed since they last had one, or have lost it now; so a
// configuration without groups says who the last owners were, and the one that follows it hands
// their shards on from them. What had an owner once never silently begins empty elsewhere.
#ifndef LOCKSTEP_CORE_CONTROLLER_CONFIGURATION_H_
#define LOCKSTEP_CORE_CONTROLLER_CONFIGURATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/proto/shard.pb.h"

namespace lockstep::controller {

using ConfigurationNum = Id<struct ConfigurationNumTag>;

struct Member {
  NodeId node;
  std::string address = {};  // may be empty where nodes know each other by number alone
  friend bool operator==(const Member&, const Member&) = default;
};

struct Group {
  GroupId gid = {};
  ConfigurationNum joined = {};      // the configuration that made it a member
  std::vector<Member> members = {};  // ascending node, at least one; a node may serve many groups
  // The id of the group's own configuration that says so; 0: those that it joined with.
  uint64_t membership = 0;
  friend bool operator==(const Group&, const Group&) = default;
};

// The controller's own members, ascending, by its own configuration with the id `membership`. None
// and 0: those of its beginning.
struct Controllers {
  uint64_t membership = 0;
  std::vector<NodeId> nodes = {};
  friend bool operator==(const Controllers&, const Controllers&) = default;
};

// A shard that an administrator placed: rebalancing leaves it where it is.
struct Pin {
  ShardId shard;
  GroupId gid = {};
  friend bool operator==(const Pin&, const Pin&) = default;
};

// A shard that changed hands. `from` 0: it never had an owner, and begins empty. `to` 0: it has
// none now.
struct Handover {
  ShardId shard;
  GroupId from;
  GroupId to;
  // The configuration that took it from `from`: this one, or the one before if that had no groups.
  // 0 when from is 0.
  ConfigurationNum ended = {};
  friend bool operator==(const Handover&, const Handover&) = default;
};

inline constexpr size_t kFormerMax = 512;

struct Configuration {
  ConfigurationNum num = {};
  std::vector<Group> groups = {};        // ascending gid
  std::vector<GroupId> owners = {};      // by shard; empty in number 0 alone
  std::vector<Pin> pins = {};            // ascending shard
  std::vector<Handover> handovers = {};  // ascending shard
  // The sources of handovers that are no members of this configuration, ascending gid. Their gid
  // may be in `groups` again, for a group that joins with this configuration.
  std::vector<Group> departed = {};
  Controllers controllers = {};
  // Groups that were members and left, in the order in which they did: the last kFormerMax. Others
  // may still fetch from them. With each gid perhaps several times, never twice with one `joined`.
  std::vector<Group> former = {};

  friend bool operator==(const Configuration&, const Configuration&) = default;

  uint32_t shards() const { return static_cast<uint32_t>(owners.size()); }
  // Null when it is not a member.
  const Group* Find(GroupId gid) const;
  // The group that holds the shard's data as of the handover: of `departed` before `groups`, since
  // a gid in both is departed as a source and a member as a destination. Null when from is 0.
  // REQUIRES: one of `handovers`.
  const Group* SourceOf(const Handover& handover) const;
};

// The group of that gid in a list that ascends by gid, or null.
const Group* FindGroup(const std::vector<Group>& groups, GroupId gid);

// InvalidArgument: what breaks which of the invariants above.
absl::Status Validate(const Configuration& configuration);

// A configuration as it came from elsewhere. InvalidArgument unless it is valid.
absl::StatusOr<Configuration> FromProto(const proto::Configuration& message);
proto::Configuration ToProto(const Configuration& configuration);

// "#3: 5@1 owns 4, 7@3 owns 6; 1 pin; 2 handovers". One line, for traces and people. Groups beyond
// the eighth are counted only.
std::string Describe(const Configuration& configuration);

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_CONFIGURATION_H_
