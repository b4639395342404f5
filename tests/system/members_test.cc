// Nodes come into groups and the controller, and go, while clients work.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "net/client/failure.h"
#include "net/client/store.h"
#include "tests/system/support/load.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using std::chrono::milliseconds;

// One node founds a cluster; others come, the founder goes, and one that came last is left.
TEST(Members, OneBecomesSevenAndOneAgain) {
  RealCluster cluster({.nodes = 7, .founders = 1, .groups = {{kFirstGroup, {1}}}, .shards = 4});
  cluster.Start(1);
  ASSERT_TRUE(cluster.AwaitServing());
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 51});
  load.ExpectProgress();
  std::vector<uint64_t> voters = {1};
  for (uint64_t node = 2; node <= 7; ++node) {
    cluster.AddNode(node);
    voters.push_back(node);
    ASSERT_TRUE(cluster.ExpectVoters(voters));
    load.ExpectProgress();
  }
  for (const uint64_t node : std::vector<uint64_t>{6, 1, 4, 2, 5, 3}) {
    cluster.RemoveNode(node);
    voters.erase(std::find(voters.begin(), voters.end(), node));
    ASSERT_TRUE(cluster.ExpectVoters(voters));
    load.ExpectProgress();
    // Down to three they only have no say any more; then they are gone.
    if (voters.size() == 3) {
      for (const uint64_t gone : std::vector<uint64_t>{1, 2, 4, 6}) cluster.Terminate(gone);
    }
    if (voters.size() < 3) cluster.Terminate(node);
    load.ExpectProgress();
  }
  load.StopAndJudge();
  cluster.ExpectSettled();
  cluster.ExpectLevel();
}

// A client that says nothing meanwhile knows of one node, which was the cluster and is gone.
TEST(Members, WhoSleptFindsTheNodesThatCame) {
  RealCluster cluster({.nodes = 4, .founders = 1, .groups = {{kFirstGroup, {1}}}, .shards = 4});
  cluster.Start(1);
  ASSERT_TRUE(cluster.AwaitServing());
  client::StoreOptions options;
  options.servers = cluster.GrpcAddresses();
  const std::unique_ptr<client::Store> sleeper = *client::Store::Open(std::move(options));
  ASSERT_TRUE(sleeper->Put("k", "before").ok());
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  std::vector<uint64_t> voters = {1};
  for (uint64_t node = 2; node <= 4; ++node) {
    cluster.AddNode(node);
    voters.push_back(node);
    ASSERT_TRUE(cluster.ExpectVoters(voters));
  }
  cluster.RemoveNode(1);
  ASSERT_TRUE(cluster.ExpectVoters({2, 3, 4}));
  cluster.Terminate(1);
  const auto woken = sleeper->Get("k");
  ASSERT_TRUE(woken.ok()) << woken.status();
  EXPECT_EQ(woken->value, "before");
  // By the controller, which only the others can name.
  const auto configuration = sleeper->Query({});
  ASSERT_TRUE(configuration.ok()) << configuration.status();
  EXPECT_TRUE(sleeper->Put("k", "after").ok());
  cluster.ExpectSettled();
  cluster.ExpectLevel();
}

// What is added survives: it restarts, and the founders are not needed any more.
TEST(Members, MembersThatCameAreMembersAfterARestart) {
  RealCluster cluster({.nodes = 5, .founders = 1, .groups = {{kFirstGroup, {1}}}, .shards = 4});
  cluster.Start(1);
  ASSERT_TRUE(cluster.AwaitServing());
  cluster.StartAll();
  Load load(cluster, {.seed = 52});
  std::vector<uint64_t> voters = {1};
  for (uint64_t node = 2; node <= 5; ++node) {
    cluster.AddNode(node);
    voters.push_back(node);
    ASSERT_TRUE(cluster.ExpectVoters(voters));
  }
  cluster.KillAll();
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  load.ExpectProgress();
  cluster.Kill(1);
  cluster.Kill(2);
  load.ExpectProgress();
  cluster.Start(1);
  cluster.Start(2);
  ASSERT_TRUE(cluster.AwaitServing());
  cluster.ExpectVoters({1, 2, 3, 4, 5});
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// The three others have a majority of two all along; then the next may die.
TEST(Members, ADeadNodeIsReplacedInOneChange) {
  RealCluster cluster({.nodes = 4, .founders = 3});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 53});
  load.ExpectProgress();
  cluster.Kill(2);
  cluster.ReplaceNode(2, 4);
  ASSERT_TRUE(cluster.ExpectVoters({1, 3, 4}));
  load.ExpectProgress();
  cluster.Kill(cluster.AwaitLeader(kFirstGroup));
  load.ExpectProgress();
  cluster.StartAll();  // Who was replaced comes back, too, and has no say.
  load.ExpectProgress();
  ASSERT_TRUE(cluster.ExpectVoters({1, 3, 4}));
  ASSERT_TRUE(cluster.AwaitServing());
  load.StopAndJudge();
  cluster.ExpectSettled();
  cluster.ExpectLevel();
}

