// The bounds of our histograms. All durations have the same ones, so that they can be laid over
// each other.
#ifndef LOCKSTEP_NET_METRICS_BOUNDS_H_
#define LOCKSTEP_NET_METRICS_BOUNDS_H_

#include <cstddef>
#include <vector>

#include "core/base/duration_histogram.h"
#include "core/base/types.h"

namespace lockstep::net::metrics {

inline double Seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::duration<double>>(duration).count();
}

inline std::vector<double> DurationBounds() {
  std::vector<double> bounds;
  for (size_t i = 0; i < DurationHistogram::kBounds; ++i) {
    bounds.push_back(Seconds(DurationHistogram::Bound(i)));
  }
  return bounds;
}

inline std::vector<double> CountBounds() {
  std::vector<double> bounds;
  for (double bound = 1; bound <= 4096; bound *= 2) bounds.push_back(bound);
  return bounds;
}

}  // namespace lockstep::net::metrics

#endif  // LOCKSTEP_NET_METRICS_BOUNDS_H_
