// `lockstep-sim check`: judges files, many at a time. Returns the exit code.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_H_

#include "bin/lockstep_sim_check_options.h"

namespace lockstep::bin {

int CheckFiles(const CheckOptions& options);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_H_
