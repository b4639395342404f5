#include "bin/bench_histogram.h"

#include <algorithm>
#include <bit>

#include "core/base/check.h"

namespace lockstep::bench {
namespace {

// Every power of two from 2^8 on has so many buckets.
constexpr uint32_t kBits = 7;
constexpr size_t kPerPower = size_t{1} << kBits;

}  // namespace

Histogram::Histogram() : buckets_((64 - kBits) * kPerPower + kPerPower, 0) {}

// A value is its highest kBits + 1 bits, and how far they are shifted. Without a shift a bucket is
// one value.
size_t Histogram::BucketOf(uint64_t value) {
  const auto width = static_cast<uint32_t>(std::bit_width(value));
  if (width <= kBits + 1) return static_cast<size_t>(value);
  const uint32_t shift = width - kBits - 1;
  return shift * kPerPower + static_cast<size_t>(value >> shift);
}

uint64_t Histogram::UpperEnd(size_t bucket) {
  if (bucket < 2 * kPerPower) return bucket;
  const size_t shift = bucket / kPerPower - 1;
  const uint64_t top = bucket - shift * kPerPower;
  return ((top + 1) << shift) - 1;
}

void Histogram::Add(uint64_t nanoseconds) {
  ++buckets_[BucketOf(nanoseconds)];
  ++count_;
  sum_ += nanoseconds;
  min_ = std::min(min_, nanoseconds);
  max_ = std::max(max_, nanoseconds);
}

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

uint64_t Histogram::Percentile(uint32_t per_myriad) const {
  CheckLe(per_myriad, uint32_t{10'000});
  if (count_ == 0) return 0;
  // Rounded up: p99.9 of ten values is the largest of them.
  const uint64_t whole = count_ / 10'000 * per_myriad;
  const uint64_t rest = (count_ % 10'000 * per_myriad + 9'999) / 10'000;
  const uint64_t rank = std::max<uint64_t>(whole + rest, 1);
  uint64_t below = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    if (below >= rank) return std::min(UpperEnd(i), max_);
  }
  return max_;
}

}  // namespace lockstep::bench
