// Tells people what was found in a file, in its own terms: line numbers.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_DESCRIBE_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_DESCRIBE_H_

#include <cstddef>
#include <string>

#include "sim/check/history/recorded.h"
#include "sim/check/linearizability/checker.h"

namespace lockstep::history {

// "77 operations (5 open) on 1 key, by frontier": what was judged, and how. One line.
std::string DescribeWork(const Recorded& recorded, const linearizability::Report& report);

// After a violation: the key, the longest linearizable prefix, what cannot be placed behind it, the
// pair that blocks it and the few operations that are enough to show it. After a verdict of
// undecided: the keys. Several lines, each ended; nothing if the history is linearizable.
std::string DescribeFinding(const Recorded& recorded, const linearizability::Report& report);

// `[12, 15] process 3: get "x" -> "1"`, with its lines in the file if these numbers are not lines.
std::string DescribeOperation(const Recorded& recorded, size_t operation);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_DESCRIBE_H_
