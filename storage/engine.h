// The executor of storage jobs: one write-ahead log and one LevelDB per process, for all its
// replicas. Blocking. The two lanes may be run by two threads (one each); a lane by one thread at a
// time. The simulator calls it inline; production gives each lane a thread.
#ifndef LOCKSTEP_STORAGE_ENGINE_H_
#define LOCKSTEP_STORAGE_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <functional>
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
  bool more_groups =
      false;  // and those of which the first job comes later, or came in a life before
  // A segment is closed when it has grown to this.
  uint64_t wal_segment_bytes_max = uint64_t{64} << 20;
  uint64_t wal_reserve_bytes = 0;  // WalOptions::reserve_bytes
  uint64_t wal_salt = 0;           // WalOptions::salt
  uint64_t table_write_buffer_bytes = uint64_t{4} << 20;
  uint64_t table_block_cache_bytes = uint64_t{4} << 20;
  uint64_t table_recent_bytes = uint64_t{6} << 20;  // values that entries asked for last
  BackgroundWork* background = nullptr;  // of LevelDB; outlives the engine. Null: within its jobs
  // Whether there is no other replica of the group that could give back what damage takes.
  // `configuration`: the data of the newest kConfiguration entry that is known; empty: none is.
  // Null: there always is one.
  std::function<bool(GroupId group, const Bytes& configuration)> is_alone = nullptr;
};

// Damage that Open has found and made good, as far as this node can.
struct Repair {
  std::string damage;       // file, offset and what is wrong there
  std::string consequence;  // what was done, and what still has to happen
};

class Wal;
class TableStore;

// Whether a node's storage has ever been opened there, and what it has promised lies there still.
// An Engine that finds nothing begins anew, as if it had never promised anything: whoever knows
// better must ask first.
bool HoldsPromises(const FileSystem& files, const std::string& directory);

class Engine {
 public:
  // Opens or creates, and repairs a torn tail. Damage is told by repairs(), with file and offset:
  // replicas that have lost what they may have promised come up in doubt (HardState::doubt), and
  // tables are made anew. DataLoss, and nothing is lost, where that is not enough: a group that
  // is alone, or votes that cannot be read. FailedPrecondition when another process has the
  // directory open. `files` and `machines` outlive the engine.
  static absl::StatusOr<std::unique_ptr<Engine>> Open(FileSystem& files,
                                                      const EngineOptions& options,
                                                      const MachineFactory& machines);
  // Writes nothing, and returns at once also when the disk is dead.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // What each replica finds, in the order of EngineOptions::groups, then of others that have been
  // there before. Call once, after Open.
  std::vector<ReplicaImage> TakeImages();

  // What Open has made good.
  const std::vector<Repair>& repairs() const { return repairs_; }

  // Executes one job. After an error every later call on either lane fails with it (sticky): nobody
  // knows what the disk holds. DataLoss: what was read is not what was written; file and offset are
  // named, and the next Open repairs it.
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
  std::vector<Repair> repairs_;
  FileSystem* files_ = nullptr;
  std::string directory_;
  bool more_groups_ = false;
  std::atomic<bool> failed_{false};  // says that error_ is set
  std::mutex mutex_;                 // the two lanes may fail at the same time
  absl::Status error_;               // the first, of either lane; guarded by mutex_
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_ENGINE_H_
