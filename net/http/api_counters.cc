#include "net/http/api_counters.h"

#include <algorithm>

namespace lockstep::net::http {

void ApiCounters::OnRequest(uint64_t now_us) {
  ++sums_.requests;
  const uint64_t now_s = now_us / kUsPerSecond;
  Second& second = seconds_[now_s % seconds_.size()];
  if (second.second != now_s) second = {.second = now_s};
  ++second.requests;
}

void ApiCounters::OnAnswer(int status, uint64_t took_us) {
  const bool failed = status >= 400 && status != 404 && status != 409;
  ++(failed ? sums_.failed : sums_.successful);
  sums_.response_us += took_us;
}

ApiSnapshot ApiCounters::Snapshot(uint64_t now_us) const {
  ApiSnapshot snapshot = sums_;
  const uint64_t now_s = now_us / kUsPerSecond;
  // Whole seconds alone: the one under way would always look slow. In the first there is no other.
  const uint64_t whole = std::min(now_s - started_s_, kWindowSeconds);
  uint64_t requests = 0;
  for (const Second& second : seconds_) {
    const uint64_t age = now_s - second.second;
    const bool counted = whole == 0 ? age == 0 : age >= 1 && age <= whole;
    if (counted) requests += second.requests;
  }
  snapshot.requests_per_second =
      static_cast<double>(requests) / static_cast<double>(std::max<uint64_t>(whole, 1));
  return snapshot;
}

}  // namespace lockstep::net::http
