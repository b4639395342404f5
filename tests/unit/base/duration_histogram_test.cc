#include "core/base/duration_histogram.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/base/rng.h"

namespace lockstep {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

size_t OnlyBucketOf(Duration took) {
  DurationHistogram histogram;
  histogram.Add(took);
  for (size_t i = 0; i < DurationHistogram::kBuckets; ++i) {
    if (histogram.counts()[i] == 1) return i;
  }
  return DurationHistogram::kBuckets;
}

TEST(DurationHistogram, ABoundBelongsToItsBucket) {
  for (size_t bound = 0; bound < DurationHistogram::kBounds; ++bound) {
    EXPECT_EQ(OnlyBucketOf(DurationHistogram::Bound(bound)), bound);
    EXPECT_EQ(OnlyBucketOf(DurationHistogram::Bound(bound) + nanoseconds(1)), bound + 1);
  }
  EXPECT_EQ(OnlyBucketOf(nanoseconds(0)), 0u);
  EXPECT_EQ(OnlyBucketOf(nanoseconds(-5)), 0u);
  EXPECT_EQ(OnlyBucketOf(Duration::max()), DurationHistogram::kBounds);
}

TEST(DurationHistogram, TellsAFastSyncFromASlowOne) {
  EXPECT_LT(OnlyBucketOf(microseconds(30)), OnlyBucketOf(microseconds(50)));
  EXPECT_LT(OnlyBucketOf(microseconds(50)), OnlyBucketOf(microseconds(100)));
}

TEST(DurationHistogram, EqualsACountByHand) {
  Rng rng(7);
  DurationHistogram histogram;
  std::array<uint64_t, DurationHistogram::kBuckets> expected = {};
  Duration sum(0);
  for (int i = 0; i < 2000; ++i) {
    const uint64_t bits = rng.Below(36) + 1;
    const Duration took(static_cast<int64_t>(rng.Below(uint64_t{1} << bits)));
    histogram.Add(took);
    sum += took;
    size_t bucket = 0;
    while (bucket < DurationHistogram::kBounds && DurationHistogram::Bound(bucket) < took) ++bucket;
    ++expected[bucket];
  }
  EXPECT_EQ(histogram.counts(), expected);
  EXPECT_EQ(histogram.sum(), sum);
}

}  // namespace
}  // namespace lockstep
