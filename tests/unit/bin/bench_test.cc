#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "bin/bench_histogram.h"
#include "bin/bench_keys.h"
#include "bin/bench_load.h"
#include "core/base/rng.h"

namespace lockstep::bench {
namespace {

// --- The histogram, against sorted samples ------------------------------------------------------

uint64_t SortedPercentile(const std::vector<uint64_t>& sorted, uint32_t per_myriad) {
  const size_t rank = (sorted.size() * per_myriad + 9'999) / 10'000;
  return sorted[std::max<size_t>(rank, 1) - 1];
}

TEST(HistogramTest, AgreesWithSortedSamples) {
  Rng rng(1);
  for (uint64_t largest : {uint64_t{100}, uint64_t{5'000}, uint64_t{10'000'000'000}, UINT64_MAX}) {
    Histogram histogram;
    std::vector<uint64_t> samples;
    for (int i = 0; i < 5'000; ++i) {
      samples.push_back(rng.Magnitude(1, largest));
      histogram.Add(samples.back());
    }
    std::sort(samples.begin(), samples.end());
    EXPECT_EQ(histogram.count(), samples.size());
    EXPECT_EQ(histogram.max(), samples.back());
    EXPECT_EQ(histogram.min(), samples.front());
    for (uint32_t per_myriad : {1u, 100u, 5'000u, 9'000u, 9'500u, 9'900u, 9'990u, 10'000u}) {
      const uint64_t want = SortedPercentile(samples, per_myriad);
      const uint64_t got = histogram.Percentile(per_myriad);
      EXPECT_GE(got, want) << per_myriad << " of " << largest;
      EXPECT_LE(got - want, want / 128) << per_myriad << " of " << largest;
    }
  }
}

TEST(HistogramTest, IsExactWhereValuesAreSmallAndEmptyWhenItIs) {
  Histogram histogram;
  EXPECT_EQ(histogram.Percentile(5'000), 0u);
  EXPECT_EQ(histogram.min(), 0u);
  for (uint64_t value = 0; value < 256; ++value) histogram.Add(value);
  for (uint32_t value = 1; value <= 256; ++value) {
    EXPECT_EQ(histogram.Percentile((value * 10'000) / 256), value - 1);
  }
  EXPECT_EQ(histogram.mean(), 127u);
}

TEST(HistogramTest, MergingIsAddingAll) {
  Rng rng(2);
  Histogram parts[2];
  Histogram whole;
  for (int i = 0; i < 1'000; ++i) {
    const uint64_t value = rng.Magnitude(1, 1'000'000'000);
    parts[i % 2].Add(value);
    whole.Add(value);
  }
  parts[0].Merge(parts[1]);
  EXPECT_EQ(parts[0].count(), whole.count());
  EXPECT_EQ(parts[0].mean(), whole.mean());
  for (uint32_t p = 0; p <= 10'000; p += 100) {
    EXPECT_EQ(parts[0].Percentile(p), whole.Percentile(p));
  }
}

// --- Keys ---------------------------------------------------------------------------------------

TEST(ZipfTest, RanksComeUpAsOftenAsTheLawSays) {
  constexpr uint64_t kRanks = 1'000;
  constexpr int kDraws = 200'000;
  const Zipf zipf(kRanks, 0.99);
  Rng rng(3);
  std::vector<int> counts(kRanks + 1, 0);
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t rank = zipf.Draw(rng);
    ASSERT_GE(rank, 1u);
    ASSERT_LE(rank, kRanks);
    ++counts[rank];
  }
  double sum = 0;
  for (uint64_t k = 1; k <= kRanks; ++k) sum += std::pow(static_cast<double>(k), -0.99);
  for (uint64_t k : {1u, 2u, 3u, 10u, 100u, 999u}) {
    const double want = kDraws * std::pow(static_cast<double>(k), -0.99) / sum;
    EXPECT_NEAR(counts[k], want, 5 * std::sqrt(want) + 1) << "rank " << k;
  }
  EXPECT_EQ(Zipf(1, 0.99).Draw(rng), 1u);
}

TEST(KeysTest, EveryKeyCanComeUpAndPopularOnesAreSpread) {
  for (const Distribution distribution : {Distribution::kUniform, Distribution::kZipf}) {
    const Keys keys("k", 50, distribution);
    Rng rng(4);
    std::map<uint64_t, int> counts;
    for (int i = 0; i < 20'000; ++i) ++counts[keys.Draw(rng)];
    EXPECT_EQ(counts.size(), 50u);
    EXPECT_LT(counts.rbegin()->first, 50u);
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](auto& a, auto& b) { return a.second < b.second; });
    EXPECT_EQ(most->second > 3'000, distribution == Distribution::kZipf);
  }
  EXPECT_EQ(Keys("k", 50, Distribution::kUniform).Key(7), "k0000000007");
}

// --- The load -----------------------------------------------------------------------------------

// Answers what it is asked, at once or from a thread of its own, and counts.
class FakeTarget : public Target {
 public:
  explicit FakeTarget(bool at_once) : at_once_(at_once), thread_([this] { Work(); }) {}
  ~FakeTarget() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  void Start(const Operation& operation, Done done) override {
    std::unique_lock<std::mutex> lock(mutex_);
    ++started_[operation.kind];
    keys_.insert({operation.key, 0});
    most_outstanding_ = std::max(most_outstanding_, ++outstanding_);
    if (!at_once_) {
      queue_.push_back(std::move(done));
      wake_.notify_one();
      return;
    }
    --outstanding_;
    lock.unlock();
    done(answer_);
  }
  std::optional<uint64_t> LogSyncs() override { return ++syncs_ * 10; }

  Outcome answer_;
  std::chrono::milliseconds first_takes_{0};
  std::map<Kind, uint64_t> started_;
  std::map<std::string, int> keys_;
  int most_outstanding_ = 0;

 private:
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) return;
      wake_.wait_for(lock, std::exchange(first_takes_, std::chrono::milliseconds(0)),
                     [] { return false; });
      Done done = std::move(queue_.front());
      queue_.pop_front();
      --outstanding_;
      lock.unlock();
      done(answer_);
      lock.lock();
    }
  }

  const bool at_once_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Done> queue_;
  bool closing_ = false;
  int outstanding_ = 0;
  std::atomic<uint64_t> syncs_{0};
  std::thread thread_;
};

struct Bench {
  explicit Bench(bool at_once) {
    targets.push_back(std::make_unique<FakeTarget>(at_once));
    target = static_cast<FakeTarget*>(targets.front().get());
    options.duration = std::chrono::milliseconds(50);
    options.keys = 20;
  }
  LoadReport Run() { return RunLoad(options, targets, nullptr, stop); }
  LoadOptions options;
  Targets targets;
  FakeTarget* target;
  std::atomic<bool> stop{false};
};

TEST(LoadTest, ACountIsACountInAClosedLoop) {
  for (const bool at_once : {true, false}) {
    Bench bench(at_once);
    bench.options.count = 5'000;
    bench.options.outstanding = 7;
    bench.options.weights = {3, 5, 1, 1, 1, 1};
    const LoadReport report = bench.Run();
    EXPECT_EQ(report.all.answered, 5'000u);
    EXPECT_EQ(report.all.latency.count(), 5'000u);
    EXPECT_EQ(report.all.failed(), 0u);
    EXPECT_LE(bench.target->most_outstanding_, 7);
    EXPECT_EQ(report.log_syncs, 10u);
    uint64_t sum = 0;
    for (size_t kind = 0; kind < kKinds; ++kind) {
      EXPECT_EQ(report.kinds[kind].answered, bench.target->started_[static_cast<Kind>(kind)]);
      sum += report.kinds[kind].answered;
    }
    EXPECT_EQ(sum, 5'000u);
    EXPECT_NEAR(static_cast<double>(report.kinds[1].answered), 5'000 * 5 / 12.0, 300);
  }
}

TEST(LoadTest, WhatIsPreparedIsEveryKey) {
  Bench bench(false);
  bench.options.prepare = true;
  bench.options.count = 1;
  bench.options.weights = {0, 1, 0, 0, 0, 0};
  bench.options.outstanding = 1;
  bench.Run();
  EXPECT_EQ(bench.target->started_[Kind::kPut], 20u);
  EXPECT_EQ(bench.target->keys_.size(), 20u);
}

TEST(LoadTest, ErrorsAreCountedByKindAndDoNotSpin) {
  Bench bench(true);
  bench.target->answer_ = {.kind = Outcome::Kind::kUnknown, .reason = "TIMEOUT"};
  bench.options.outstanding = 2;
  const LoadReport report = bench.Run();
  EXPECT_EQ(report.all.answered, 0u);
  ASSERT_EQ(report.all.errors.size(), 1u);
  EXPECT_EQ(report.all.errors.begin()->first, "TIMEOUT, unknown");
  EXPECT_GE(report.all.failed(), 2u);
  EXPECT_LE(report.all.failed(), 20u);
  EXPECT_GE(report.longest_gap, std::chrono::milliseconds(50));
}

// A system that stalls for a while delays all that was meant meanwhile, and an open loop says so.
TEST(LoadTest, AnOpenLoopCountsFromTheTimeMeant) {
  Bench bench(false);
  bench.target->first_takes_ = std::chrono::milliseconds(100);
  bench.options.rate = 1'000;
  bench.options.poisson = false;
  bench.options.count = 150;
  bench.options.outstanding = 1'000;
  const LoadReport report = bench.Run();
  EXPECT_EQ(report.all.answered, 150u);
  EXPECT_GE(report.all.latency.max(), 99'000'000u);
  // About 100 operations were meant during the stall, and waited for half of it in the mean.
  EXPECT_GE(report.all.latency.Percentile(5'000), 20'000'000u);
}

TEST(LoadTest, AnOpenLoopHasALimitToo) {
  Bench bench(false);
  bench.target->first_takes_ = std::chrono::milliseconds(100);
  bench.options.rate = 10'000;
  bench.options.count = 500;
  bench.options.outstanding = 10;
  const LoadReport report = bench.Run();
  EXPECT_LE(bench.target->most_outstanding_, 10);
  EXPECT_GT(report.all.errors.at("NOT_SENT, not executed"), 0u);
  EXPECT_EQ(report.all.answered + report.all.failed(), 500u);
}

TEST(LoadTest, EndsEarlyWhenTold) {
  Bench bench(false);
  bench.options.duration = std::chrono::hours(1);
  bench.stop = true;
  EXPECT_LT(bench.Run().elapsed, std::chrono::minutes(1));
}

}  // namespace
}  // namespace lockstep::bench
