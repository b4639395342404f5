// The parts of Verify (storage/verify.h): the log, the tables, and what each says of the groups.
#ifndef LOCKSTEP_STORAGE_VERIFY_PARTS_H_
#define LOCKSTEP_STORAGE_VERIFY_PARTS_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "storage/file_system.h"
#include "storage/verify.h"

namespace lockstep::storage::verify {

// What one group's log holds.
struct GroupOnDisk {
  HardState hard_state;
  LogPosition base;
  Index last;
};
// What a group's table says of itself.
using Applied = absl::btree_map<GroupId, LogPosition>;
using Logs = absl::btree_map<GroupId, GroupOnDisk>;

// `*logs`: empty when the log is damaged, since then nobody knows.
absl::Status VerifyLog(const FileSystem& files, const std::string& directory, Verification* out,
                       Logs* logs);

// `*applied` lacks what damage hides.
absl::Status VerifyTables(const FileSystem& files, const std::string& directory, Verification* out,
                          Applied* applied);

// Where a database is damaged of which LevelDB says only that it is: DataLoss with file and offset,
// or with LevelDB's own words if all is sound. A read that fails is the error: then the disk is.
absl::Status LocateTableDamage(const FileSystem& files, const std::string& table_directory,
                               absl::string_view said);

// The whole file. Counts its bytes.
absl::StatusOr<std::string> ReadWhole(const FileSystem& files, const std::string& path,
                                      Verification* out);
void AddFlaw(Flaw::Kind kind, const std::string& file, uint64_t offset, absl::string_view what,
             absl::string_view meaning, Verification* out);

}  // namespace lockstep::storage::verify

#endif  // LOCKSTEP_STORAGE_VERIFY_PARTS_H_
