// The disk seam: the few operations that the write-ahead log and LevelDB need, implemented by POSIX
// and by the simulator with the same promises.
//
// What survives a power failure: bytes of a file that were followed by a successful Sync of that
// file; names (created, renamed, deleted) that were followed by a successful SyncDirectory of their
// directory. Anything else may survive in part, page by page and name by name, or not at all.
//
// Errors are absl::Status: NotFound for a missing file, ResourceExhausted for a full disk,
// Unavailable or Internal for an input/output error. After a failed Sync nobody knows what the disk
// holds: the caller stops (never retries: the kernel may have marked the pages clean).
#ifndef LOCKSTEP_STORAGE_FILE_SYSTEM_H_
#define LOCKSTEP_STORAGE_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::storage {

// An open file. Closed by its destructor, which syncs nothing. Used by one thread at a time, except
// Read.
class File {
 public:
  virtual ~File() = default;
  // Reads up to `bytes` bytes at `offset` into `*out`, fewer only at the end of the file.
  virtual absl::Status Read(uint64_t offset, size_t bytes, std::string* out) const = 0;
  // Writes at `offset`, extending the file as needed; a gap reads as zeros.
  virtual absl::Status Write(uint64_t offset, absl::string_view data) = 0;
  // Writes at the end.
  virtual absl::Status Append(absl::string_view data) = 0;
  // Cuts the file, or extends it with zeros.
  virtual absl::Status Truncate(uint64_t size) = 0;
  // Extends the file to `size` bytes, zeros, that have their place on the disk: writing them later
  // changes no size, so that Sync has less to do. Smaller than the file: no change.
  virtual absl::Status Reserve(uint64_t size) = 0;
  // Makes the file's bytes and size durable (fdatasync).
  virtual absl::Status Sync() = 0;
  // Bytes.
  virtual absl::StatusOr<uint64_t> Size() const = 0;
};

// What is expected of a file and what may be done with it.
enum class OpenMode {
  kRead,       // must exist; only Read and Size
  kReadWrite,  // must exist
  kCreate,     // made if missing, kept if there
  kTruncate,   // made if missing, emptied if there
};

// Paths are absolute or relative to the process, with "/" between parts. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // NotFound if the mode wants a file that is missing.
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  // As a file or as a directory.
  virtual bool Exists(const std::string& path) const = 0;
  // Names in a directory, without "." and "..", sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const = 0;
  // Bytes.
  virtual absl::StatusOr<uint64_t> FileSize(const std::string& path) const = 0;
  // Replaces `target` if it exists.
  virtual absl::Status Rename(const std::string& source, const std::string& target) = 0;
  // Of a file. Open handles go on.
  virtual absl::Status Delete(const std::string& path) = 0;
  // Makes a directory and its missing parents. Not an error if it exists.
  virtual absl::Status CreateDirectory(const std::string& path) = 0;
  // Makes the names in a directory durable.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  // That may still be written to the disk that holds the path.
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const = 0;
  // An exclusive lock that ends with the returned object or with the process. FailedPrecondition
  // when somebody else holds it.
  virtual absl::StatusOr<std::unique_ptr<File>> Lock(const std::string& path) = 0;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_FILE_SYSTEM_H_
