// What makes a configuration one: the invariants of configuration.h, one function each.
#include <algorithm>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "core/controller/configuration.h"
#include "core/controller/options.h"

namespace lockstep::controller {
namespace {

absl::Status Bad(const Configuration& configuration, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("configuration ", configuration.num.value(), " is malformed: ", what));
}

// Whether `key` of each is above that of the one before it.
template <class List, class Key>
bool Ascends(const List& list, Key key) {
  return std::adjacent_find(list.begin(), list.end(), [&](const auto& a, const auto& b) {
           return key(a) >= key(b);
         }) == list.end();
}

absl::Status ValidateEach(const Configuration& configuration, const std::vector<Group>& groups) {
  for (const Group& group : groups) {
    const auto bad = [&](absl::string_view what) {
      return Bad(configuration, absl::StrCat("group ", group.gid.value(), " ", what));
    };
    if (group.gid == GroupId()) return bad("has a number that names no group");
    if (group.joined == ConfigurationNum() || group.joined > configuration.num) {
      return bad(absl::StrCat("joined with configuration ", group.joined.value()));
    }
    if (group.members.empty()) return bad("has no members");
    if (group.members.front().node == NodeId()) return bad("has member 0");
    if (!Ascends(group.members, [](const Member& member) { return member.node; })) {
      return bad("has members that do not ascend");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateGroups(const Configuration& configuration, const std::vector<Group>& groups) {
  if (!Ascends(groups, [](const Group& group) { return group.gid; })) {
    return Bad(configuration, "gids do not ascend");
  }
  return ValidateEach(configuration, groups);
}

absl::Status ValidateFormer(const Configuration& configuration) {
  if (configuration.former.size() > kFormerMax) return Bad(configuration, "too many former groups");
  absl::btree_set<std::pair<GroupId, ConfigurationNum>> seen;
  for (const auto* groups : {&configuration.groups, &configuration.former}) {
    for (const Group& group : *groups) {
      if (seen.emplace(group.gid, group.joined).second) continue;
      return Bad(configuration, absl::StrCat("group ", group.gid.value(), " left and did not"));
    }
  }
  return ValidateEach(configuration, configuration.former);
}

absl::Status ValidateControllers(const Configuration& configuration) {
  const Controllers& controllers = configuration.controllers;
  if (controllers.nodes.empty() != (controllers.membership == 0)) {
    return Bad(configuration, "controllers without an id, or an id without controllers");
  }
  if (controllers.nodes.empty()) return absl::OkStatus();
  if (controllers.nodes.front() == NodeId() ||
      !Ascends(controllers.nodes, [](NodeId node) { return node; })) {
    return Bad(configuration, "controllers do not ascend from 1");
  }
  return absl::OkStatus();
}

absl::Status ValidateOwners(const Configuration& configuration) {
  if (configuration.owners.empty() || configuration.owners.size() > kShardsMax) {
    return Bad(configuration,
               absl::StrCat(configuration.owners.size(), " shards, not 1 to ", kShardsMax));
  }
  const Group* last = nullptr;  // Neighbours often have the same owner.
  for (size_t shard = 0; shard < configuration.owners.size(); ++shard) {
    const GroupId owner = configuration.owners[shard];
    if (configuration.groups.empty() && owner == GroupId()) continue;
    if (last == nullptr || last->gid != owner) last = configuration.Find(owner);
    if (last == nullptr) {
      return Bad(configuration, absl::StrCat("shard ", shard, " is owned by ", owner.value(),
                                             ", which is not in it"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidatePins(const Configuration& configuration) {
  if (!Ascends(configuration.pins, [](const Pin& pin) { return pin.shard; })) {
    return Bad(configuration, "pins do not ascend");
  }
  for (const Pin& pin : configuration.pins) {
    const uint64_t shard = pin.shard.value();
    if (shard >= configuration.owners.size() || pin.gid == GroupId() ||
        configuration.owners[shard] != pin.gid) {
      return Bad(configuration, absl::StrCat("shard ", shard, " is pinned to ", pin.gid.value(),
                                             ", which does not own it"));
    }
  }
  return absl::OkStatus();
}

// `used`: by place in `departed`, whether it is the source of a handover.
absl::Status ValidateHandover(const Configuration& configuration, const Handover& handover,
                              std::vector<bool>* used) {
  const auto bad = [&](absl::string_view what) {
    return Bad(configuration,
               absl::StrCat("the handover of shard ", handover.shard.value(), " ", what, ": from ",
                            handover.from.value(), " to ", handover.to.value()));
  };
  if (handover.shard.value() >= configuration.owners.size()) return bad("is of no shard");
  if (configuration.owners[handover.shard.value()] != handover.to) {
    return bad("does not lead to its owner");
  }
  const bool ended_now = handover.ended == configuration.num;
  const bool ended_before = handover.ended.Next() == configuration.num;
  const bool has_end = handover.ended != ConfigurationNum() && (ended_now || ended_before);
  if (has_end != (handover.from != GroupId())) return bad("ended at another time");
  if (const Group* gone = FindGroup(configuration.departed, handover.from)) {
    (*used)[static_cast<size_t>(gone - configuration.departed.data())] = true;
    return absl::OkStatus();
  }
  if (handover.from == handover.to) return bad("changes nothing");
  if (handover.from == GroupId()) return absl::OkStatus();
  const Group* source = configuration.Find(handover.from);
  if (source == nullptr) return bad("has an unknown source");
  if (source->joined == configuration.num) return bad("has a source that has only just joined");
  return absl::OkStatus();
}

// What a group owns in its first configuration was handed to it, and what lost its owner was taken.
absl::Status ValidateComplete(const Configuration& configuration) {
  size_t next = 0;
  for (size_t shard = 0; shard < configuration.owners.size(); ++shard) {
    const bool listed = next < configuration.handovers.size() &&
                        configuration.handovers[next].shard.value() == shard;
    next += listed;
    if (listed) continue;
    const Group* owner = configuration.Find(configuration.owners[shard]);
    if (owner != nullptr && owner->joined < configuration.num) continue;
    return Bad(configuration, absl::StrCat("shard ", shard, " lacks its handover"));
  }
  return absl::OkStatus();
}

absl::Status ValidateHandovers(const Configuration& configuration) {
  if (!Ascends(configuration.handovers, [](const Handover& handover) { return handover.shard; })) {
    return Bad(configuration, "handovers do not ascend");
  }
  absl::Status status = ValidateGroups(configuration, configuration.departed);
  if (!status.ok()) return status;
  std::vector<bool> used(configuration.departed.size());
  for (const Handover& handover : configuration.handovers) {
    status = ValidateHandover(configuration, handover, &used);
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < used.size(); ++i) {
    const Group& gone = configuration.departed[i];
    const Group* again = configuration.Find(gone.gid);
    const bool rejoins = again == nullptr || again->joined == configuration.num;
    if (used[i] && rejoins && gone.joined < configuration.num) continue;
    return Bad(configuration, absl::StrCat("group ", gone.gid.value(),
                                           " is listed as departed and is no earlier source"));
  }
  return ValidateComplete(configuration);
}

}  // namespace

absl::Status Validate(const Configuration& configuration) {
  if (configuration.num == ConfigurationNum()) {
    if (configuration == Configuration()) return absl::OkStatus();
    return Bad(configuration, "number 0 is before the first, and holds nothing");
  }
  absl::Status status = ValidateGroups(configuration, configuration.groups);
  if (status.ok()) status = ValidateOwners(configuration);
  if (status.ok()) status = ValidatePins(configuration);
  if (status.ok()) status = ValidateHandovers(configuration);
  if (status.ok()) status = ValidateControllers(configuration);
  if (status.ok()) status = ValidateFormer(configuration);
  return status;
}

}  // namespace lockstep::controller
