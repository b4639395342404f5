#include "core/controller/changes.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/controller/rebalance.h"

namespace lockstep::controller {
namespace {

// Where the data of each shard lies: with its owner, or with the last one that it had.
struct Holders {
  std::vector<GroupId> gids;         // by shard; 0: there is no data
  const std::vector<Group>* groups;  // those that `gids` means
};

Holders HoldersOf(const Configuration& configuration) {
  if (!configuration.groups.empty()) return {configuration.owners, &configuration.groups};
  Holders holders{configuration.owners, &configuration.departed};
  for (const Handover& handover : configuration.handovers) {
    holders.gids[handover.shard.value()] = handover.from;
  }
  return holders;
}

bool SameIncarnation(const Group& holder, const Group* member) {
  return member != nullptr && member->joined == holder.joined;
}

// What has changed from `before`, with the sources that are gone.
void SetHandovers(const Configuration& before, Configuration& after) {
  const Holders holders = HoldersOf(before);
  std::vector<GroupId> sources;
  for (size_t shard = 0; shard < after.owners.size(); ++shard) {
    const GroupId from = shard < holders.gids.size() ? holders.gids[shard] : GroupId();
    const GroupId owner_before = shard < before.owners.size() ? before.owners[shard] : GroupId();
    if (after.owners[shard] == owner_before) continue;
    Handover handover{.shard = ShardId(shard), .from = from, .to = after.owners[shard]};
    if (from != GroupId()) {
      handover.ended = owner_before == from ? after.num : before.num;
      sources.push_back(from);
    }
    after.handovers.push_back(handover);
  }
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  for (const GroupId gid : sources) {
    const Group* holder = FindGroup(*holders.groups, gid);
    Check(holder != nullptr, "data at a group that nobody knows");
    if (!SameIncarnation(*holder, after.Find(gid))) after.departed.push_back(*holder);
  }
}

// The same groups, owners and pins under the next number.
Configuration Successor(const Configuration& newest) {
  return {.num = newest.num.Next(),
          .groups = newest.groups,
          .owners = newest.owners,
          .pins = newest.pins,
          .controllers = newest.controllers,
          .former = newest.former};
}

void Balance(Configuration& configuration) {
  std::vector<GroupId> gids;
  for (const Group& group : configuration.groups) gids.push_back(group.gid);
  configuration.owners = Rebalance(configuration.owners, gids, configuration.pins);
}

absl::Status UnknownGroup(uint64_t gid) {
  return absl::NotFoundError(
      absl::StrCat("group ", gid, " is not in the cluster: ask for the newest configuration"));
}

// "there is no shard 10: this cluster has 10, numbered from 0".
absl::Status CheckShard(const Configuration& newest, uint32_t shard) {
  if (shard < newest.shards()) return absl::OkStatus();
  if (newest.shards() == 0) {
    return absl::NotFoundError(
        absl::StrCat("there is no shard ", shard,
                     ": this cluster has none before its first join; join a group"));
  }
  return absl::NotFoundError(absl::StrCat("there is no shard ", shard, ": this cluster has ",
                                          newest.shards(), ", numbered from 0"));
}

absl::Status CheckJoin(const Configuration& newest, const proto::Join& join,
                       const ControllerLimits& limits) {
  for (const proto::ShardGroup& group : join.groups()) {
    if (newest.Find(GroupId(group.gid())) == nullptr) continue;
    return absl::AlreadyExistsError(
        absl::StrCat("group ", group.gid(),
                     " is in the cluster already: choose another gid, or let it leave "
                     "first"));
  }
  const size_t groups = newest.groups.size() + static_cast<size_t>(join.groups_size());
  if (groups > limits.groups_max) {
    return absl::FailedPreconditionError(absl::StrCat(
        "with ", join.groups_size(), " more the cluster would have ", groups,
        " groups, which exceeds groups_max (", limits.groups_max, "): let others leave first"));
  }
  if (newest.shards() == 0 && join.shards() == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("the first join decides how many shards the cluster has for ever: give 1 to ",
                     limits.shards_max));
  }
  return absl::OkStatus();
}

Group Newcomer(const proto::ShardGroup& message, ConfigurationNum joined) {
  Group group{.gid = GroupId(message.gid()), .joined = joined};
  for (const proto::Member& member : message.members()) {
    group.members.push_back({.node = NodeId(member.node()), .address = member.address()});
  }
  std::sort(group.members.begin(), group.members.end(),
            [](const Member& a, const Member& b) { return a.node < b.node; });
  return group;
}

absl::StatusOr<Configuration> Join(const Configuration& newest, const proto::Join& join,
                                   const ControllerLimits& limits) {
  const absl::Status status = CheckJoin(newest, join, limits);
  if (!status.ok()) return status;
  Configuration next = Successor(newest);
  if (next.owners.empty()) next.owners.resize(join.shards());
  for (const proto::ShardGroup& group : join.groups()) {
    next.groups.push_back(Newcomer(group, next.num));
  }
  std::sort(next.groups.begin(), next.groups.end(),
            [](const Group& a, const Group& b) { return a.gid < b.gid; });
  Balance(next);
  return next;
}

absl::StatusOr<Configuration> Leave(const Configuration& newest, const proto::Leave& leave) {
  for (const uint64_t gid : leave.gids()) {
    if (newest.Find(GroupId(gid)) == nullptr) return UnknownGroup(gid);
  }
  const bool last = static_cast<size_t>(leave.gids_size()) == newest.groups.size();
  if (last && !leave.force()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "no group would be left, and none of the ", newest.shards(),
        " shards could be reached until another one joins: join it first, or force the leave"));
  }
  std::vector<GroupId> gone;
  for (const uint64_t gid : leave.gids()) gone.push_back(GroupId(gid));
  std::sort(gone.begin(), gone.end());
  const auto leaves = [&](const auto& item) {
    return std::binary_search(gone.begin(), gone.end(), item.gid);
  };
  Configuration next = Successor(newest);
  std::copy_if(next.groups.begin(), next.groups.end(), std::back_inserter(next.former), leaves);
  if (next.former.size() > kFormerMax) {
    next.former.erase(next.former.begin(), next.former.end() - kFormerMax);
  }
  std::erase_if(next.groups, leaves);
  std::erase_if(next.pins, leaves);
  Balance(next);
  return next;
}

