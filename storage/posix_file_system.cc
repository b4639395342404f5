#include "storage/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <source_location>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::storage {
namespace {

// The kernel transfers a little less than 2 GiB per call, whatever it is asked for.
constexpr size_t kTransferBytesMax = size_t{1} << 30;

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EINVAL:
    case ENAMETOOLONG:
    case EBADF:
      return absl::StatusCode::kInvalidArgument;
    case EFBIG:
      return absl::StatusCode::kOutOfRange;
    case EISDIR:
    case ENOTEMPTY:
    case ELOOP:
    case EXDEV:
      return absl::StatusCode::kFailedPrecondition;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EBUSY:
    case EAGAIN:
      return absl::StatusCode::kUnavailable;
    default:  // EIO among others: nobody knows what the disk holds
      return absl::StatusCode::kInternal;
  }
}

// Repeats a call that a signal interrupted. `call` returns -1 on failure, as the kernel does.
template <class Call>
auto Uninterrupted(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

absl::Status StatusOf(int64_t result, absl::string_view operation, absl::string_view path) {
  return result < 0 ? ErrnoStatus(errno, operation, path) : absl::OkStatus();
}

class PosixFile final : public File {
 public:
  // `on_sync` may be empty; it outlives the file.
  PosixFile(int descriptor, std::string path, const PosixFileSystem::OnSync& on_sync)
      : descriptor_(descriptor), path_(std::move(path)), on_sync_(on_sync) {}
  // Not repeated when interrupted: Linux has closed the descriptor all the same.
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  // Call once, before Append.
  absl::Status FindEnd() {
    struct stat info;
    if (::fstat(descriptor_, &info) != 0) return ErrnoStatus(errno, "stat", path_);
    // The kernel lets a directory be opened for reading, and then every read fails.
    if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, "open", path_);
    end_ = static_cast<uint64_t>(info.st_size);
    return absl::OkStatus();
  }

  absl::Status Read(uint64_t offset, size_t bytes, std::string* out) const override {
    out->resize(bytes);
    size_t done = 0;
    while (done < bytes) {
      const size_t part = std::min(bytes - done, kTransferBytesMax);
      const ssize_t result = Uninterrupted([&] {
        return ::pread(descriptor_, out->data() + done, part, static_cast<off_t>(offset + done));
      });
      if (result < 0) {
        const int error = errno;
        out->clear();
        return ErrnoStatus(error, "read", path_);
      }
      if (result == 0) break;
      done += static_cast<size_t>(result);
    }
    out->resize(done);
    return absl::OkStatus();
  }

  absl::Status Write(uint64_t offset, absl::string_view data) override {
    while (!data.empty()) {
      const size_t part = std::min(data.size(), kTransferBytesMax);
      const ssize_t result = Uninterrupted(
          [&] { return ::pwrite(descriptor_, data.data(), part, static_cast<off_t>(offset)); });
      if (result < 0) return ErrnoStatus(errno, "write", path_);
      // Never on a regular file; a loop that makes no progress must not spin.
      if (result == 0) return ErrnoStatus(EIO, "write", path_);
      data.remove_prefix(static_cast<size_t>(result));
      offset += static_cast<uint64_t>(result);
      end_ = std::max(end_, offset);
    }
    return absl::OkStatus();
  }

  absl::Status Append(absl::string_view data) override { return Write(end_, data); }

  absl::Status Truncate(uint64_t size) override {
    const int result =
        Uninterrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); });
    if (result == 0) end_ = size;
    return StatusOf(result, "truncate", path_);
  }

  // File systems without fallocate get the size alone.
  absl::Status Reserve(uint64_t size) override {
    if (size <= end_) return absl::OkStatus();
    const int result =
        Uninterrupted([&] { return ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size)); });
    if (result != 0 && errno == EOPNOTSUPP) return Truncate(size);
    if (result == 0) end_ = size;
    return StatusOf(result, "reserve", path_);
  }

  // Repeating an interrupted fdatasync is allowed: it has not failed. A failed one is never
  // repeated, neither here nor by any caller.
  absl::Status Sync() override {
    const auto began = std::chrono::steady_clock::now();
    const int result = Uninterrupted([&] { return ::fdatasync(descriptor_); });
    if (result < 0) return ErrnoStatus(errno, "sync", path_);
    if (on_sync_ != nullptr) on_sync_(path_, std::chrono::steady_clock::now() - began);
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() const override {
    struct stat info;
    if (::fstat(descriptor_, &info) != 0) return ErrnoStatus(errno, "stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  const int descriptor_;
  const std::string path_;
  const PosixFileSystem::OnSync& on_sync_;
  uint64_t end_ = 0;  // where Append writes
};

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kTruncate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  CheckFailed("unknown open mode", std::source_location::current());
}

int OpenDescriptor(const std::string& path, int flags) {
  return Uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0640); });
}

