// The contents of one tenure: a range of the group's table that looks like a table of its own, and
// the counts that are kept as it changes.
#ifndef LOCKSTEP_CORE_SHARDKV_CONTENTS_H_
#define LOCKSTEP_CORE_SHARDKV_CONTENTS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/runtime/state_machine.h"

namespace lockstep::shardkv {

// What a tenure holds. Of the store's pairs, keys and bytes; of all records, sessions too, a hash
// that does not depend on the order in which they were written. All zero when nothing is there.
struct Counts {
  uint64_t keys = 0;
  uint64_t bytes = 0;    // of keys and values
  uint64_t content = 0;  // the sum over all records of a hash of key and value
  friend bool operator==(const Counts&, const Counts&) = default;

  void Add(absl::string_view key, absl::string_view value);
  // REQUIRES: it was added.
  void Remove(absl::string_view key, absl::string_view value);

  std::string Encode() const;
  static Counts Decode(absl::string_view record);
};

// Shows the keys that begin with `prefix`, without it.
class ContentsReader final : public TableReader {
 public:
  ContentsReader(const TableReader& table, std::string prefix)
      : table_(table), prefix_(std::move(prefix)) {}

  bool failed() const override { return table_.failed(); }
  bool Get(absl::string_view key, std::string* value) const override;
  void Scan(
      absl::string_view start,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const override;

 private:
  const TableReader& table_;
  const std::string prefix_;
  mutable std::string full_key_;  // scratch
};

// Writes them too, and keeps `counts`.
class ContentsWriter final : public TableWriter {
 public:
  ContentsWriter(TableWriter& table, const std::string& prefix, Counts& counts)
      : table_(table), reader_(table, prefix), prefix_(prefix), counts_(counts) {}

  bool failed() const override { return table_.failed(); }
  bool Get(absl::string_view key, std::string* value) const override {
    return reader_.Get(key, value);
  }
  void Scan(absl::string_view start,
            absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit)
      const override {
    reader_.Scan(start, visit);
  }
  void Put(absl::string_view key, absl::string_view value) override;
  void Delete(absl::string_view key) override;

 private:
  void RemoveFromCounts(absl::string_view key);

  TableWriter& table_;
  const ContentsReader reader_;
  const std::string prefix_;
  Counts& counts_;
  std::string full_key_;  // scratch
  std::string old_;       // scratch
};

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_CONTENTS_H_
