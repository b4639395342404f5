// Networks that lose, delay and cut, in both directions or in one. Each node is a machine on a wire
// (NetworkLab); clients reach all of them.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "tests/system/support/load.h"
#include "tests/system/support/network_lab.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Networks : public ::testing::Test {
 protected:
  void SetUp() override {
    auto lab = NetworkLab::Create(/*nodes=*/3, /*seed=*/1);
    if (!lab.ok()) GTEST_SKIP() << lab.status();
    lab_ = *std::move(lab);
    cluster_ = std::make_unique<RealCluster>(RealClusterOptions{.nodes = 3, .lab = lab_.get()});
    cluster_->StartAll();
    ASSERT_TRUE(cluster_->AwaitServing());
  }

  void Judge(Load& load) {
    lab_->MendAll();
    lab_->SetWeather({});
    ASSERT_TRUE(cluster_->AwaitServing());
    load.StopAndJudge();
    cluster_->ExpectLevel();
  }

  std::unique_ptr<NetworkLab> lab_;
  std::unique_ptr<RealCluster> cluster_;
};

TEST_F(Networks, LeadersAreCutOffAndComeBack) {
  Load load(*cluster_, {.seed = 21});
  for (const uint64_t group : {kFirstGroup, kSecondGroup}) {
    const uint64_t leader = cluster_->AwaitLeader(group);
    lab_->Isolate(leader);
    cluster_->AwaitLeader(group, leader);
    load.ExpectProgress();
    lab_->MendAll();
    ASSERT_TRUE(cluster_->AwaitServing());
    load.ExpectProgress();
  }
  EXPECT_GT(lab_->frames_lost(), 0u);
  Judge(load);
}

// It is heard and hears nothing: its heartbeats must not keep a leader in office who commits
// nothing.
TEST_F(Networks, ALeaderThatHearsNobodyIsReplaced) {
  Load load(*cluster_, {.seed = 22});
  const uint64_t leader = cluster_->AwaitLeader(kFirstGroup);
  for (const uint64_t other : cluster_->Nodes()) {
    if (other != leader) lab_->CutOneWay(other, leader);
  }
  cluster_->AwaitLeader(kFirstGroup, leader);
  load.ExpectProgress();
  Judge(load);
}

// It hears and is not heard: once it is mended, it must not unseat a leader that everybody follows.
TEST_F(Networks, AFollowerThatNobodyHearsDisturbsNobody) {
  Load load(*cluster_, {.seed = 23});
  const uint64_t leader = cluster_->AwaitLeader(kFirstGroup);
  const uint64_t follower = 1 + leader % cluster_->options().nodes;
  for (const uint64_t other : cluster_->Nodes()) {
    if (other != follower) lab_->CutOneWay(follower, other);
  }
  load.ExpectProgress(100);
  SleepFor(milliseconds(3 * cluster_->options().election_timeout_ms));
  Judge(load);
}

// Two that do not hear each other, and a third that hears both: somebody must lead all the same.
TEST_F(Networks, ACutBetweenTwoOfThreeStopsNobody) {
  Load load(*cluster_, {.seed = 24});
  for (uint64_t hub = 1; hub <= 3; ++hub) {
    lab_->Cut(1 + hub % 3, 1 + (hub + 1) % 3);
    SleepFor(milliseconds(2 * cluster_->options().election_timeout_ms));
    load.ExpectProgress();
    lab_->MendAll();
  }
  Judge(load);
}

TEST_F(Networks, BadWeatherSlowsAndLosesNothing) {
  Load load(*cluster_, {.seed = 25});
  for (const uint32_t lost_permille : {10u, 50u, 150u}) {
    lab_->SetWeather({.lost_permille = lost_permille,
                      .delay_min = milliseconds(1),
                      .delay_max = milliseconds(20)});
    load.ExpectProgress(60);
  }
  Judge(load);
}

}  // namespace
}  // namespace lockstep::system
