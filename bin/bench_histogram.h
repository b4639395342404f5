// Many durations in little memory, with percentiles: what HdrHistogram does.
//
// Values below 256 ns are exact; above, a bucket is at most 1/128 of its value wide. Percentiles
// name the upper end of a bucket, so they err by less than 0.8 % and never flatter.
#ifndef LOCKSTEP_BIN_BENCH_HISTOGRAM_H_
#define LOCKSTEP_BIN_BENCH_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lockstep::bench {

class Histogram {
 public:
  Histogram();

  void Add(uint64_t nanoseconds);
  // As if everything that was added there had been added here too.
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  uint64_t max() const { return max_; }  // exact
  uint64_t min() const { return count_ == 0 ? 0 : min_; }
  uint64_t mean() const { return count_ == 0 ? 0 : sum_ / count_; }
  // The smallest value that at least `per_myriad` in ten thousand of all values do not exceed
  // (9990: p99.9); 0 when there is none. REQUIRES: per_myriad <= 10000.
  uint64_t Percentile(uint32_t per_myriad) const;

 private:
  static size_t BucketOf(uint64_t value);
  static uint64_t UpperEnd(size_t bucket);

  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t sum_ = 0;  // nanoseconds: wraps after five centuries
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_HISTOGRAM_H_
