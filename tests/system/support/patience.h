// How long things may take in tests with real processes. Nothing here is a promise of the product:
// these are limits behind which a test gives up, generous because machines are busy and sanitized
// processes slow.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_PATIENCE_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_PATIENCE_H_

#include <chrono>
#include <cstdint>
#include <functional>

#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace lockstep::system {

// Sanitizers make a process several times as slow.
inline constexpr bool kSanitized = !absl::string_view(LOCKSTEP_SANITIZE).empty();
inline constexpr int kSlowness = kSanitized ? 5 : 1;

// Plenty for the election of a leader, when one can be elected.
inline constexpr Duration kElectionPatience = std::chrono::seconds(20) * kSlowness;
// Plenty for a process to start or to end.
inline constexpr Duration kProcessPatience = std::chrono::seconds(20) * kSlowness;
// Plenty for shards to come to rest, and for a call to be answered once everything works.
inline constexpr Duration kSettlePatience = std::chrono::seconds(60) * kSlowness;
// Of one call of a client while things go wrong.
inline constexpr Duration kCallTimeout = std::chrono::seconds(5) * kSlowness;

// How long the tests that only get better by lasting shall last: the seconds in
// LOCKSTEP_SYSTEM_SECONDS, or so many when it is not set.
Duration SystemSpan(int64_t seconds);

// Real time, as the rest of this house has it.
Instant Now();
void SleepFor(Duration span);
// Looks every few milliseconds: true as soon as the condition holds, false when the time is over.
// Time in which this process itself was stopped does not count.
bool WaitUntil(const std::function<bool()>& condition, Duration within);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_PATIENCE_H_
