// FileSystem on the kernel: pread, pwrite, fdatasync, fsync of directories, flock. Interrupted and
// short calls are resumed. Errors carry the operation, the path and the kernel's own words.
#ifndef LOCKSTEP_STORAGE_POSIX_FILE_SYSTEM_H_
#define LOCKSTEP_STORAGE_POSIX_FILE_SYSTEM_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"

namespace lockstep::storage {

// The status of a failed call: "sync /data/x: Input/output error". ENOENT is NotFound; ENOSPC and
// EDQUOT ResourceExhausted; EACCES, EPERM and EROFS PermissionDenied; EIO Internal.
absl::Status ErrnoStatus(int error, absl::string_view operation, absl::string_view path);

// Thread-safe. Files are made with mode 0640, directories with 0750 (less the process's umask).
class PosixFileSystem final : public FileSystem {
 public:
  // Told of each sync of a file that succeeded, on the thread that waited for it.
  using OnSync = std::function<void(const std::string& path, std::chrono::nanoseconds took)>;
  explicit PosixFileSystem(OnSync on_sync = nullptr) : on_sync_(std::move(on_sync)) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  bool Exists(const std::string& path) const override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override;
  absl::StatusOr<uint64_t> FileSize(const std::string& path) const override;
  absl::Status Rename(const std::string& source, const std::string& target) override;
  absl::Status Delete(const std::string& path) override;
  absl::Status CreateDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const override;
  absl::StatusOr<std::unique_ptr<File>> Lock(const std::string& path) override;

 private:
  const OnSync on_sync_;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_POSIX_FILE_SYSTEM_H_
