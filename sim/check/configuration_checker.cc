#include "sim/check/configuration_checker.h"

#include <algorithm>

#include "absl/container/btree_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/raft/group_configuration.h"

namespace lockstep::sim {

using controller::Configuration;
using controller::Group;
using controller::Handover;
using controller::Pin;

std::string ConfigurationChecker::OnNew(const Configuration& next) {
  std::string wrong;
  if (next.num != newest_.num.Next()) wrong = "its number is not the next one";
  if (wrong.empty()) wrong = CheckMembers(next);
  const bool replaces = Replaces(next);
  if (wrong.empty()) wrong = replaces ? CheckReplacement(next) : CheckPins(next);
  if (wrong.empty() && !replaces && next.former != FormerIn(next)) {
    wrong = "former groups are not those that have left";
  }
  if (wrong.empty()) wrong = CheckHandovers(next);
  if (wrong.empty() && !replaces) wrong = SameGroups(next) ? CheckMoves(next) : CheckBalance(next);
  if (replaces) ++replacements_;
  newest_ = next;
  return wrong;
}

// --- Replaced members

void ConfigurationChecker::OnMembersCommitted(GroupId group, const Entry& entry) {
  const absl::StatusOr<raft::GroupConfiguration> members =
      raft::DecodeConfiguration(entry.data.view());
  Check(members.ok(), "a committed configuration cannot be read");
  if (members->phase != raft::ChangePhase::kSettled) return;
  std::vector<NodeId>& voters = committed_[{group, entry.index.value()}];
  for (const raft::GroupMember& member : members->members) {
    if (member.after == raft::Standing::kVoter) voters.push_back(member.node);
  }
}

// Those of before, and those that leave with `next`: as many as are kept.
std::vector<Group> ConfigurationChecker::FormerIn(const Configuration& next) const {
  std::vector<Group> former = newest_.former;
  for (const Group& group : newest_.groups) {
    const Group* after = next.Find(group.gid);
    if (after == nullptr || after->joined != group.joined) former.push_back(group);
  }
  while (former.size() > controller::kFormerMax) former.erase(former.begin());
  return former;
}

bool ConfigurationChecker::Replaces(const Configuration& next) const {
  if (next.controllers != newest_.controllers) return true;
  if (next.former != newest_.former && SameGroups(next)) return true;
  return std::any_of(next.groups.begin(), next.groups.end(), [&](const Group& group) {
    const Group* before = newest_.Find(group.gid);
    return before != nullptr && group != *before;
  });
}

std::string ConfigurationChecker::CheckReplacement(const Configuration& next) const {
  if (!SameGroups(next)) return "groups come or go while members are replaced";
  if (next.owners != newest_.owners) return "shards move while members are replaced";
  if (next.pins != newest_.pins) return "pins come or go while members are replaced";
  size_t replaced = 0;
  std::string wrong;
  if (next.controllers != newest_.controllers) {
    ++replaced;
    wrong = CheckVoters(GroupId(), newest_.controllers.membership, next.controllers.membership,
                        next.controllers.nodes);
  }
  const auto compare = [&](const Group& before, const Group& group) {
    if (group == before) return;
    ++replaced;
    std::vector<NodeId> nodes;
    for (const controller::Member& member : group.members) nodes.push_back(member.node);
    if (wrong.empty()) wrong = CheckVoters(group.gid, before.membership, group.membership, nodes);
  };
  for (const Group& group : next.groups) compare(*newest_.Find(group.gid), group);
  const bool same = std::equal(
      next.former.begin(), next.former.end(), newest_.former.begin(), newest_.former.end(),
      [](const Group& a, const Group& b) { return a.gid == b.gid && a.joined == b.joined; });
  if (!same) return "former groups come or go while members are replaced";
  for (size_t i = 0; i < next.former.size(); ++i) compare(newest_.former[i], next.former[i]);
  if (replaced != 1) return absl::StrCat("members of ", replaced, " groups are replaced at once");
  return wrong;
}

std::string ConfigurationChecker::CheckVoters(GroupId group, uint64_t before, uint64_t membership,
                                              const std::vector<NodeId>& nodes) const {
  const std::string whose =
      absl::StrCat("the members of group ", group.value(), " by its own ", membership);
  if (membership <= before) return absl::StrCat(whose, " replace those by ", before);
  const auto committed = committed_.find({group, membership});
  if (committed == committed_.end()) return absl::StrCat(whose, ", which it has not committed");
  if (committed->second != nodes) return absl::StrCat(whose, " are others than it says");
  return "";
}

// --- Everything else

GroupId ConfigurationChecker::OwnerBefore(size_t shard) const {
  return shard < newest_.owners.size() ? newest_.owners[shard] : GroupId();
}

bool ConfigurationChecker::SameGroups(const Configuration& next) const {
  return std::equal(
      newest_.groups.begin(), newest_.groups.end(), next.groups.begin(), next.groups.end(),
      [](const Group& a, const Group& b) { return a.gid == b.gid && a.joined == b.joined; });
}

// Who stays is as before, and who is new says so.
std::string ConfigurationChecker::CheckMembers(const Configuration& next) const {
  for (const Group& group : next.groups) {
    const Group* before = newest_.Find(group.gid);
    const bool right = before == nullptr ? group.joined == next.num && group.membership == 0
                                         : group.joined == before->joined;
    if (!right) return absl::StrCat("group ", group.gid.value(), " is not as it was");
  }
  if (newest_.shards() != 0 && next.shards() != newest_.shards()) return "shards come or go";
  for (size_t shard = 0; shard < next.owners.size(); ++shard) {
    const GroupId owner = next.owners[shard];
    const bool right = next.groups.empty() ? owner == GroupId() : next.Find(owner) != nullptr;
    if (!right) return absl::StrCat("shard ", shard, " is given to who is no member");
  }
  return "";
}

std::string ConfigurationChecker::CheckPins(const Configuration& next) const {
  for (const Pin& pin : next.pins) {
    if (next.owners[pin.shard.value()] == pin.gid) continue;
    return absl::StrCat("shard ", pin.shard.value(), " is not where it is pinned");
  }
  std::vector<Pin> kept;
  for (const Pin& pin : newest_.pins) {
    if (next.Find(pin.gid) != nullptr) kept.push_back(pin);
  }
  if (!SameGroups(next)) return kept == next.pins ? "" : "pins come or go with members";
  absl::btree_set<ShardId> changed;
  for (const Pin& pin : kept) {
    if (std::find(next.pins.begin(), next.pins.end(), pin) == next.pins.end()) {
      changed.insert(pin.shard);
    }
  }
  for (const Pin& pin : next.pins) {
    if (std::find(kept.begin(), kept.end(), pin) == kept.end()) changed.insert(pin.shard);
  }
  return changed.size() == 1 ? "" : "neither members nor one pin have changed";
}

std::string ConfigurationChecker::CheckHandovers(const Configuration& next) {
  holders_.resize(next.owners.size());
  auto handover = next.handovers.begin();
  for (size_t shard = 0; shard < next.owners.size(); ++shard) {
    if (next.owners[shard] == OwnerBefore(shard)) continue;
    Holder& holder = holders_[shard];
    if (OwnerBefore(shard) != GroupId()) holder = {OwnerBefore(shard), next.num};
    const Handover right{.shard = ShardId(shard),
                         .from = holder.gid,
                         .to = next.owners[shard],
                         .ended = holder.ended};
    if (handover == next.handovers.end() || *handover != right) {
      return absl::StrCat("shard ", shard, " goes from group ", holder.gid.value(), " to ",
                          next.owners[shard].value(), ", which its handovers do not say");
    }
    ++handover;
  }
  return handover == next.handovers.end() ? "" : "a shard is handed over that stays";
}

absl::btree_map<GroupId, ConfigurationChecker::Share> ConfigurationChecker::SharesIn(
    const Configuration& next) const {
  absl::btree_map<GroupId, Share> shares;
  for (const Group& group : next.groups) shares[group.gid];
  for (size_t shard = 0; shard < next.owners.size(); ++shard) {
    const auto before = shares.find(OwnerBefore(shard));
    if (before != shares.end()) ++before->second.before;
    const auto after = shares.find(next.owners[shard]);
    if (after != shares.end()) ++after->second.after;
  }
  for (const Pin& pin : next.pins) ++shares[pin.gid].pinned;
  return shares;
}

// Evenly, as far as pins allow; and nobody gives what another one need not take.
std::string ConfigurationChecker::CheckBalance(const Configuration& next) const {
  const auto shares = SharesIn(next);
  size_t moved = 0;
  size_t needed = 0;
  for (size_t shard = 0; shard < next.owners.size(); ++shard) {
    const GroupId before = OwnerBefore(shard);
    if (next.owners[shard] != before) ++moved;
    if (next.owners[shard] != before && !shares.contains(before)) ++needed;
  }
  for (const auto& [gid, one] : shares) {
    needed += one.before > one.after ? one.before - one.after : 0;
    const bool movable = one.after > one.pinned;
    for (const auto& [other_gid, other] : shares) {
      const std::string whose = absl::StrCat("group ", gid.value(), " has ", one.after,
                                             " shards, group ", other_gid.value(), " has ");
      if (movable && one.after > other.after + 1) return absl::StrCat(whose, other.after);
      const bool instead = one.after > one.before && other.after < other.before;
      if (movable && instead && one.after == other.after + 1) {
        return absl::StrCat(whose, other.after, ", but had ", other.before);
      }
    }
  }
  if (moved == needed) return "";
  return absl::StrCat(moved, " shards move, but ", needed, " are enough");
}

// One pin was set or lifted.
std::string ConfigurationChecker::CheckMoves(const Configuration& next) const {
  if (next.pins.size() < newest_.pins.size()) return CheckBalance(next);
  for (const Handover& handover : next.handovers) {
    const bool pinned = std::any_of(next.pins.begin(), next.pins.end(),
                                    [&](const Pin& pin) { return pin.shard == handover.shard; });
    if (!pinned || next.handovers.size() > 1) {
      return absl::StrCat("shard ", handover.shard.value(), " moves without need");
    }
  }
  return "";
}

}  // namespace lockstep::sim
