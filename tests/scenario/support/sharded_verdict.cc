// The end of a scenario with shards.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {

// Empty: every replica of every group has executed all that its leader has in its log.
std::string ShardedCluster::WhyNotAtRest() {
  for (const auto& [gid, servers] : servers_) {
    const NodeId leader = LeaderOf(gid);
    if (!leader) return absl::StrCat("group ", gid.value(), " has no leader");
    for (const NodeId server : servers) {
      if (IsLost(server)) continue;
      if (!IsUp(server) || !IsAtRest(HostOf(server))) {
        return absl::StrCat("server ", server.value(), " is at work");
      }
      if (AppliedOf(server, gid) != ReplicaOn(leader, gid).last) {
        return absl::StrCat("server ", server.value(), " lags in group ", gid.value());
      }
    }
  }
  return "";
}

void ShardedCluster::JudgeShards(NodeId server, GroupId gid) {
  watch_.shards().CheckTable(server, gid, [&](sim::ShardChecker::Visit visit) {
    EXPECT_TRUE(HostOf(server).VisitTable(gid, visit)) << "a healthy table cannot be read";
  });
}

void ShardedCluster::Finish() {
  if (!BeginEnd()) return;
  Heal();
  // Without a group clients would wait for one.
  if (!broken() && newest().groups.empty() && !AllGroups().empty()) Join(AllGroups());
  LetClientsFinish();
  const auto administrators_are_done = [&] {
    return std::all_of(administrators_.begin(), administrators_.end(),
                       [](const auto& one) { return one->Done(); });
  };
  EXPECT_TRUE(RunUntil(administrators_are_done, kPatience) || broken());
  if (!AllGroups().empty() && !broken()) ExpectSettled(kHealPatience);
  ReadEveryKey();
  const bool converged = RunUntil([&] { return WhyNotAtRest().empty(); }, kHealPatience);
  EXPECT_TRUE(converged || broken()) << "healed, but not at rest: " << WhyNotAtRest();
  if (!converged) return;
  for (const auto& [gid, servers] : servers_) {
    for (const NodeId server : servers) {
      if (IsLost(server)) continue;
      JudgeTable(server, gid);
      if (gid != kControllerGroup) JudgeShards(server, gid);
    }
  }
  watch_.checkers().AtEnd();
  LookForFindings();
  for (const auto& one : administrators_) {
    one->Judge(watch_.checkers().sessions(kControllerGroup));
  }
  JudgeHistory(GroupId());
}

}  // namespace lockstep::scenario
