// One generation of a group's keys, for reading.
#ifndef LOCKSTEP_STORAGE_TABLE_STORE_READER_H_
#define LOCKSTEP_STORAGE_TABLE_STORE_READER_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/runtime/state_machine.h"
#include "leveldb/db.h"

namespace lockstep::storage {

class GroupReader final : public TableReader {
 public:
  // Shows the keys that begin with `prefix`, without it. `db` and `options` outlive the reader.
  GroupReader(leveldb::DB& db, const leveldb::ReadOptions& options, std::string prefix)
      : db_(db), options_(options), prefix_(std::move(prefix)) {}

  bool failed() const override { return !status_.ok(); }
  bool Get(absl::string_view key, std::string* value) const override;
  void Scan(
      absl::string_view start,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const override;

  // The first error of a read: what was answered is then worth nothing.
  const leveldb::Status& status() const { return status_; }

 private:
  leveldb::DB& db_;
  const leveldb::ReadOptions& options_;
  std::string prefix_;
  mutable std::string full_key_;
  mutable leveldb::Status status_;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_TABLE_STORE_READER_H_
