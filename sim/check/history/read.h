// From the text of a file to a history that can be judged, whatever its format.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_READ_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_READ_H_

#include <optional>

#include "core/base/bytes.h"
#include "sim/check/history/recorded.h"

namespace lockstep::history {

struct ReadOptions {
  std::optional<Format> format;  // absent: what the first line looks like
  std::optional<Model> model;    // absent: what the format or the first operation speaks of
};

// The history shares the buffer of `text`.
ReadResult ReadHistory(const Bytes& text, const ReadOptions& options = {});

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_READ_H_
