// The times of elections and leases that the settings ask for: what can be refused before anything
// else is done.
#ifndef LOCKSTEP_BIN_LOCKSTEPD_TIMES_H_
#define LOCKSTEP_BIN_LOCKSTEPD_TIMES_H_

#include "bin/lockstepd_options.h"
#include "core/raft/io.h"

namespace lockstep::lockstepd {

// Nobody's yet: no `self`, no members.
raft::Config RaftTimesOf(const Options& options);

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_TIMES_H_
