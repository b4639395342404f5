// Space that nobody needs yet: a file in the data directory that is deleted when the disk is almost
// full, so that compaction, which needs space to make space, has some (docs/decisions/0019).
#ifndef LOCKSTEP_BIN_LOCKSTEPD_RESERVE_H_
#define LOCKSTEP_BIN_LOCKSTEPD_RESERVE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/node/space_gauge.h"
#include "storage/file_system.h"

namespace lockstep::lockstepd {

// The limits of a node by its soft one; 0: no limits.
node::SpaceLimits SpaceLimitsOf(uint64_t soft_bytes);
// What a node with this soft limit keeps in reserve.
uint64_t ReserveBytesOf(uint64_t soft_bytes);

// One thread.
class SpaceReserve {
 public:
  static constexpr absl::string_view kName = "reserve";

  // `files` outlives it. What an earlier life has left is taken over.
  SpaceReserve(storage::FileSystem& files, const std::string& directory, uint64_t soft_bytes);

  // Gives the space away below the hard limit, and takes it again where nobody misses it. True: so
  // much is free no more; measure again.
  bool Adjust(uint64_t free_bytes);

 private:
  bool Take();

  storage::FileSystem& files_;
  const std::string path_;
  const node::SpaceLimits limits_;
  const uint64_t bytes_;
  bool held_ = false;
};

}  // namespace lockstep::lockstepd

#endif  // LOCKSTEP_BIN_LOCKSTEPD_RESERVE_H_
