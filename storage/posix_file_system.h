// FileSystem on the kernel: pread, pwrite, fdatasync, fsync of directories, flock. Interrupted and
// short calls are resumed. Errors carry the operation, the path and the kernel's own words.
#ifndef LOCKSTEP_STORAGE_POSIX_FILE_SYSTEM_H_
#define LOCKSTEP_STORAGE_POSIX_FILE_SYSTEM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/file_system.h"

namespace lockstep::storage {

// The status of a failed call: "sync /data/x: Input/output error". ENOENT is NotFound; ENOSPC and
// EDQUOT ResourceExhausted; EACCES, EPERM and EROFS PermissionDenied; EIO Internal.
absl::Status ErrnoStatus(int error, absl::string_view operation, absl::string_view path);

// Stateless. Files are made with mode 0640, directories with 0750 (less the process's umask).
class PosixFileSystem final : public FileSystem {
 public:
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
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_POSIX_FILE_SYSTEM_H_
