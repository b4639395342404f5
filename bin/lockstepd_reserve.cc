#include "bin/lockstepd_reserve.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lockstep::lockstepd {

node::SpaceLimits SpaceLimitsOf(uint64_t soft_bytes) {
  return {.soft_bytes = soft_bytes, .hard_bytes = soft_bytes / 4};
}

uint64_t ReserveBytesOf(uint64_t soft_bytes) { return soft_bytes / 16; }

SpaceReserve::SpaceReserve(storage::FileSystem& files, const std::string& directory,
                           uint64_t soft_bytes)
    : files_(files),
      path_(absl::StrCat(directory, "/", kName)),
      limits_(SpaceLimitsOf(soft_bytes)),
      bytes_(ReserveBytesOf(soft_bytes)),
      held_(files_.Exists(path_)) {
  if (bytes_ > 0 || !held_) return;
  held_ = !files_.Delete(path_).ok();  // Made under another limit.
}

bool SpaceReserve::Adjust(uint64_t free_bytes) {
  if (bytes_ == 0) return false;
  if (held_ && free_bytes < limits_.hard_bytes) {
    held_ = !files_.Delete(path_).ok();
    return !held_;
  }
  const uint64_t ample = limits_.soft_bytes + limits_.soft_bytes / 8;
  if (held_ || free_bytes < ample + 2 * bytes_) return false;
  return Take();
}

// Nothing depends on it: what fails is tried again.
bool SpaceReserve::Take() {
  absl::StatusOr<std::unique_ptr<storage::File>> file =
      files_.Open(path_, storage::OpenMode::kTruncate);
  if (!file.ok()) return false;
  held_ = (*file)->Reserve(bytes_).ok();
  if (!held_) static_cast<void>(files_.Delete(path_));
  return held_;
}

}  // namespace lockstep::lockstepd
