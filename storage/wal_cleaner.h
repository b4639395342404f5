// Keeps a log's size proportional to what is live in it. A group that hardly moves would otherwise
// pin the segment that holds its few entries, and all later segments with it. So when the log is
// mostly dead, the live entries of the oldest segment are written again, a few with each commit, in
// the commit's own frame: no extra write, no extra sync, bounded delay.
//
// Bound: a log of L live bytes weighs at most about 2 L + kSegmentsSpare segments. Each byte freed
// costs less than one byte rewritten, since the oldest segment is reached again only after as many
// bytes have died as live.
#ifndef LOCKSTEP_STORAGE_WAL_CLEANER_H_
#define LOCKSTEP_STORAGE_WAL_CLEANER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "core/base/types.h"
#include "storage/file_system.h"
#include "storage/wal_format.h"
#include "storage/wal_state.h"

namespace lockstep::storage::wal {

// Dead weight that is not worth any work, in segments of the largest size.
inline constexpr uint64_t kSegmentsSpare = 4;

class Cleaner {
 public:
  Cleaner(FileSystem& files, const std::string& directory, uint64_t segment_bytes_max)
      : files_(files), directory_(directory), segment_bytes_max_(segment_bytes_max) {}

  bool Due(const WalState& state) const {
    return state.segments().size() > kSegmentsSpare &&
           state.bytes() > 2 * state.live_bytes() + kSegmentsSpare * segment_bytes_max_;
  }

  // Adds rewrites of entries of the oldest segment to `frame` and moves them in `state`. Their
  // bytes are a multiple of those that the frame holds already, so that cleaning outruns growth.
  // An error means that the oldest segment cannot be read any more.
  absl::Status Step(WalState& state, FrameBuilder& frame);

  // REQUIRED before the oldest segment is deleted.
  void CloseSegment() { file_.reset(); }

 private:
  absl::Status Begin(uint64_t sequence);
  absl::Status Rewrite(GroupLog& log, Index index, WalState& state, FrameBuilder& frame);

  FileSystem& files_;
  const std::string& directory_;
  const uint64_t segment_bytes_max_;
  uint64_t sequence_ = 0;  // the segment being cleaned; 0 before the first
  size_t group_ = 0;       // all entries of earlier groups have been looked at
  Index index_;            // and those of this group up to here
  std::unique_ptr<File> file_;
  std::string record_;
};

}  // namespace lockstep::storage::wal

#endif  // LOCKSTEP_STORAGE_WAL_CLEANER_H_
