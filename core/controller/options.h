// What the controller allows. Equal on every replica of it: these values decide the outcome of log
// entries.
#ifndef LOCKSTEP_CORE_CONTROLLER_OPTIONS_H_
#define LOCKSTEP_CORE_CONTROLLER_OPTIONS_H_

#include <cstdint>

#include "core/base/limits.h"

namespace lockstep::controller {

// However it is configured, no cluster has more.
inline constexpr uint32_t kShardsMax = 16384;

// Members of one group together, as it says itself.
inline constexpr uint32_t kReportedMembersMax = 64;

// What one request may hold; enough to validate it at the door.
struct ControllerLimits {
  uint32_t shards_max = kShardsMax;  // 1 to kShardsMax
  uint32_t groups_max = 1024;        // in the cluster, hence in one Join or Leave
  uint32_t members_max = 15;         // of one group, as it joins
  uint32_t address_bytes_max = 256;  // of one member
  uint32_t session_window_max = kSessionWindowMax;
};

struct ControllerOptions {
  ControllerLimits limits;
  // Administrators, not applications: fewer than a key-value group has.
  uint32_t sessions_max = 256;  // at least 1
  // What one PruneHistory forgets at most; another one forgets more.
  uint32_t prune_configurations_max = 1024;  // at least 1
};

}  // namespace lockstep::controller

#endif  // LOCKSTEP_CORE_CONTROLLER_OPTIONS_H_
