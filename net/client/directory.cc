#include "net/client/directory.h"

#include <algorithm>

#include "absl/container/btree_set.h"

namespace lockstep::client {
namespace {

constexpr uint64_t kControllerGroup = 0;

// Each replica names all members of its group, so one that is heard of speaks for those that are
// not.
std::vector<NodeId> ControllersIn(const v1::StatusResponse& status) {
  absl::btree_set<NodeId> found;
  for (const v1::NodeStatus& node : status.nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) {
      if (replica.group() != kControllerGroup) continue;
      if (node.node() != 0) found.insert(NodeId(node.node()));
      for (const uint64_t member : replica.members()) {
        if (member != 0) found.insert(NodeId(member));
      }
    }
  }
  return std::vector<NodeId>(found.begin(), found.end());
}

// Not while they change: then there would be two sets, and the next answer tells the one that is
// left.
LearnControllers VotersIn(const v1::StatusResponse& status) {
  LearnControllers newest;
  for (const v1::NodeStatus& node : status.nodes()) {
    for (const v1::ReplicaStatus& replica : node.replicas()) {
      const bool in_force = replica.membership_committed() && replica.change_phase() == v1::SETTLED;
      if (replica.group() != kControllerGroup || !in_force) continue;
      if (replica.membership_id() <= newest.membership) continue;
      absl::btree_set<NodeId> voters;
      for (const v1::GroupMemberStatus& member : replica.group_members()) {
        if (member.voter() && member.node() != 0) voters.insert(NodeId(member.node()));
      }
      if (voters.empty()) continue;
      newest = {.membership = replica.membership_id(), .nodes = {voters.begin(), voters.end()}};
    }
  }
  return newest;
}

}  // namespace

void Directory::Learn(const v1::StatusResponse& status) {
  for (const v1::NodeStatus& node : status.nodes()) {
    if (node.node() == 0 || node.grpc_address().empty()) continue;
    const NodeId id(node.node());
    if (addresses_.size() >= kDirectoryNodesMax && !addresses_.contains(id)) continue;
    addresses_[id] = node.grpc_address();
  }
  std::vector<NodeId> controllers = ControllersIn(status);
  if (!controllers.empty()) controllers_ = std::move(controllers);
  LearnControllers voters = VotersIn(status);
  if (voters.membership > voters_.membership) voters_ = std::move(voters);
}

std::vector<std::string> Directory::Servers() const {
  std::vector<std::string> servers = seeds_;
  for (const auto& [node, address] : addresses_) {
    if (std::find(servers.begin(), servers.end(), address) == servers.end()) {
      servers.push_back(address);
    }
  }
  return servers;
}

}  // namespace lockstep::client
