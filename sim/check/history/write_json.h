// Writes a history as JSON lines, one for each operation with its start and its end. Reading them
// (read_json.h) gives the same history, but for its witnesses.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_WRITE_JSON_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_WRITE_JSON_H_

#include <string>

#include "absl/strings/string_view.h"
#include "sim/check/history/recorded.h"

namespace lockstep::history {

// The whole file, header included. REQUIRES: linearizability::Validate(history).ok().
std::string WriteJson(const linearizability::History& history, Model model = Model::kKv);

bool IsUtf8(absl::string_view text);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_WRITE_JSON_H_
