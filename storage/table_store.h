// The tables of all replicas of a process in one LevelDB, and the jobs on them.
//
// Invariants:
// - A group's applied position lies in the same WriteBatch as the data it describes. LevelDB's own
//   log is not kept, so what a crash leaves is the table after some prefix of the applied entries,
//   and its position says which (docs/decisions/0002).
// - A table is one generation of keys; a snapshot is staged as another and becomes the table by one
//   WriteBatch. Keys of generations that are neither are deleted little by little
//   (docs/decisions/0003).
// - Between two calls LevelDB has no background work left, unless it runs on a thread of its own.
// - After an error every call fails with it.
//
// One thread at a time.
#ifndef LOCKSTEP_STORAGE_TABLE_STORE_H_
#define LOCKSTEP_STORAGE_TABLE_STORE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "core/runtime/state_machine.h"
#include "core/runtime/storage_job.h"
#include "leveldb/cache.h"
#include "leveldb/db.h"
#include "leveldb/filter_policy.h"
#include "leveldb/write_batch.h"
#include "storage/file_system.h"
#include "storage/leveldb_env.h"
#include "storage/recent_values.h"
#include "storage/snapshot_stream.h"
#include "storage/table_store_keys.h"
#include "storage/table_store_overlay.h"

namespace lockstep::storage {

struct TableStoreOptions {
  std::string directory;        // made if missing
  std::vector<GroupId> groups;  // each once
  bool more_groups = false;     // and whatever others have something there
  // A memtable that has grown to this is written out. LevelDB takes at least 64 KiB.
  uint64_t write_buffer_bytes = uint64_t{4} << 20;
  uint64_t block_cache_bytes = uint64_t{4} << 20;
  uint64_t recent_bytes = uint64_t{6} << 20;  // RecentValues
  BackgroundWork* background = nullptr;  // of LevelDB; outlives the store. Null: within its calls
};

class TableStore {
 public:
  // Opens or creates, and loads every machine. `files` and `machines` outlive the store. Errors:
  // DataLoss for damage; what the file system reports.
  static absl::StatusOr<std::unique_ptr<TableStore>> Open(FileSystem& files,
                                                          const TableStoreOptions& options,
                                                          const MachineFactory& machines);
  // Writes nothing: what was not checkpointed is applied again from the log.
  ~TableStore();
  TableStore(const TableStore&) = delete;
  TableStore& operator=(const TableStore&) = delete;

  // A table for the group, unless it has one already. Errors: as for Open.
  absl::Status Host(GroupId group);
  // The jobs of core/runtime/storage_job.h. REQUIRES: the job's group has a table.
  absl::StatusOr<StorageResult> Run(const ApplyEntries& job);
  absl::StatusOr<StorageResult> Run(const QueryTable& job);
  absl::StatusOr<StorageResult> Run(const Checkpoint& job);
  absl::StatusOr<StorageResult> Run(const ReadSnapshot& job);
  absl::StatusOr<StorageResult> Run(const CloseSnapshot& job);
  absl::StatusOr<StorageResult> Run(const WriteSnapshot& job);

  // The last entry that a group's table contains; none without a table. Right after Open it is
  // durable.
  LogPosition applied(GroupId group) const;
  // The group's members as of then: the data of the newest kConfiguration entry; empty: none yet.
  Bytes configuration(GroupId group) const;
  // A hash of a group's keys, values and applied position. 0 if the table cannot be read.
  uint64_t Digest(GroupId group) const;
  // Visits everything in the group's table in ascending order, until `visit` returns false. False:
  // the table cannot be read.
  bool Visit(GroupId group,
             absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const;
  // Keys in LevelDB that no table and no staging owns any more. Reads everything; for tests.
  uint64_t CountGarbageKeys() const;

 private:
  // One replica's table.
  struct Table {
    std::unique_ptr<StateMachine> machine;
    uint64_t generation = 1;
    std::string prefix;       // of the keys of that generation
    std::string applied_key;  // of the AppliedRecord
    LogPosition applied;
    std::string configuration;  // as of `applied`, and in the same record
    LogPosition durable;  // the table survives a crash with at least this. Invariant: <= applied
    StagingRecord staging;
    std::optional<SnapshotDecoder> decoder;  // exactly while a snapshot is staged
    struct OpenSnapshot {
      SnapshotReader reader;
      std::string configuration;
    };
    absl::btree_map<NodeId, OpenSnapshot> readers;
  };
  // Keys of one generation that nobody needs.
  struct Garbage {
    GroupId group;
    uint64_t generation;
    std::string next_key;  // all before it have been deleted
  };

  TableStore(FileSystem& files, const TableStoreOptions& options, const MachineFactory& machines);
  absl::Status OpenDatabase(const std::string& directory);
  // DataLoss when there are tables and nothing says which count: LevelDB would begin anew without a
  // word, and delete them. CURRENT is durable before the first of them is written.
  absl::Status CheckNotBeheaded(const std::string& directory) const;
  absl::Status FindMoreGroups();
  absl::Status LoadGroup(GroupId group);
  absl::Status ReadRecords(GroupId group, Table& table);
  absl::Status LoadMachine(Table& table);
  absl::Status FindGarbage(GroupId group, const Table& table);

  Table& TableOf(GroupId group);
  // Ends a job: runs LevelDB's background work and a piece of ours, and looks for errors.
  absl::StatusOr<StorageResult> Finish(absl::StatusOr<StorageResult> result);
  absl::Status Settle();
  // Writes batch_ and clears it.
  absl::Status WriteBatch();
  // Makes all that was written durable.
  absl::Status Flush();
  // Turns LevelDB's error into ours and remembers it.
  absl::Status Failed(const leveldb::Status& status);
  void PutApplied(const std::string& key, const AppliedRecord& applied);
  void PutStaging(GroupId group, const StagingRecord& staging);

  absl::StatusOr<StorageResult> ReadOpenSnapshot(const ReadSnapshot& job, Table& table);
  absl::StatusOr<StorageResult> Stage(const WriteSnapshot& job, Table& table);
  absl::Status Install(const WriteSnapshot& job, Table& table);
  // Forgets what is staged for the group, if anything is.
  absl::Status DropStaging(GroupId group, Table& table);
  void AddGarbage(GroupId group, uint64_t generation);
  absl::Status CleanSome();

  FileSystem& files_;
  const MachineFactory& machines_;
  const std::string directory_;
  uint64_t write_buffer_bytes_;
  InlineWork inline_work_;
  BackgroundWork& background_;
  std::unique_ptr<LevelDbEnv> env_;
  std::unique_ptr<leveldb::Logger> logger_;
  std::unique_ptr<leveldb::Cache> block_cache_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  leveldb::ReadOptions read_options_;
  leveldb::ReadOptions scan_options_;  // for whole tables: leaves the cache alone
  std::unique_ptr<leveldb::DB> db_;

  absl::btree_map<GroupId, Table> tables_;
  std::deque<Garbage> garbage_;
  bool dirty_ = false;  // something was written since the last flush
  absl::Status error_;

  // Kept between jobs so that a job allocates little.
  RecentValues recent_;
  TableOverlay overlay_;
  leveldb::WriteBatch batch_;
  std::string record_;
  std::string chunk_;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_TABLE_STORE_H_
