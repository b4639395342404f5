// The commands of lockstep-sim. Each returns the exit code.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_RUN_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_RUN_H_

#include <string>

#include "bin/lockstep_sim_options.h"

namespace lockstep::bin {

// `program`: how the user called us, for commands to copy.
int RunBatch(const SimOptions& options, const std::string& program);
int Replay(const SimOptions& options);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_RUN_H_
