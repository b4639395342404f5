// The load generator's histogram against the sorted samples: count, least, greatest and mean are
// exact, a percentile is never below the true one and less than 1/128 above it, and two halves that
// are put together are as good as the whole.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "bin/bench_histogram.h"
#include "core/base/check.h"
#include "fuzz/support/input.h"

namespace lockstep::fuzz {
namespace {

constexpr uint32_t kWhole = 10'000;  // per myriad

uint64_t Sample(Input& input) {
  const size_t bytes = 1 + input.Below(8);
  const uint64_t number = input.Number(bytes);
  return input.Flip() ? number : ~number >> (8 * (8 - bytes));
}

// The smallest sample that so many in ten thousand do not exceed.
uint64_t TruePercentile(const std::vector<uint64_t>& sorted, uint32_t per_myriad) {
  const uint64_t rank = (sorted.size() * per_myriad + kWhole - 1) / kWhole;
  return sorted[std::max<uint64_t>(rank, 1) - 1];
}

void CheckPercentile(const bench::Histogram& histogram, const std::vector<uint64_t>& sorted,
                     uint32_t per_myriad) {
  const uint64_t is = histogram.Percentile(per_myriad);
  const uint64_t should = TruePercentile(sorted, per_myriad);
  CheckLe(should, is);
  CheckLe(is - should, should / 128);
  CheckLe(is, sorted.back());
  if (should < 256) CheckEq(is, should);
}

void CheckSame(const bench::Histogram& a, const bench::Histogram& b, uint32_t per_myriad) {
  CheckEq(a.count(), b.count());
  CheckEq(a.min(), b.min());
  CheckEq(a.max(), b.max());
  CheckEq(a.mean(), b.mean());
  CheckEq(a.Percentile(per_myriad), b.Percentile(per_myriad));
}

void RunHistogram(Input input) {
  const auto asked = static_cast<uint32_t>(input.Below(kWhole + 1));
  bench::Histogram whole;
  bench::Histogram first;
  bench::Histogram second;
  std::vector<uint64_t> samples;
  uint64_t sum = 0;  // wraps, as theirs does
  while (!input.empty()) {
    const uint64_t sample = Sample(input);
    samples.push_back(sample);
    sum += sample;
    whole.Add(sample);
    (input.Flip() ? first : second).Add(sample);
  }
  first.Merge(second);
  CheckSame(whole, first, asked);
  CheckEq(whole.count(), samples.size());
  if (samples.empty()) return CheckEq(whole.Percentile(asked), uint64_t{0});
  std::sort(samples.begin(), samples.end());
  CheckEq(whole.min(), samples.front());
  CheckEq(whole.max(), samples.back());
  CheckEq(whole.mean(), sum / samples.size());
  for (const uint32_t per_myriad : {uint32_t{0}, asked, uint32_t{5000}, uint32_t{9990}, kWhole}) {
    CheckPercentile(whole, samples, per_myriad);
  }
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunHistogram(lockstep::fuzz::Input(data, size));
  return 0;
}
