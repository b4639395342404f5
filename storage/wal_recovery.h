// Reads a log back and repairs what a crash may leave: the torn end of the last write, and a last
// segment that was never finished. Everything else that is wrong is damage, is reported as DataLoss
// with file and offset, and is left as it is: a log that silently loses its end may have promised
// it to somebody (protocol-aware recovery, Alagappan et al., FAST'18).
//
// The rule: commit n + 1 begins only after the sync of commit n returned, and a segment only after
// all commits of the one before. So the first bad frame is a torn end if it stands in the last
// segment and no later frame's header can be found behind it; otherwise it was durable once.
#ifndef LOCKSTEP_STORAGE_WAL_RECOVERY_H_
#define LOCKSTEP_STORAGE_WAL_RECOVERY_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "storage/file_system.h"
#include "storage/wal_format.h"
#include "storage/wal_state.h"

namespace lockstep::storage::wal {

// The largest setting of WalOptions::segment_bytes_max, and the largest file that may come of it: a
// commit of the largest size begun just below the limit. Offsets in a segment fit 32 bits.
inline constexpr uint64_t kSegmentBytesMax = uint64_t{1} << 30;
inline constexpr uint64_t kSegmentFileBytesMax = 2 * kSegmentBytesMax + (uint64_t{1} << 20);
static_assert(kFrameBytesMax <= kSegmentBytesMax);

struct Recovered {
  std::vector<GroupLog> logs;        // in the order of the groups
  std::vector<ReplicaImage> images;  // in the same order
  std::deque<SegmentUse> segments;   // oldest first; empty when there is no log yet
  std::unique_ptr<File> file;        // the last segment, durable; null when there is none
  uint32_t salt = 0;                 // of the last segment
  uint32_t last_frame_crc = 0;       // of the last frame's header
  uint64_t next_batch = 1;
  uint64_t reserved = 0;    // bytes of the last segment's file: zeros behind its last frame
  uint64_t torn_bytes = 0;  // cut off the end
};

std::string SegmentPath(const std::string& directory, uint64_t sequence);

// What can be read of a log that Recover refuses with DataLoss: each group's state before the first
// damage, some earlier state of it. A group of which entries are missing there comes out empty. No
// hard state is to be believed. Changes nothing. Errors: what the file system reports. `more`: here
// and below, as for Replay.
absl::StatusOr<std::vector<ReplicaImage>> Salvage(FileSystem& files, const std::string& directory,
                                                  const std::vector<GroupId>& groups,
                                                  bool more = false);

// Puts all segments aside, under names that no log looks at, so that a new log can begin. What an
// earlier call has put aside is deleted. The newest goes first: what a crash leaves is the
// beginning of a log. Durable.
absl::Status SetAside(FileSystem& files, const std::string& directory);

absl::StatusOr<Recovered> Recover(FileSystem& files, const std::string& directory,
                                  const std::vector<GroupId>& groups, bool more = false);

}  // namespace lockstep::storage::wal

#endif  // LOCKSTEP_STORAGE_WAL_RECOVERY_H_
