// Records what a load did as a history that `lockstep-sim check` judges (docs/check.md).
#ifndef LOCKSTEP_BIN_BENCH_HISTORY_H_
#define LOCKSTEP_BIN_BENCH_HISTORY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "bin/bench_target.h"

namespace lockstep::bench {

// The file of a history; shared by the targets of one load. Thread-safe.
class HistoryFile {
 public:
  virtual ~HistoryFile() = default;
  // An error of any write so far, or of the last one.
  virtual absl::Status Close() = 0;
};

// Begins the file. InvalidArgument: it cannot be written.
absl::StatusOr<std::shared_ptr<HistoryFile>> OpenHistory(const std::string& path);

// Passes operations on to `target` and records them. What is written is replaced by values of its
// own, each another, so that the checker can tell them apart. Of puts, gets, appends and deletes.
std::unique_ptr<Target> Recording(std::unique_ptr<Target> target,
                                  std::shared_ptr<HistoryFile> history);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_HISTORY_H_
