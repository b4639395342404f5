// What the front counts of itself. For one thread.
#ifndef LOCKSTEP_NET_HTTP_API_COUNTERS_H_
#define LOCKSTEP_NET_HTTP_API_COUNTERS_H_

#include <array>
#include <cstdint>

#include "net/http/handler.h"

namespace lockstep::net::http {

class ApiCounters {
 public:
  // `now_us` of one clock that never goes back.
  explicit ApiCounters(uint64_t now_us) : started_s_(now_us / kUsPerSecond) {}

  void OnRequest(uint64_t now_us);
  // Failed: 400 and above, but for 404 and 409, which say what was found.
  void OnAnswer(int status, uint64_t took_us);
  // Without what the front alone knows: connections and outstanding_bytes.
  ApiSnapshot Snapshot(uint64_t now_us) const;

 private:
  static constexpr uint64_t kUsPerSecond = 1'000'000;
  static constexpr uint64_t kWindowSeconds = 10;
  struct Second {
    uint64_t second = 0;
    uint64_t requests = 0;
  };

  const uint64_t started_s_;
  ApiSnapshot sums_;
  // Of the last seconds, the one under way included: each at its number modulo the size.
  std::array<Second, kWindowSeconds + 1> seconds_ = {};
};

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_API_COUNTERS_H_