// Where the pin of a shard is, or would be.
std::vector<Pin>::iterator FindPin(std::vector<Pin>& pins, ShardId shard) {
  return std::lower_bound(pins.begin(), pins.end(), shard,
                          [](const Pin& pin, ShardId id) { return pin.shard < id; });
}

absl::StatusOr<Configuration> Move(const Configuration& newest, const proto::Move& move) {
  const absl::Status status = CheckShard(newest, move.shard());
  if (!status.ok()) return status;
  if (newest.Find(GroupId(move.gid())) == nullptr) return UnknownGroup(move.gid());
  const Pin pin{.shard = ShardId(move.shard()), .gid = GroupId(move.gid())};
  Configuration next = Successor(newest);
  const auto at = FindPin(next.pins, pin.shard);
  const bool pinned = at != next.pins.end() && at->shard == pin.shard;
  if (pinned && at->gid == pin.gid) return newest;
  if (pinned) {
    *at = pin;
  } else {
    next.pins.insert(at, pin);
  }
  next.owners[pin.shard.value()] = pin.gid;
  return next;
}

absl::StatusOr<Configuration> Unpin(const Configuration& newest, const proto::Unpin& unpin) {
  const absl::Status status = CheckShard(newest, unpin.shard());
  if (!status.ok()) return status;
  Configuration next = Successor(newest);
  const auto at = FindPin(next.pins, ShardId(unpin.shard()));
  if (at == next.pins.end() || at->shard != ShardId(unpin.shard())) {
    return absl::NotFoundError(
        absl::StrCat("shard ", unpin.shard(), " is not pinned: there is nothing to take away"));
  }
  next.pins.erase(at);
  Balance(next);
  return next;
}

// Who stays keeps the address; of who is new nobody has said one here.
std::vector<Member> MembersFor(const std::vector<Member>& before, const proto::SetMembers& set) {
  std::vector<Member> members;
  for (const uint64_t node : set.nodes()) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const Member& member) {
      return member.node == NodeId(node);
    });
    members.push_back(same != before.end() ? *same : Member{.node = NodeId(node)});
  }
  return members;
}

// Without groups there is nobody who follows it, and the next join needs the handovers of `newest`.
Configuration SetMembers(const Configuration& newest, const proto::SetMembers& set) {
  if (newest.groups.empty()) return newest;
  Configuration next = Successor(newest);
  if (set.gid() == 0) {
    if (set.membership() <= newest.controllers.membership) return newest;
    next.controllers = {.membership = set.membership()};
    for (const uint64_t node : set.nodes()) next.controllers.nodes.push_back(NodeId(node));
    return next;
  }
  for (std::vector<Group>* groups : {&next.groups, &next.former}) {
    const auto group = std::find_if(groups->begin(), groups->end(), [&](const Group& one) {
      return one.gid == GroupId(set.gid()) && one.joined == ConfigurationNum(set.joined());
    });
    if (group == groups->end()) continue;
    if (set.membership() <= group->membership) return newest;
    group->members = MembersFor(group->members, set);
    group->membership = set.membership();
    return next;
  }
  return newest;
}

absl::StatusOr<Configuration> Change(const Configuration& newest, const proto::Command& command,
                                     const ControllerLimits& limits) {
  switch (command.operation_case()) {
    case proto::Command::kJoin:
      return Join(newest, command.join(), limits);
    case proto::Command::kLeave:
      return Leave(newest, command.leave());
    case proto::Command::kMove:
      return Move(newest, command.move());
    case proto::Command::kUnpin:
      return Unpin(newest, command.unpin());
    case proto::Command::kSetMembers:
      return SetMembers(newest, command.set_members());
    default:
      Check(false, "not a change of the configuration");
      return newest;
  }
}

}  // namespace

absl::StatusOr<Configuration> NextConfiguration(const Configuration& newest,
                                                const proto::Command& command,
                                                const ControllerLimits& limits) {
  absl::StatusOr<Configuration> next = Change(newest, command, limits);
  if (!next.ok() || next->num == newest.num) return next;
  SetHandovers(newest, *next);
  const absl::Status valid = Validate(*next);
  Check(valid.ok(), valid.message());
  return next;
}

}  // namespace lockstep::controller
