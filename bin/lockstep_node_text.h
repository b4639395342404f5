// Nodes and the members of groups, as text for people and for machines.
#ifndef LOCKSTEP_BIN_LOCKSTEP_NODE_TEXT_H_
#define LOCKSTEP_BIN_LOCKSTEP_NODE_TEXT_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::bin {

// The replica that leads the group, of the highest term; nullptr: none that answers.
const v1::ReplicaStatus* LeadingReplica(const v1::StatusResponse& status, uint64_t group);
// nullptr: it is no member.
const v1::GroupMemberStatus* FindMember(const v1::ReplicaStatus& replica, uint64_t node);

// "controller" or "group 101".
std::string GroupPhrase(uint64_t group);
// How far a change is: "catching up: node 4 has 812 of 1024".
std::string ProgressText(const v1::ReplicaStatus& leading);

// Tables; with `plain` the bare rows with tabs, each beginning with node or member.
std::string NodesText(const v1::StatusResponse& status, bool plain);
nlohmann::ordered_json NodesJson(const v1::StatusResponse& status);

// What became of a change in each group.
struct GroupEnd {
  uint64_t group = 0;
  std::string outcome;  // begun, done, unchanged, refused, unknown, waiting, superseded
  uint64_t membership_id = 0;
  std::string reason = {};  // of a refusal
  std::string message = {};
};
std::string EndsText(const std::vector<GroupEnd>& ends, bool plain);
nlohmann::ordered_json EndsJson(const std::vector<GroupEnd>& ends);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_NODE_TEXT_H_
