// Ctrl-C and SIGTERM, for commands that run until they are told to stop.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIGNALS_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIGNALS_H_

#include <atomic>

namespace lockstep::bin {

// From the first call on, SIGINT and SIGTERM make this true instead of ending the process; a second
// one ends it.
const std::atomic<bool>& StopRequested();

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIGNALS_H_
