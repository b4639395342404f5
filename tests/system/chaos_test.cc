// Everything that can go wrong, drawn from a seed, for as long as LOCKSTEP_SYSTEM_SECONDS says:
// nodes are killed, stopped, restarted and stand still; links are cut, one way or both, and lose
// and delay; disks fail and linger; groups come and go, shards move and leaders hand over. At most
// a minority is hit at a time, so that clients must be served all along.
//
// LOCKSTEP_SYSTEM_SEED repeats the orders of a run; when they arrive is up to the machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstepd_exit.h"
#include "core/base/rng.h"
#include "tests/system/support/load.h"
#include "tests/system/support/network_lab.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A round is judged by itself: histories stay small, and a violation is found soon.
constexpr Duration kRound = seconds(30);

uint64_t SeedOfThisRun() {
  const char* const text = std::getenv("LOCKSTEP_SYSTEM_SEED");
  uint64_t seed = 0;
  if (text != nullptr && absl::SimpleAtoi(text, &seed)) return seed;
  return std::random_device()();
}

class Chaos {
 public:
  explicit Chaos(uint64_t seed) : seed_(seed), rng_(Rng(seed).Split("chaos")) {}

  // False: the test cannot go on.
  bool Begin() {
    auto lab = NetworkLab::Create(kNodes, seed_);
    if (lab.ok()) {
      lab_ = *std::move(lab);
    } else {
      std::cout << "  no links are cut: " << lab.status().message() << "\n";
    }
    cluster_ = std::make_unique<RealCluster>(RealClusterOptions{.nodes = kNodes,
                                                                .shards = 12,
                                                                .leader_spread_ms = 2000,
                                                                .faulty_disks = true,
                                                                .lab = lab_.get()});
    cluster_->StartAll();
    return cluster_->AwaitServing();
  }

  void Run(Duration span) {
    const Instant end = Now() + span;
    for (uint64_t round = 1; Now() < end && !::testing::Test::HasFailure(); ++round) {
      RunRound(round, std::min<Duration>(kRound, end - Now()));
    }
    for (const auto& [what, count] : done_) std::cout << "  " << what << ": " << count << "\n";
  }

 private:
  static constexpr uint16_t kNodes = 3;

  void RunRound(uint64_t round, Duration span) {
    Load load(*cluster_, {.seed = rng_.Next(), .prefix = absl::StrCat("r", round, "-")});
    const Instant end = Now() + span;
    while (Now() < end && !::testing::Test::HasFailure()) {
      OneFault();
      load.ExpectProgress(5);
    }
    Heal();
    ASSERT_TRUE(cluster_->AwaitServing());
    load.StopAndJudge();
    cluster_->ExpectSettled();
    cluster_->ExpectLevel();
  }

  void Count(const std::string& what) { ++done_[what]; }
  uint64_t AnyNode() { return 1 + rng_.Below(kNodes); }
  void Wait(milliseconds longest) { SleepFor(rng_.Between(Duration(0), Duration(longest))); }

  // One fault and its end.
  void OneFault() {
    constexpr uint64_t kKinds = 12;
    switch (rng_.Below(kKinds)) {
      case 0:
      case 1:
        return KillOne();
      case 2:
        return KillAll();
      case 3:
        return StopOne();
      case 4:
        return PauseOne();
      case 5:
        return CutOne();
      case 6:
        return Weather();
      case 7:
        return FailSync();
      case 8:
        return SlowDisk();
      case 9:
        return ComeAndGo();
      case 10:
        return MoveShards();
      default:
        return Transfer();
    }
  }

