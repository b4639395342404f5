// The groups of a run as sets of servers (bit n: server n), and how many of them may be missing:
// what is lost for ever is never a majority of any group.
#ifndef LOCKSTEP_SIM_FAULTS_QUORUMS_H_
#define LOCKSTEP_SIM_FAULTS_QUORUMS_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"

namespace lockstep::sim {

class Quorums {
 public:
  // Who decides in a group, where that changes: sets of servers (bits), of each of which a majority
  // may be needed.
  using Deciding = std::function<std::vector<uint64_t>()>;

  // The members of each group. REQUIRES: there is a group, and none is empty.
  explicit Quorums(absl::btree_map<GroupId, uint64_t> groups);
  // Of servers that are one group, or whose groups nobody knows.
  static Quorums OfAll(uint64_t servers) { return Quorums({{GroupId(1), servers}}); }

  // From now on `deciding` says who decides in the group; its members are where its replicas are.
  void Follow(GroupId group, Deciding deciding) { deciding_[group] = std::move(deciding); }

  const absl::btree_map<GroupId, uint64_t>& groups() const { return groups_; }
  // REQUIRES: there is such a group.
  uint64_t members(GroupId group) const { return groups_.at(group); }
  // Whether there are groups with different members.
  bool Differ() const;

  // Whether every group keeps a majority without these servers.
  bool CanSpare(uint64_t servers) const;
  // Whether this group does. REQUIRES: there is such a group.
  bool CanSpare(GroupId group, uint64_t servers) const {
    return CanSpare(group, members(group), servers);
  }
  // The servers each of which, but perhaps not two of which, may be missing besides `gone`.
  uint64_t Spare(uint64_t gone) const;
  // How many may be missing besides `gone`, if those with the smallest numbers go first.
  uint64_t SpareCount(uint64_t gone) const;

 private:
  bool CanSpare(GroupId group, uint64_t members, uint64_t servers) const;

  absl::btree_map<GroupId, uint64_t> groups_;
  absl::btree_map<GroupId, Deciding> deciding_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_QUORUMS_H_
