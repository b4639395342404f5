// Reads a LevelDB table file without LevelDB, every byte of it, and says where it is damaged.
//
// LevelDB looks at what it needs and names no offset. Here the blocks must tile the file, each must
// pass its checksum, and their keys must ascend; so there is no byte that could rot unnoticed.
// (leveldb/doc/table_format.md)
#ifndef LOCKSTEP_STORAGE_LEVELDB_TABLE_CHECK_H_
#define LOCKSTEP_STORAGE_LEVELDB_TABLE_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace lockstep::storage {

// What is wrong, and where.
struct TableProblem {
  uint64_t offset = 0;  // of the block, or of the part of it that makes no sense
  std::string what;
};

// One entry of a table: a key as it was at one point in the database's history.
struct TableEntry {
  absl::string_view internal_key;
  absl::string_view user_key;
  uint64_t sequence = 0;
  bool deleted = false;
  absl::string_view value;
};

// `file`: the whole of it. `visit` sees the entries of all sound data blocks, in their order.
// Empty: the table is sound.
std::vector<TableProblem> CheckTable(absl::string_view file,
                                     absl::FunctionRef<void(const TableEntry& entry)> visit);

// Whether the footer of a table of `file_bytes` makes sense. No checksum covers it, and LevelDB
// would ask for as much memory as it names. `footer`: the file's last kTableFooterBytes, or all.
inline constexpr uint64_t kTableFooterBytes = 48;
bool IsTableFooter(absl::string_view footer, uint64_t file_bytes);

// Whether there is room for the sequence and the kind that every key of LevelDB's ends with.
bool IsInternalKey(absl::string_view key);
// LevelDB's order of internal keys. REQUIRES: both are.
bool InternalKeyLess(absl::string_view left, absl::string_view right);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_LEVELDB_TABLE_CHECK_H_