  void KillOne() {
    Count("nodes killed");
    const uint64_t node = AnyNode();
    cluster_->Kill(node);
    Wait(milliseconds(2000));
    cluster_->Start(node);
    AwaitUp();
  }
  void KillAll() {
    Count("all nodes killed");
    cluster_->KillAll();
    cluster_->StartAll();
    AwaitUp();
  }
  void StopOne() {
    Count("nodes stopped");
    const uint64_t node = AnyNode();
    cluster_->Terminate(node);
    Wait(milliseconds(1000));
    cluster_->Start(node);
    AwaitUp();
  }
  void PauseOne() {
    Count("nodes stood still");
    const uint64_t node = AnyNode();
    cluster_->Pause(node);
    Wait(milliseconds(4000));
    cluster_->Resume(node);
  }
  void CutOne() {
    if (lab_ == nullptr) return;
    const uint64_t node = AnyNode();
    const uint64_t direction = rng_.Below(3);
    Count(direction == 2 ? "nodes cut off" : "nodes cut off one way");
    for (uint64_t other = 1; other <= kNodes; ++other) {
      if (other == node) continue;
      if (direction != 0) lab_->CutOneWay(node, other);
      if (direction != 1) lab_->CutOneWay(other, node);
    }
    Wait(milliseconds(4000));
    lab_->MendAll();
  }
  void Weather() {
    if (lab_ == nullptr) return;
    Count("bad weather");
    LinkWeather weather;
    weather.lost_permille = static_cast<uint32_t>(rng_.Below(200));
    weather.delay_max = rng_.Between(Duration(0), Duration(milliseconds(50)));
    lab_->SetWeather(weather);
    Wait(milliseconds(4000));
    lab_->SetWeather({});
  }
  void FailSync() {
    Count("disks failed");
    const uint64_t node = AnyNode();
    cluster_->disk(node).FailSyncs(EIO);
    const std::optional<ChildEnd> end = cluster_->AwaitEnd(node);
    ASSERT_TRUE(end.has_value()) << "node " << node << " goes on without its disk";
    EXPECT_EQ(end->code, static_cast<int>(lockstepd::ExitCode::kDiskFailed)) << Describe(*end);
    cluster_->disk(node).Heal();
    cluster_->Start(node);
    AwaitUp();
  }
  void SlowDisk() {
    Count("disks lingered");
    const uint64_t node = AnyNode();
    cluster_->disk(node).SlowSyncs(milliseconds(rng_.Magnitude(1, 2000)));
    Wait(milliseconds(4000));
    cluster_->disk(node).Heal();
  }
  void ComeAndGo() {
    Count("groups left and joined");
    const uint64_t gid = rng_.Below(2) == 0 ? kFirstGroup : kSecondGroup;
    cluster_->Leave({gid});
    Wait(milliseconds(1000));
    cluster_->Join({gid});
  }
  void MoveShards() {
    Count("shards moved");
    const auto shard = static_cast<uint32_t>(rng_.Below(cluster_->options().shards));
    cluster_->Move(shard, rng_.Below(2) == 0 ? kFirstGroup : kSecondGroup);
    cluster_->Unpin(shard);
  }
  void Transfer() {
    Count("transfers asked for");
    const uint64_t groups[] = {kController, kFirstGroup, kSecondGroup};
    const uint64_t group = groups[rng_.Below(std::size(groups))];
    cluster_->TransferLeader(group, AnyNode());
  }

  // The next fault would make it a majority otherwise.
  void AwaitUp() { EXPECT_TRUE(cluster_->AwaitServing()); }

  void Heal() {
    if (lab_ != nullptr) lab_->MendAll();
    if (lab_ != nullptr) lab_->SetWeather({});
    cluster_->ExpectNoneEnded();
  }

  const uint64_t seed_;
  Rng rng_;
  std::unique_ptr<NetworkLab> lab_;
  std::unique_ptr<RealCluster> cluster_;
  std::map<std::string, uint64_t> done_;
};

TEST(Chaos, NothingIsLost) {
  const uint64_t seed = SeedOfThisRun();
  SCOPED_TRACE(absl::StrCat("LOCKSTEP_SYSTEM_SEED=", seed));
  std::cout << "  LOCKSTEP_SYSTEM_SEED=" << seed << "\n" << std::flush;
  Chaos chaos(seed);
  ASSERT_TRUE(chaos.Begin());
  chaos.Run(SystemSpan(kSanitized ? 20 : 40));
}

}  // namespace
}  // namespace lockstep::system
