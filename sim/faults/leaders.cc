#include "sim/faults/leaders.h"

#include <vector>

#include "sim/faults/targets.h"

namespace lockstep::sim {

void Leaders::Elected(GroupId group, uint16_t server) {
  Group& state = groups_[group];
  state.latest = server;
  state.claimants |= One(server);
}

void Leaders::SteppedDown(GroupId group, uint16_t server) { Remove(groups_[group], server); }

void Leaders::Crashed(uint16_t server) {
  for (auto& [group, state] : groups_) Remove(state, server);
}

void Leaders::Remove(Group& group, uint16_t server) {
  group.claimants &= ~One(server);
  if (group.latest == server) group.latest = 0;
}

uint16_t Leaders::Of(GroupId group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.latest;
}

std::optional<Leadership> Leaders::Any(Rng& rng) const {
  std::vector<Leadership> all;
  for (const auto& [group, state] : groups_) {
    if (state.latest != 0) all.push_back({.group = group, .server = state.latest});
  }
  if (all.empty()) return std::nullopt;
  if (all.size() == 1) return all.front();  // without a draw
  const uint64_t which = rng.Below(all.size());
  return all[which];
}

bool Leaders::Claims(GroupId group, uint16_t server) const {
  const auto found = groups_.find(group);
  return found != groups_.end() && Contains(found->second.claimants, server);
}

uint64_t Leaders::Claimants() const {
  uint64_t claimants = 0;
  for (const auto& [group, state] : groups_) claimants |= state.claimants;
  return claimants;
}

}  // namespace lockstep::sim
