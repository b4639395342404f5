// Which key an operation of the load generator is for.
#ifndef LOCKSTEP_BIN_BENCH_KEYS_H_
#define LOCKSTEP_BIN_BENCH_KEYS_H_

#include <cstdint>
#include <string>

#include "core/base/rng.h"

namespace lockstep::bench {

// Ranks from 1 to n, of which k comes up in proportion to k^-exponent. By rejection-inversion
// (Hörmann and Derflinger 1996): exact, and without a table or a sum over all of them.
class Zipf {
 public:
  // REQUIRES: n > 0, 0 < exponent, exponent != 1.
  Zipf(uint64_t n, double exponent);
  uint64_t Draw(Rng& rng) const;

 private:
  double Integral(double x) const;  // of x^-exponent
  double Inverse(double x) const;   // of Integral
  double Density(double x) const;

  double n_;
  double exponent_;
  double integral_first_;
  double integral_n_;
  double threshold_;
};

enum class Distribution { kUniform, kZipf };

// Thread-safe: all state is the caller's Rng.
class Keys {
 public:
  // REQUIRES: count > 0.
  Keys(std::string prefix, uint64_t count, Distribution distribution);

  uint64_t count() const { return count_; }
  // The key of a number below count().
  std::string Key(uint64_t number) const;
  // The number of the next key. The popular ones of a Zipf distribution are spread over the
  // numbers, so that they are not neighbours.
  uint64_t Draw(Rng& rng) const;

 private:
  std::string prefix_;
  uint64_t count_;
  Distribution distribution_;
  Zipf zipf_;
};

// In (0, 1].
double DrawUnit(Rng& rng);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_KEYS_H_
