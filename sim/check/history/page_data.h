// What a page shows of a history, as the JSON that its script reads.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_PAGE_DATA_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_PAGE_DATA_H_

#include <string>

#include "absl/strings/string_view.h"
#include "sim/check/history/recorded.h"
#include "sim/check/linearizability/checker.h"

namespace lockstep::history {

// ASCII without "<", so that it can stand in a page whatever the keys and values hold.
std::string PageData(const Recorded& recorded, const linearizability::Report& report,
                     absl::string_view title);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_PAGE_DATA_H_
