// From settings to what core wants to know: the one place where production chooses limits.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_COMPOSITION_H_
#define LOCKSTEP_BIN_LOCKSTEPD_COMPOSITION_H_

#include <cstdint>

#include "bin/lockstepd_options.h"
#include "core/gateway/options.h"
#include "core/node/roles.h"
#include "storage/engine.h"

namespace lockstep::lockstepd {

// The node `self` with the groups that name it as a member of their beginning. `incarnation`: of
// its data directory.
node::NodeOptions NodeOptionsOf(const Options& options, NodeId self, uint64_t incarnation);
// `life`: see GatewayOptions.
gateway::GatewayOptions GatewayOptionsOf(const Options& options, NodeId self, uint64_t life);
storage::EngineOptions EngineOptionsOf(const Options& options, const node::NodeOptions& node,
                                       uint64_t incarnation);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_COMPOSITION_H_
