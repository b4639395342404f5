// The simplest disk for a simulated server: one write-ahead log of records, as RecordLog
// (core/runtime/record_log.h) writes it.
#ifndef LOCKSTEP_SIM_FRAMEWORK_LOG_STORAGE_H_
#define LOCKSTEP_SIM_FRAMEWORK_LOG_STORAGE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "core/runtime/log.h"
#include "sim/world/software.h"
#include "storage/file_system.h"

namespace lockstep::sim {

// A log that was opened at boot.
struct LogStorage {
  std::unique_ptr<StorageRunner> runner;  // for Life::storage; executes CommitLog, nothing else
  ReplicaImage recovered;                 // for the process's RecordLog
};

// Opens the log in `files`, or makes it. A torn end is repaired: what it held was never durable.
// Errors are those of storage::Wal::Open. `files` outlives the result.
absl::StatusOr<LogStorage> OpenLogStorage(storage::FileSystem& files);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FRAMEWORK_LOG_STORAGE_H_
