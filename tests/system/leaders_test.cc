// Where leaders are: spread over the nodes, while clients work and nodes come and go.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/system/support/load.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

// How many groups each node leads, the controller's among them; empty: some group has no leader.
std::map<uint64_t, uint64_t> LedBy(RealCluster& cluster) {
  std::map<uint64_t, uint64_t> led;
  for (const uint64_t node : cluster.RunningNodes()) led[node] = 0;
  std::vector<uint64_t> groups = cluster.AllGroups();
  groups.push_back(kController);
  for (const uint64_t group : groups) {
    const std::optional<uint64_t> leader = cluster.LeaderOf(group);
    if (!leader.has_value()) return {};
    ++led[*leader];
  }
  return led;
}

bool IsEven(const std::map<uint64_t, uint64_t>& led) {
  if (led.empty()) return false;
  const auto [least, most] = std::minmax_element(
      led.begin(), led.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->second <= least->second + 1;
}

void ExpectEven(RealCluster& cluster) {
  std::map<uint64_t, uint64_t> led;
  const bool even = WaitUntil(
      [&] {
        led = LedBy(cluster);
        return IsEven(led);
      },
      kSettlePatience);
  std::string text;
  for (const auto& [node, groups] : led) absl::StrAppend(&text, " ", node, ":", groups);
  EXPECT_TRUE(even) << "groups led by each node:" << text;
}

TEST(Leaders, AreSpreadOverTheNodes) {
  RealClusterOptions options{.nodes = 3, .shards = 16, .leader_spread_ms = 300 * kSlowness};
  for (uint64_t gid = kFirstGroup; gid < kFirstGroup + 5; ++gid) options.groups[gid] = {1, 2, 3};
  RealCluster cluster(options);
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 61});
  load.ExpectProgress();
  ExpectEven(cluster);
  // The others take over what it led; when it is back it gets its share again.
  cluster.Terminate(2);
  load.ExpectProgress();
  ExpectEven(cluster);
  cluster.Start(2);
  ASSERT_TRUE(cluster.AwaitServing());
  ExpectEven(cluster);
  EXPECT_EQ(LedBy(cluster)[2], 2u) << "of six";
  load.StopAndJudge();
  cluster.ExpectSettled();
  cluster.ExpectLevel();
}

}  // namespace
}  // namespace lockstep::system
