// Figures of a cluster of three: printed, and judged only where no machine can excuse them.
// LOCKSTEP_SYSTEM_FIGURES=1 makes the runs long enough to be quoted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/process_usage.h"
#include "tests/system/support/door.h"
#include "tests/system/support/real_cluster.h"

namespace lockstep::system {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool Long() { return std::getenv("LOCKSTEP_SYSTEM_FIGURES") != nullptr; }

// The timers of the comparison with etcd.
RealClusterOptions Comparable() {
  RealClusterOptions options;
  options.nodes = 3;
  options.groups = {{kFirstGroup, {1, 2, 3}}};
  options.heartbeat_ms = 100;
  options.election_timeout_ms = 1000;
  return options;
}

int64_t Ms(Duration span) { return std::chrono::duration_cast<milliseconds>(span).count(); }

// 100 puts a second, whatever becomes of those before; when each succeeded.
class Metronome {
 public:
  explicit Metronome(RealCluster& cluster) : store_(cluster.store()), begun_(Now()) {}

  void RunFor(Duration span) {
    constexpr milliseconds kBeat{10};
    for (const Instant end = Now() + span; Now() < end; next_ += kBeat) {
      SleepFor(std::max<Duration>(next_ - Now(), Duration(0)));
      store_.PutAsync(absl::StrCat("beat-", ++sent_ % 100), std::string(256, 'b'),
                      [this](absl::StatusOr<client::WriteResult> result) { OnDone(result.ok()); },
                      {.timeout = seconds(5)});
    }
  }

  // Waits for what is under way.
  Duration LongestGap() {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [&] { return ended_ == sent_; });
    Instant last = begun_;
    Duration longest{0};
    for (const Instant success : successes_) {
      longest = std::max<Duration>(longest, success - last);
      last = std::max(last, success);
    }
    return longest;
  }
  uint64_t failures() const { return failures_; }

 private:
  void OnDone(bool ok) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ok) successes_.push_back(Now());
    if (!ok) ++failures_;
    ++ended_;
    done_.notify_all();
  }

  client::Store& store_;
  const Instant begun_;
  Instant next_ = Now();
  uint64_t sent_ = 0;
  std::mutex mutex_;  // guards what follows
  std::condition_variable done_;
  std::vector<Instant> successes_;
  uint64_t ended_ = 0;
  uint64_t failures_ = 0;
};

void MeasureGap(const std::string& what,
                const std::function<void(RealCluster& cluster, uint64_t leader)>& strike) {
  const int rounds = Long() ? 7 : 1;
  std::vector<int64_t> gaps;
  RealCluster cluster(Comparable());
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  for (int round = 0; round < rounds; ++round) {
    const uint64_t leader = cluster.AwaitLeader(kFirstGroup);
    ASSERT_TRUE(cluster.store().Put("beat-0", "").ok());  // the connections are there
    Metronome metronome(cluster);
    metronome.RunFor(seconds(1));
    strike(cluster, leader);
    metronome.RunFor(seconds(4));
    gaps.push_back(Ms(metronome.LongestGap()));
    EXPECT_EQ(metronome.failures(), 0u) << "with 5 s each";
    cluster.StartAll();
    ASSERT_TRUE(cluster.AwaitServing());
  }
  std::sort(gaps.begin(), gaps.end());
  std::cout << "  longest time without a success, " << what << ": median " << gaps[gaps.size() / 2]
            << " ms, " << gaps.front() << " to " << gaps.back() << " ms, " << rounds << " times\n";
}

TEST(Figures, GapWhenTheLeaderIsKilled) {
  MeasureGap("kill -9 of the leader",
             [](RealCluster& cluster, uint64_t leader) { cluster.Kill(leader); });
}

TEST(Figures, GapWhenTheLeaderIsStopped) {
  MeasureGap("SIGTERM to the leader",
             [](RealCluster& cluster, uint64_t leader) { cluster.Terminate(leader); });
}

// Heartbeats are no writes: the disk of a cluster that nobody uses stays as it is.
TEST(Figures, AnIdleClustersDiskDoesNotGrow) {
  RealCluster cluster(Comparable());
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  ASSERT_TRUE(cluster.store().Put("key", "value").ok());
  cluster.ExpectLevel();
  cluster.store().Close(seconds(5));  // Its sessions end now, in the log.
  SleepFor(seconds(2));
  std::vector<uint64_t> before;
  for (const uint64_t node : cluster.Nodes()) before.push_back(BytesBelow(cluster.DataOf(node)));
  SleepFor(seconds(Long() ? 300 : 5));
  for (const uint64_t node : cluster.Nodes()) {
    const uint64_t after = BytesBelow(cluster.DataOf(node));
    EXPECT_LE(after, before[node - 1]) << "of node " << node;
    std::cout << "  node " << node << " idle: " << before[node - 1] << " bytes, then " << after
              << "\n";
  }
}

// So many puts under way at a time, of 256 bytes.
class Stream {
 public:
  explicit Stream(client::Store& store) : store_(store) {}

  void Put(uint64_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    left_ = count;
    for (uint64_t i = 0; i < kOutstanding && left_ > 0; ++i) Next();
    done_.wait(lock, [&] { return left_ == 0 && under_way_ == 0; });
  }
  uint64_t failures() const { return failures_; }

