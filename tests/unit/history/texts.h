// Histories written out as each of the formats would have them, for the readers' tests.
#ifndef LOCKSTEP_TESTS_UNIT_HISTORY_TEXTS_H_
#define LOCKSTEP_TESTS_UNIT_HISTORY_TEXTS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "sim/check/history/read.h"
#include "sim/check/linearizability/history.h"

namespace lockstep::history {

// One line for each invocation and completion, in the order of time; at the same time invocations
// come first, since intervals are closed. A process that is busy is replaced by a fresh one.
std::string JsonEvents(const linearizability::History& history, Model model);
// REQUIRES: no mismatches. Key-value: starts empty.
std::string EdnEvents(const linearizability::History& history, Model model);
// REQUIRES: one key, missing at first; puts, gets and swaps whose mismatches say nothing; values
// are numbers.
std::string JepsenLog(const linearizability::History& history);

// Options with a model.
inline ReadOptions As(Model model) { return {.format = std::nullopt, .model = model}; }
ReadResult ReadText(absl::string_view text, const ReadOptions& options = {});
// The text must be readable.
Recorded MustRead(absl::string_view text, const ReadOptions& options = {});
// "LINE: reason"; or what it holds, if nothing is wrong.
std::string ErrorOf(absl::string_view text, const ReadOptions& options = {});
// "[1, 4] process 7: put ..." a line.
std::string Dump(const Recorded& recorded);

}  // namespace lockstep::history

#endif  // LOCKSTEP_TESTS_UNIT_HISTORY_TEXTS_H_
