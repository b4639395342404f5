// Draws a history as one HTML page that needs nothing else: operations as bars over time, a lane
// for each process, what cannot be placed and what blocks it marked.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_PAGE_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "sim/check/history/recorded.h"
#include "sim/check/linearizability/checker.h"

namespace lockstep::history {

// `title`: the name of the file. Of a large history the page has a window around what was found.
std::string DrawPage(const Recorded& recorded, const linearizability::Report& report,
                     absl::string_view title);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_PAGE_H_
