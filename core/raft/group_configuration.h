// The members of a group as its own log says them (thesis §4): what an entry of kind kConfiguration
// holds. It is in force from where it is appended, committed or not.
//
// A change of voters is one change, however many come and go: first those who join receive the log
// as learners (kCatchingUp), then old and new voters decide together (kJoint), then the new ones
// alone (kSettled). Each step is an entry, so a new leader goes on where the old one stopped.
//
// Invariants of what passes the door: members ascend; there is a voter before and a voter after; in
// a settled one nobody is absent and nobody changes.
#ifndef LOCKSTEP_CORE_RAFT_GROUP_CONFIGURATION_H_
#define LOCKSTEP_CORE_RAFT_GROUP_CONFIGURATION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/proto/membership.pb.h"
#include "core/raft/quorum.h"

namespace lockstep::raft {

// What a member does. The numbers are those of the wire.
enum class Standing : uint8_t { kAbsent = 0, kLearner = 1, kVoter = 2 };
enum class ChangePhase : uint8_t { kSettled = 0, kCatchingUp = 1, kJoint = 2 };

struct GroupMember {
  NodeId node;
  IncarnationId incarnation = {};  // none: not known
  Standing before = Standing::kAbsent;
  Standing after = Standing::kAbsent;
  friend bool operator==(const GroupMember&, const GroupMember&) = default;
};

// Members of one configuration together, and of one that somebody wishes for.
inline constexpr size_t kGroupMembersMax = 64;

struct GroupConfiguration {
  Index id;  // of the entry; 0: the group's beginning, which is in no log
  ChangePhase phase = ChangePhase::kSettled;
  std::vector<GroupMember> members;  // ascending node; empty: nobody, in no group yet

  // nullptr: not a member, in no phase of the change.
  const GroupMember* Find(NodeId node) const;
  friend bool operator==(const GroupConfiguration&, const GroupConfiguration&) = default;
};

// Whom somebody wants in the group.
struct WantedMember {
  NodeId node;
  IncarnationId incarnation = {};  // none: not known
  bool voter = true;               // otherwise a learner
};

// A group's beginning: what its options say.
GroupConfiguration InitialConfiguration(const Membership& membership);

// Who decides and who receives the log while the configuration is in force.
Membership MembershipOf(const GroupConfiguration& configuration);

// The first step from a settled configuration to the wanted members, without an id. The change is
// over with it if the voters stay the same. REQUIRES: Validate(wanted) is OK.
GroupConfiguration FirstStep(const GroupConfiguration& settled,
                             const std::vector<WantedMember>& wanted);
// From catching up to joint, and from joint to settled, without an id. REQUIRES: not settled.
GroupConfiguration NextStep(const GroupConfiguration& configuration);
// Back from catching up, without an id.
GroupConfiguration Cancelled(const GroupConfiguration& catching_up);
// Whether the wanted members are those whom the configuration began with, in standing; and whether
// the voters are.
bool IsAsBefore(const GroupConfiguration& configuration, const std::vector<WantedMember>& wanted);

bool HasVotersBefore(const GroupConfiguration& configuration,
                     const std::vector<WantedMember>& wanted);

// Ids from 1, each once, at most kGroupMembersMax, and a voter: InvalidArgument otherwise.
absl::Status Validate(const std::vector<WantedMember>& wanted);

proto::GroupConfiguration ToProto(const GroupConfiguration& configuration);
Bytes Encode(const GroupConfiguration& configuration);
// InvalidArgument for what no leader ever writes.
absl::StatusOr<GroupConfiguration> DecodeConfiguration(absl::string_view text);

// What a table remembers or a snapshot brings; where that is nothing, the group's beginning.
// REQUIRES: `encoded` is empty or has passed DecodeConfiguration.
GroupConfiguration ConfigurationOf(const Bytes& encoded, const Membership& beginning);

// One stable line: "7 joint voters=1,2,3 outgoing=1,2 learners=4", with and without the id.
std::string Describe(const GroupConfiguration& configuration);
std::string DescribeMembers(const GroupConfiguration& configuration);

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_GROUP_CONFIGURATION_H_