// One change at a time: what comes in between is refused, and changes nothing.
TEST(Members, ChangesDoNotOverlap) {
  RealCluster cluster(
      {.nodes = 5, .founders = 3, .groups = {{kFirstGroup, {1, 2, 3}}}, .faulty_disks = true});
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Load load(cluster, {.seed = 54});
  load.ExpectProgress();
  // It answers, but what it receives is long in coming to its disk: it does not catch up.
  cluster.disk(4).SlowSyncs(milliseconds(4000) * kSlowness);
  v1::AddNodeRequest slow;
  slow.set_node(4);
  slow.add_groups(kFirstGroup);
  const auto begun = cluster.store().AddNode(slow);
  ASSERT_TRUE(begun.ok()) << begun.status();
  ASSERT_EQ(begun->groups_size(), 1);
  EXPECT_EQ(begun->groups(0).outcome(), v1::GroupChange::BEGUN);

  v1::AddNodeRequest other = slow;
  other.set_node(5);
  v1::RemoveNodeRequest leaver;
  leaver.set_node(3);
  leaver.add_groups(kFirstGroup);
  for (const absl::Status& refused :
       {cluster.store().AddNode(other).status(), cluster.store().RemoveNode(leaver).status()}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
    EXPECT_EQ(client::EffectOf(refused), client::Effect::kNone) << refused;
    const auto failure = client::FailureOf(refused);
    ASSERT_TRUE(failure.has_value());
    ASSERT_EQ(failure->groups_size(), 1);
    EXPECT_EQ(failure->groups(0).reason(), v1::GroupChange::CHANGE_PENDING) << refused;
  }
  const auto again = cluster.store().AddNode(slow);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->groups(0).outcome(), v1::GroupChange::UNCHANGED) << "it joins already";
  load.ExpectProgress();

  leaver.set_node(4);
  const auto off = cluster.store().RemoveNode(leaver);
  ASSERT_TRUE(off.ok()) << off.status();
  EXPECT_TRUE(cluster.ExpectVoters({1, 2, 3}));
  cluster.disk(4).Heal();
  cluster.AddNode(4);
  EXPECT_TRUE(cluster.ExpectVoters({1, 2, 3, 4}));
  load.StopAndJudge();
  cluster.ExpectLevel();
}

// The command line, by both protocols, from the first word to the last.
TEST(Members, TheCommandLineWaitsUntilItIsDone) {
  RealCluster cluster({.nodes = 3, .founders = 1, .groups = {{kFirstGroup, {1}}}, .shards = 4});
  cluster.Start(1);
  ASSERT_TRUE(cluster.AwaitServing());
  const RealCluster::CommandEnd early = cluster.RunCommand({"node", "add", "2"});
  EXPECT_EQ(early.exit_code, 2) << early.out << early.err;
  EXPECT_TRUE(absl::StrContains(early.err, "lockstepd --join")) << early.err;
  cluster.StartAll();
  // It may take a moment until the new node is known.
  RealCluster::CommandEnd added;
  WaitUntil(
      [&] {
        added = cluster.RunCommand(
            {"node", "add", "2", "--address", cluster.PeerAddressOf(2), "-t", "30s"});
        return added.exit_code == 0;
      },
      kSettlePatience);
  EXPECT_EQ(added.exit_code, 0) << added.out << added.err;
  EXPECT_TRUE(absl::StrContains(added.err, "group 101: settled: members 1, 2")) << added.err;
  EXPECT_TRUE(cluster.ExpectVoters({1, 2}));
  RealCluster::CommandEnd replaced;
  WaitUntil(
      [&] {
        replaced = cluster.RunCommand({"node", "replace", "1", "3", "-t", "30s"}, /*http=*/true);
        return replaced.exit_code == 0;
      },
      kSettlePatience);
  EXPECT_EQ(replaced.exit_code, 0) << replaced.out << replaced.err;
  EXPECT_TRUE(cluster.ExpectVoters({2, 3}));
  const RealCluster::CommandEnd list =
      cluster.RunCommand({"node", "list", "-f", "plain"}, /*http=*/true);
  EXPECT_EQ(list.exit_code, 0);
  for (const char* row : {"\t2\tvoter\t", "\t3\tvoter\t", "node\t1\tOnline"}) {
    EXPECT_TRUE(absl::StrContains(list.out, row)) << list.out;
  }
  const RealCluster::CommandEnd nobody = cluster.RunCommand({"node", "remove", "1"});
  EXPECT_EQ(nobody.exit_code, 0) << nobody.err;
  EXPECT_TRUE(absl::StrContains(nobody.out, "nothing to change")) << nobody.out;
}

}  // namespace
}  // namespace lockstep::system