absl::Status MakeOneDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) == 0) return absl::OkStatus();
  const int error = errno;
  struct stat info;
  const bool is_directory = ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (is_directory) return absl::OkStatus();
  return ErrnoStatus(error, "make directory", path);
}

}  // namespace

absl::Status ErrnoStatus(int error, absl::string_view operation, absl::string_view path) {
  return absl::Status(CodeOf(error), absl::StrCat(operation, " ", path, ": ",
                                                  std::generic_category().message(error)));
}

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::Open(const std::string& path,
                                                            OpenMode mode) {
  const int descriptor = OpenDescriptor(path, FlagsOf(mode));
  if (descriptor < 0) return ErrnoStatus(errno, "open", path);
  auto file = std::make_unique<PosixFile>(descriptor, path, on_sync_);
  const absl::Status status = file->FindEnd();
  if (!status.ok()) return status;
  return file;
}

bool PosixFileSystem::Exists(const std::string& path) const {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0;
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::List(const std::string& directory) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), &::closedir);
  if (stream == nullptr) return ErrnoStatus(errno, "list", directory);
  std::vector<std::string> names;
  errno = 0;  // tells the end from a failure
  while (const dirent* entry = ::readdir(stream.get())) {
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return ErrnoStatus(errno, "list", directory);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<uint64_t> PosixFileSystem::FileSize(const std::string& path) const {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "stat", path);
  return static_cast<uint64_t>(info.st_size);
}

absl::Status PosixFileSystem::Rename(const std::string& source, const std::string& target) {
  const std::string operation = absl::StrCat("rename ", source, " to");
  return StatusOf(::rename(source.c_str(), target.c_str()), operation, target);
}

absl::Status PosixFileSystem::Delete(const std::string& path) {
  return StatusOf(::unlink(path.c_str()), "delete", path);
}

absl::Status PosixFileSystem::CreateDirectory(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const absl::Status status = MakeOneDirectory(path.substr(0, slash));
    if (!status.ok()) return status;
  }
  return MakeOneDirectory(path);
}

absl::Status PosixFileSystem::SyncDirectory(const std::string& path) {
  const int descriptor = OpenDescriptor(path, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return ErrnoStatus(errno, "open directory", path);
  const int result = Uninterrupted([&] { return ::fsync(descriptor); });
  const absl::Status status = StatusOf(result, "sync directory", path);
  ::close(descriptor);
  return status;
}

absl::StatusOr<uint64_t> PosixFileSystem::FreeBytes(const std::string& path) const {
  struct statvfs info;
  const int result = Uninterrupted([&] { return ::statvfs(path.c_str(), &info); });
  if (result != 0) return ErrnoStatus(errno, "read free space of", path);
  // What an unprivileged process may still write.
  return uint64_t{info.f_bavail} * uint64_t{info.f_frsize};
}

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::Lock(const std::string& path) {
  const int descriptor = OpenDescriptor(path, O_RDWR | O_CREAT);
  if (descriptor < 0) return ErrnoStatus(errno, "open lock", path);
  auto file = std::make_unique<PosixFile>(descriptor, path, on_sync_);
  if (Uninterrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) == 0) return file;
  if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "lock", path);
  return absl::FailedPreconditionError(absl::StrCat("lock ", path, ": another process holds it"));
}

}  // namespace lockstep::storage