 private:
  static constexpr uint64_t kOutstanding = 64;
  static constexpr uint64_t kKeys = 10'000;

  void Next() {
    --left_;
    ++under_way_;
    store_.PutAsync(absl::StrCat("stream-", ++sent_ * 7919 % kKeys), std::string(256, 's'),
                    [this](absl::StatusOr<client::WriteResult> result) { OnDone(result.ok()); });
  }
  void OnDone(bool ok) {
    const std::lock_guard<std::mutex> lock(mutex_);
    --under_way_;
    if (!ok) ++failures_;
    if (left_ > 0) Next();
    if (left_ == 0 && under_way_ == 0) done_.notify_all();
  }

  client::Store& store_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable done_;
  uint64_t left_ = 0;
  uint64_t under_way_ = 0;
  uint64_t sent_ = 0;
  uint64_t failures_ = 0;
};

// Requests of which each finds a cluster that has done nothing for about a second: threads that
// sleep when there is nothing to do must listen all the same.
TEST(Figures, AQuietClusterAnswersAtOnce) {
  const int requests = Long() ? 60 : 8;
  RealCluster cluster(Comparable());
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  ASSERT_TRUE(cluster.store().Put("key", "value").ok());  // the connections are there
  std::vector<int64_t> took_us;
  for (int request = 0; request < requests; ++request) {
    SleepFor(milliseconds(1000 + 20 * (request % 7)));
    const Instant begun = Now();
    EXPECT_TRUE(cluster.store().Put("key", "value").ok());
    took_us.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Now() - begun).count());
  }
  std::sort(took_us.begin(), took_us.end());
  std::cout << "  " << requests << " puts, a second apart: median " << took_us[took_us.size() / 2]
            << " us, " << took_us.back() << " us at most\n";
}

// In ten parts, each with its throughput; then what the nodes occupy.
TEST(Figures, ThroughputOverManyWrites) {
  constexpr uint64_t kParts = 10;
  const uint64_t puts = Long() ? 500'000 : kSanitized ? 1'000 : 10'000;
  RealCluster cluster(Comparable());
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  Stream stream(cluster.store());
  std::cout << "  puts/s:";
  for (uint64_t part = 0; part < kParts; ++part) {
    const Instant begun = Now();
    stream.Put(puts / kParts);
    const int64_t ms = std::max<int64_t>(1, Ms(Now() - begun));
    std::cout << " " << static_cast<int64_t>(puts / kParts) * 1000 / ms << std::flush;
  }
  std::cout << "\n";
  EXPECT_EQ(stream.failures(), 0u);
  uint64_t cpu_us = 0;
  for (const uint64_t node : cluster.Nodes()) {
    const auto usage = UsageOf(cluster.pid(node));
    ASSERT_TRUE(usage.ok()) << usage.status();
    cpu_us += usage->cpu_us;
    std::cout << "  node " << node << ": " << (usage->resident_bytes >> 20) << " MiB resident, "
              << (BytesBelow(cluster.DataOf(node)) >> 20) << " MiB on disk\n";
  }
  std::cout << "  CPU of all nodes: " << cpu_us / puts << " us a put\n";
}

// A value of the largest size through every node, while small writes go on: how long the thread
// that sends heartbeats was busy without a pause, and how long a small write waited.
TEST(Figures, LargeValuesAndHeartbeats) {
  const size_t bytes = kSanitized ? size_t{4} << 20 : size_t{64} << 20;
  const int rounds = Long() ? 10 : 2;
  RealCluster cluster(Comparable());
  cluster.StartAll();
  ASSERT_TRUE(cluster.AwaitServing());
  const uint64_t leader = cluster.AwaitLeader(kFirstGroup);
  const std::string value(bytes, 'v');
  std::atomic<bool> ended{false};
  Duration slowest{0};
  std::thread small([&] {
    while (!ended) {
      const Instant begun = Now();
      EXPECT_TRUE(cluster.store().Put("small", "value").ok());
      slowest = std::max<Duration>(slowest, Now() - begun);
      SleepFor(milliseconds(5));
    }
  });
  for (int round = 0; round < rounds; ++round) {
    for (const uint64_t node : cluster.Nodes()) {
      const std::string key = absl::StrCat("large-", node);
      const std::unique_ptr<Door> door = OpenDoor({.kind = DoorKind::kHttp,
                                                   .http = {cluster.HttpAddresses()[node - 1]},
                                                   .timeout = seconds(60)});
      const absl::Status put = door->Put(key, value);
      EXPECT_TRUE(put.ok()) << put;
      const auto got = door->Get(key);
      ASSERT_TRUE(got.ok()) << got.status();
      EXPECT_TRUE(*got == value) << "another value";
    }
  }
  ended = true;
  small.join();
  std::cout << "  " << (bytes >> 20) << " MiB values: a small write took " << Ms(slowest)
            << " ms at most\n";
  for (const uint64_t node : cluster.Nodes()) {
    const auto status = cluster.StatusOf(node);
    ASSERT_TRUE(status.has_value());
    std::cout << "  node " << node << (node == leader ? " (leader)" : "") << ": "
              << status->counters().turn_us_max() / 1000 << " ms busy without a pause at most\n";
  }
  EXPECT_EQ(cluster.AwaitLeader(kFirstGroup), leader) << "nobody missed its heartbeats";
}

}  // namespace
}  // namespace lockstep::system
