// The writes of one job before they reach LevelDB: the entries of the job see them, and each key is
// written once, however often the job changed it.
#ifndef LOCKSTEP_STORAGE_TABLE_STORE_OVERLAY_H_
#define LOCKSTEP_STORAGE_TABLE_STORE_OVERLAY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "core/runtime/state_machine.h"
#include "leveldb/db.h"
#include "leveldb/write_batch.h"
#include "storage/recent_values.h"

namespace lockstep::storage {

// Memory that is given back all at once, and kept for the next time if it is little.
class Arena {
 public:
  // Holds `first` and `second`, one behind the other, until Clear.
  absl::string_view Keep(absl::string_view first, absl::string_view second);
  void Clear();

 private:
  static constexpr size_t kChunkBytes = 16 << 10;
  char* Allocate(size_t bytes);

  std::unique_ptr<char[]> kept_chunk_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* at_ = nullptr;
  size_t left_ = 0;
};

class TableOverlay final : public TableWriter {
 public:
  // `recent` outlives the overlay.
  explicit TableOverlay(RecentValues& recent) : recent_(recent) {}

  // Starts a job on the keys that begin with `prefix`. Both outlive the job.
  void Begin(leveldb::DB& db, const leveldb::ReadOptions& options, absl::string_view prefix);
  bool failed() const override { return !status_.ok(); }
  bool Get(absl::string_view key, std::string* value) const override;
  void Scan(
      absl::string_view start,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const override;
  void Put(absl::string_view key, absl::string_view value) override;
  void Delete(absl::string_view key) override;

  // Appends the job's writes to `batch`, in the order of their keys, and forgets them. REQUIRES:
  // the batch is written before anything is read again.
  void Finish(leveldb::WriteBatch& batch);
  // The first error of a read since Begin: the writes are then worth nothing.
  const leveldb::Status& status() const { return status_; }

 private:
  struct Slot {
    absl::string_view full_key;
    absl::string_view value;
    bool deleted = false;
  };
  Slot& SlotOf(absl::string_view key);

  RecentValues& recent_;
  leveldb::DB* db_ = nullptr;
  const leveldb::ReadOptions* options_ = nullptr;
  absl::string_view prefix_;
  absl::btree_map<absl::string_view, Slot> slots_;  // by key without prefix
  Arena arena_;
  mutable std::string full_key_;
  mutable leveldb::Status status_;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_TABLE_STORE_OVERLAY_H_
