#include "bin/bench_keys.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "core/base/check.h"

namespace lockstep::bench {
namespace {

constexpr double kZipfExponent = 0.99;       // YCSB's
constexpr uint64_t kSpread = 2'654'435'761;  // a prime

// (e^x - 1) / x and log(1 + x) / x, also where x is next to nothing.
double ExpRatio(double x) { return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2; }
double LogRatio(double x) { return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2; }

}  // namespace

double DrawUnit(Rng& rng) { return static_cast<double>((rng.Next() >> 11) + 1) * 0x1.0p-53; }

Zipf::Zipf(uint64_t n, double exponent)
    : n_(static_cast<double>(n)),
      exponent_(exponent),
      integral_first_(Integral(1.5) - 1),
      integral_n_(Integral(n_ + 0.5)),
      threshold_(2 - Inverse(Integral(2.5) - Density(2))) {
  CheckLt(uint64_t{0}, n);
}

double Zipf::Density(double x) const { return std::exp(-exponent_ * std::log(x)); }

double Zipf::Integral(double x) const {
  const double log = std::log(x);
  return ExpRatio((1 - exponent_) * log) * log;
}

double Zipf::Inverse(double x) const {
  const double t = std::max(x * (1 - exponent_), -1.0);
  return std::exp(LogRatio(t) * x);
}

uint64_t Zipf::Draw(Rng& rng) const {
  for (;;) {
    const double u = integral_n_ + DrawUnit(rng) * (integral_first_ - integral_n_);
    const double x = Inverse(u);
    const double k = std::clamp(std::floor(x + 0.5), 1.0, n_);
    if (k - x <= threshold_ || u >= Integral(k + 0.5) - Density(k)) {
      return static_cast<uint64_t>(k);
    }
  }
}

Keys::Keys(std::string prefix, uint64_t count, Distribution distribution)
    : prefix_(std::move(prefix)),
      count_(count),
      distribution_(distribution),
      zipf_(count, kZipfExponent) {}

std::string Keys::Key(uint64_t number) const { return absl::StrFormat("%s%010d", prefix_, number); }

uint64_t Keys::Draw(Rng& rng) const {
  if (distribution_ == Distribution::kUniform) return rng.Below(count_);
  // Multiplying by a prime that does not divide the count is a permutation.
  const uint64_t rank = zipf_.Draw(rng) - 1;
  return count_ % kSpread == 0 ? rank : (rank % count_) * (kSpread % count_) % count_;
}

}  // namespace lockstep::bench
