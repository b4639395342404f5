// What leases need of a configuration. What they are: lease.cc, docs/decisions/0020-leases.md.
#ifndef LOCKSTEP_CORE_RAFT_LEASE_H_
#define LOCKSTEP_CORE_RAFT_LEASE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/raft/io.h"

namespace lockstep::raft {

// Rounds of heartbeats that a leader remembers. Where more are under way the oldest give no lease.
inline constexpr size_t kLeaseRoundsMax = 64;

// For how long at least, by anybody's clock that keeps the bound, `span` on our own clock lasts.
Duration AtLeast(Duration span, uint32_t clock_drift_max);
// What we may measure on our own clock, so that it is over before `span` of true time is.
Duration Within(Duration span, uint32_t clock_drift_max);

// FailedPrecondition where a lease would be over before the next heartbeat could renew it, because
// clocks may drift so far. OK without leases.
absl::Status ValidateLease(const Config& config);

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_LEASE_H_
