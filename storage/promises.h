// What a node's replicas have promised beside their logs, term and vote, kept a second time: a log
// that is damaged must not make a replica forget for whom it voted, or in which term it spoke
// (docs/decisions/0018).
//
// Two files hold the same, and each change is written to the one, synced, written to the other,
// synced, before anybody hears of it. So one of them is always whole, whatever is torn or rots in
// the other, and it holds all that was ever told:
// - The second is written only when the first is durable. If the first cannot be read, either it
//   was being written, and nobody has heard of it; or the second has the same or is about to.
//
//   file = magic 8, version 4, replicas 4, revision 8, commit 8, {group 8, term 8, vote 8, doubt
//   8}, crc 4
#ifndef LOCKSTEP_STORAGE_PROMISES_H_
#define LOCKSTEP_STORAGE_PROMISES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "storage/file_system.h"

namespace lockstep::storage {

using PromiseMap = absl::btree_map<GroupId, HardState>;

// What one of the files says.
struct PromiseRecord {
  uint64_t revision = 0;
  // The log's commit (its batch number) that made them, durable before them; 0: of no log that is
  // there.
  uint64_t commit = 0;
  PromiseMap promises;
};
std::string EncodePromises(const PromiseRecord& record);
// DataLoss: it is not what was written.
absl::StatusOr<PromiseRecord> DecodePromises(absl::string_view text);

// Both names, in the order of writing.
inline constexpr std::array<const char*, 2> kPromiseFiles = {"promises-1", "promises-2"};

// One thread at a time.
class Promises {
 public:
  // Reads them. `directory` exists. DataLoss when there are such files and none can be read; what
  // the file system reports.
  static absl::StatusOr<Promises> Load(FileSystem& files, const std::string& directory);

  // As if there were none: for a log that is sound, whose own word must do.
  static Promises Anew(FileSystem& files, const std::string& directory) {
    return Promises(files, directory);
  }

  // False: there are no such files. A new node, or one that an early version wrote.
  bool found() const { return found_; }
  // A group that is not mentioned has promised nothing.
  HardState Of(GroupId group) const;
  const PromiseMap& all() const { return newest_.promises; }
  // The log has had so many commits when they were written: PromiseRecord::commit.
  uint64_t commit() const { return newest_.commit; }
  // Both files are whole and say the same.
  bool intact() const { return intact_; }

  // Durable when it returns OK. After an error nobody knows what the disk holds. kWithNames: also
  // the files' names, and what an earlier life may have left in the kernel's memory alone. Needed
  // once in a life, before any other.
  enum class Extent : uint8_t { kWithNames, kContent };
  absl::Status Write(const PromiseMap& changes, uint64_t commit, Extent extent);

 private:
  Promises(FileSystem& files, std::string directory)
      : files_(&files), directory_(std::move(directory)) {}
  absl::Status WriteFile(const std::string& path, absl::string_view text, Extent extent);

  FileSystem* files_;
  std::string directory_;
  bool found_ = false;
  bool intact_ = false;
  PromiseRecord newest_;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_PROMISES_H_
