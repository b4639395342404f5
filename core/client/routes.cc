#include "core/client/routes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::client {
namespace {

absl::Status Useless(uint64_t num, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("configuration ", num, " cannot be followed: ", why));
}

// Ascending, and a set of nodes; empty otherwise.
std::vector<NodeId> SetOf(std::vector<NodeId> nodes) {
  std::sort(nodes.begin(), nodes.end());
  const bool twice = std::adjacent_find(nodes.begin(), nodes.end()) != nodes.end();
  return nodes.empty() || !nodes.front() || twice ? std::vector<NodeId>() : nodes;
}

}  // namespace

const std::vector<NodeId>* Routes::NodesOf(GroupId group) const {
  const auto found = nodes_.find(group);
  return found == nodes_.end() ? nullptr : &found->second;
}

absl::StatusOr<Routes> Routes::From(const proto::Configuration& configuration) {
  Routes routes;
  routes.num_ = configuration.num();
  if (static_cast<uint64_t>(configuration.owners_size()) > kRoutedShardsMax) {
    return Useless(routes.num_,
                   absl::StrCat(configuration.owners_size(), " shards exceed ", kRoutedShardsMax));
  }
  for (const proto::ShardGroup& group : configuration.groups()) {
    std::vector<NodeId> nodes;
    for (const proto::Member& member : group.members()) nodes.push_back(NodeId(member.node()));
    nodes = SetOf(std::move(nodes));
    if (group.gid() == 0 || nodes.empty()) {
      return Useless(routes.num_,
                     absl::StrCat("the members of group ", group.gid(), " are no set of nodes"));
    }
    routes.nodes_[GroupId(group.gid())] = std::move(nodes);
  }
  if (configuration.controllers().membership() != 0) {
    std::vector<NodeId> nodes;
    for (const uint64_t node : configuration.controllers().nodes()) nodes.push_back(NodeId(node));
    routes.controllers_ = {configuration.controllers().membership(), SetOf(std::move(nodes))};
    if (routes.controllers_.nodes.empty()) {
      return Useless(routes.num_, "the controllers are no set of nodes");
    }
  }
  for (const uint64_t owner : configuration.owners()) {
    if (routes.has_groups() && routes.NodesOf(GroupId(owner)) == nullptr) {
      return Useless(routes.num_,
                     absl::StrCat("shard ", routes.owners_.size(), " belongs to group ", owner,
                                  ", which is not in it"));
    }
    routes.owners_.push_back(GroupId(owner));
  }
  if (routes.has_groups() && routes.owners_.empty()) {
    return Useless(routes.num_, "it has groups but no shards");
  }
  return routes;
}

}  // namespace lockstep::client
