#include "tests/system/support/patience.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "absl/strings/numbers.h"

namespace lockstep::system {

Duration SystemSpan(int64_t seconds) {
  const char* const text = std::getenv("LOCKSTEP_SYSTEM_SECONDS");
  int64_t wanted = 0;
  if (text != nullptr && absl::SimpleAtoi(text, &wanted) && wanted > 0) seconds = wanted;
  return std::chrono::seconds(seconds);
}

Instant Now() { return Instant(Duration(std::chrono::steady_clock::now().time_since_epoch())); }

void SleepFor(Duration span) { std::this_thread::sleep_for(span); }

bool WaitUntil(const std::function<bool()>& condition, Duration within) {
  constexpr std::chrono::milliseconds kPause{10};
  constexpr Duration kLookMax = std::chrono::seconds(5) * kSlowness;
  Instant before = Now();
  for (Duration waited{0}; !condition();) {
    if (waited >= within) return condition();
    SleepFor(kPause);
    const Instant now = Now();
    waited += std::min<Duration>(now - before, kLookMax);
    before = now;
  }
  return true;
}

}  // namespace lockstep::system
