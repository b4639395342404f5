// Where things lie in the one LevelDB of a process. Part of the disk format.
//
//   group (8 bytes, big-endian)  generation (8 bytes, big-endian)  kind (1 byte)  key
//
// A group's table is one generation of keys, numbered from 1. A snapshot that arrives is staged as
// another generation and becomes the table by a change of the group's records, which lie in
// generation 0 (docs/decisions/0003).
#ifndef LOCKSTEP_STORAGE_TABLE_STORE_KEYS_H_
#define LOCKSTEP_STORAGE_TABLE_STORE_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep::storage {

// Bounds of what a state machine may store; beyond them its Put fails a Check.
inline constexpr uint64_t kTableKeyBytesMax = uint64_t{1} << 20;
inline constexpr uint64_t kTableValueBytesMax = uint64_t{256} << 20;

inline constexpr size_t kTablePrefixBytes = 17;
// What every key of one generation of a group begins with.
std::string TablePrefix(GroupId group, uint64_t generation);

// The first key of a group's generation, and of all later ones.
std::string GenerationStart(GroupId group, uint64_t generation);
// The generation that a key of `group` belongs to; none if the key is of another group.
std::optional<uint64_t> GenerationOf(GroupId group, absl::string_view key);

// Which generation is the table, and the last entry that it contains.
struct AppliedRecord {
  uint64_t generation = 1;
  LogPosition applied;
  std::string configuration = {};  // the group's as of `applied` (ReplicaImage says how)
};
std::string AppliedKey(GroupId group);
// Whose any key is; none: it is too short for one.
std::optional<GroupId> GroupOf(absl::string_view key);
// Whose it is; none: it is another key.
std::optional<GroupId> GroupOfAppliedKey(absl::string_view key);
void EncodeApplied(const AppliedRecord& record, std::string* out);
std::optional<AppliedRecord> DecodeApplied(absl::string_view text);

// A snapshot on its way. Kept, with index 0, when nothing is staged: its generation was used.
struct StagingRecord {
  uint64_t generation = 0;   // the newest that was ever staged
  LogPosition snapshot;      // index 0: none
  uint64_t next_offset = 0;  // of the stream: the records before it are staged
};
std::string StagingKey(GroupId group);
void EncodeStaging(const StagingRecord& record, std::string* out);
std::optional<StagingRecord> DecodeStaging(absl::string_view text);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_TABLE_STORE_KEYS_H_
