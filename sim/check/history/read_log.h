// The operations of one register in a Jepsen log; the order of the lines is time.
//
//   INFO  jepsen.util - 3  :invoke  :cas  [1 4]
//   INFO  jepsen.util - 3  :ok  :cas  [1 4]
//
// :read, :write and :cas, with nil, a number, [expected new] or :timed-out; columns are parted by
// tabs or spaces, and something (a date) may stand before INFO. The register is nil at first. A
// :cas that ends with :fail did not match; a :fail of anything else had no effect; :info stays open
// for ever. Lines of :nemesis are skipped.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_READ_LOG_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_READ_LOG_H_

#include "core/base/bytes.h"
#include "sim/check/history/recorded.h"

namespace lockstep::history {

ReadResult ReadJepsenLog(const Bytes& text);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_READ_LOG_H_
