// Our instants as gRPC's.
#ifndef LOCKSTEP_NET_CLIENT_GRPC_TIME_H_
#define LOCKSTEP_NET_CLIENT_GRPC_TIME_H_

#include <grpc/support/time.h>

#include <algorithm>
#include <chrono>

#include "core/base/types.h"
#include "net/client/carrier.h"

namespace lockstep::client {

// `when` may be kNever or have passed.
inline gpr_timespec ToGrpc(Instant when) {
  if (when == kNever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  const Duration left = std::max(when - Now(), Duration::zero());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(left.count(), GPR_TIMESPAN));
}

}  // namespace lockstep::client

#endif  // LOCKSTEP_NET_CLIENT_GRPC_TIME_H_
