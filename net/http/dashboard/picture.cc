#include "net/http/dashboard/picture.h"

#include <utility>

namespace lockstep::net::http {
namespace {

using lockstep::v1::NodeStatus;
using lockstep::v1::ReplicaStatus;

const ReplicaStatus* ReplicaOf(const NodeStatus& node, uint64_t group) {
  for (const ReplicaStatus& replica : node.replicas()) {
    if (replica.group() == group) return &replica;
  }
  return nullptr;
}

}  // namespace

void Picture::Take(lockstep::v1::StatusResponse status, uint64_t at_ms) {
  status_ = std::move(status);
  at_ms_ = at_ms;
  if (status_.configuration().num() > configuration_.num()) {
    configuration_ = status_.configuration();
  }
  // Nodes that nobody knows any more were taken out of the cluster.
  std::map<uint64_t, uint64_t> seen;
  for (const NodeStatus& node : status_.nodes()) {
    seen[node.node()] = node.online() ? at_ms : LastSeenMs(node.node());
  }
  last_seen_ms_ = std::move(seen);
  for (const uint64_t group : Groups()) {
    const ReplicaStatus* speaker = SpeakerFor(group);
    if (speaker == nullptr) continue;
    std::set<uint64_t> members(speaker->members().begin(), speaker->members().end());
    for (const auto& member : speaker->group_members()) members.insert(member.node());
    members_[group] = std::move(members);
  }
}

std::set<uint64_t> Picture::Groups() const {
  std::set<uint64_t> groups = {0};
  for (const lockstep::v1::Group& group : configuration_.groups()) groups.insert(group.gid());
  for (const NodeStatus& node : status_.nodes()) {
    for (const ReplicaStatus& replica : node.replicas()) groups.insert(replica.group());
  }
  return groups;
}

std::set<uint64_t> Picture::Members(uint64_t group) const {
  if (const auto found = members_.find(group); found != members_.end()) return found->second;
  std::set<uint64_t> members;
  for (const lockstep::v1::Group& each : configuration_.groups()) {
    if (each.gid() != group) continue;
    for (const lockstep::v1::Member& member : each.members()) members.insert(member.node());
  }
  return members;
}

const NodeStatus* Picture::FindNode(uint64_t node) const {
  for (const NodeStatus& each : status_.nodes()) {
    if (each.node() == node) return &each;
  }
  return nullptr;
}

const ReplicaStatus* Picture::FindReplica(uint64_t group, uint64_t node) const {
  const NodeStatus* found = FindNode(node);
  return found == nullptr || !found->online() ? nullptr : ReplicaOf(*found, group);
}

const NodeStatus* Picture::LeadersNode(uint64_t group) const {
  const NodeStatus* leader = nullptr;
  for (const NodeStatus& node : status_.nodes()) {
    const ReplicaStatus* replica = node.online() ? ReplicaOf(node, group) : nullptr;
    if (replica == nullptr || replica->role() != lockstep::v1::LEADER) continue;
    if (leader == nullptr || replica->term() > ReplicaOf(*leader, group)->term()) leader = &node;
  }
  return leader;
}

const ReplicaStatus* Picture::LeaderOf(uint64_t group) const {
  const NodeStatus* node = LeadersNode(group);
  return node == nullptr ? nullptr : ReplicaOf(*node, group);
}

uint64_t Picture::LeadingNode(uint64_t group) const {
  const NodeStatus* node = LeadersNode(group);
  return node == nullptr ? 0 : node->node();
}

const ReplicaStatus* Picture::SpeakerFor(uint64_t group) const {
  const ReplicaStatus* speaker = LeaderOf(group);
  if (speaker != nullptr) return speaker;
  for (const NodeStatus& node : status_.nodes()) {
    const ReplicaStatus* replica = node.online() ? ReplicaOf(node, group) : nullptr;
    if (replica == nullptr) continue;
    if (speaker == nullptr || replica->applied() > speaker->applied()) speaker = replica;
  }
  return speaker;
}

uint64_t Picture::LastSeenMs(uint64_t node) const {
  const auto found = last_seen_ms_.find(node);
  return found == last_seen_ms_.end() ? 0 : found->second;
}

}  // namespace lockstep::net::http
