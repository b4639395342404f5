#include "tests/system/worlds/world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lockstep::system {

void World::KillAll() {
  for (uint64_t node = 1; node <= spec_.nodes; ++node) Kill(node);
}

void World::RestartAll() {
  for (uint64_t node = 1; node <= spec_.nodes; ++node) Restart(node);
}

void World::Isolate(uint64_t node) {
  for (uint64_t other = 1; other <= spec_.nodes; ++other) {
    if (other == node) continue;
    CutOneWay(node, other);
    CutOneWay(other, node);
  }
}

uint64_t World::AwaitLeader(uint64_t group, uint64_t but) {
  uint64_t leader = 0;
  Await(
      [&] {
        leader = LeaderOf(group);
        return leader != 0 && leader != but;
      },
      patience());
  EXPECT_TRUE(leader != 0 && leader != but)
      << "nobody but node " << but << " leads group " << group;
  return leader == 0 ? 1 : leader;
}

bool World::AwaitDone(CallId call) {
  return Await([&] { return FateOf(call) != Fate::kOpen; }, patience());
}

uint64_t World::FollowerOf(uint64_t group) {
  constexpr uint64_t kFirstGid = 100;
  const std::vector<uint64_t>& members =
      group == kControllerGroup ? spec_.groups.front() : spec_.groups[group - kFirstGid];
  const uint64_t leader = AwaitLeader(group);
  return members.front() == leader ? members.back() : members.front();
}

}  // namespace lockstep::system
