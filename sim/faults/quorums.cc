#include "sim/faults/quorums.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/base/check.h"

namespace lockstep::sim {

Quorums::Quorums(absl::btree_map<GroupId, uint64_t> groups) : groups_(std::move(groups)) {
  Check(!groups_.empty());
  for (const auto& [group, members] : groups_) Check(members != 0, "a group has members");
}

bool Quorums::Differ() const {
  const uint64_t first = groups_.begin()->second;
  return std::any_of(groups_.begin(), groups_.end(),
                     [first](const auto& entry) { return entry.second != first; });
}

bool Quorums::CanSpare(uint64_t servers) const {
  return std::all_of(groups_.begin(), groups_.end(), [&](const auto& entry) {
    return CanSpare(entry.first, entry.second, servers);
  });
}

bool Quorums::CanSpare(GroupId group, uint64_t members, uint64_t servers) const {
  const auto keeps_majority = [servers](uint64_t set) {
    return 2 * std::popcount(set & ~servers) > std::popcount(set);
  };
  const auto found = deciding_.find(group);
  if (found == deciding_.end()) return keeps_majority(members);
  const std::vector<uint64_t> sets = found->second();
  return std::all_of(sets.begin(), sets.end(), keeps_majority);
}

uint64_t Quorums::Spare(uint64_t gone) const {
  uint64_t spare = 0;
  for (const auto& [group, members] : groups_) {
    for (uint64_t left = members & ~gone; left != 0; left &= left - 1) {
      const uint64_t lowest = left & ~(left - 1);
      if (CanSpare(gone | lowest)) spare |= lowest;
    }
  }
  return spare;
}

uint64_t Quorums::SpareCount(uint64_t gone) const {
  uint64_t count = 0;
  while (const uint64_t spare = Spare(gone)) {
    gone |= spare & ~(spare - 1);
    ++count;
  }
  return count;
}

}  // namespace lockstep::sim
