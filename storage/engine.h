// The executor of storage jobs: one write-ahead log and one LevelDB per process, for all its
// replicas. Blocking. The two lanes may be run by two threads (one each); a lane by one thread at a
// time. The simulator calls it inline; production gives each lane a thread.
#ifndef LOCKSTEP_STORAGE_ENGINE_H_
#define LOCKSTEP_STORAGE_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "core/runtime/state_machine.h"
#include "core/runtime/storage_job.h"
#include "storage/background_work.h"
#include "storage/file_system.h"

namespace lockstep::storage {

struct EngineOptions {
  std::string directory;        // made if missing; holds wal/ and table/
  std::vector<GroupId> groups;  // the replicas that live here
  // A segment is closed when it has grown to this.
  uint64_t wal_segment_bytes_max = uint64_t{64} << 20;
  uint64_t wal_reserve_bytes = 0;  // WalOptions::reserve_bytes
  uint64_t wal_salt = 0;           // WalOptions::salt
  uint64_t table_write_buffer_bytes = uint64_t{4} << 20;
  uint64_t table_block_cache_bytes = uint64_t{4} << 20;
  uint64_t table_recent_bytes = uint64_t{6} << 20;  // values that entries asked for last
  BackgroundWork* background = nullptr;  // of LevelDB; outlives the engine. Null: within its jobs
};

class Wal;
class TableStore;

class Engine {
 public:
  // Opens or creates, repairs a torn tail, and reports damage that is none as DataLoss naming file
  // and offset; a log that begins after the end of its table is DataLoss too. FailedPrecondition
  // when another process has the directory open. `files` and `machines` outlive the engine.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(FileSystem& files,
                                                      const EngineOptions& options,
                                                      const MachineFactory& machines);
  // Writes nothing, and returns at once also when the disk is dead.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // What each replica finds, in the order of EngineOptions::groups. Call once, after Open.
  std::vector<ReplicaImage> TakeImages();

  // Executes one job. After an error every later call on either lane fails with it (sticky): nobody
  // knows what the disk holds.
  absl::StatusOr<StorageResult> Run(const StorageJob& job);

  // A digest of a group's table (keys, values, applied position), for checkers that compare
  // replicas. Belongs to the table lane. 0 when the table cannot be read.
  uint64_t TableDigest(GroupId group) const;
  // Visits everything in a group's table, likewise. False: it cannot be read.
  bool VisitTable(
      GroupId group,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const;

 private:
  Engine();
  absl::StatusOr<StorageResult> Execute(const StorageJob& job);
  absl::Status Fail(const absl::Status& error);

  std::unique_ptr<File> lock_;  // of the directory; the last to go
  std::unique_ptr<Wal> wal_;
  std::unique_ptr<TableStore> tables_;
  std::vector<ReplicaImage> images_;
  std::atomic<bool> failed_{false};  // says that error_ is set
  std::mutex mutex_;                 // the two lanes may fail at the same time
  absl::Status error_;               // the first, of either lane; guarded by mutex_
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_ENGINE_H_
