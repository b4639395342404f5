#include "storage/leveldb_env.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "storage/leveldb_manifest.h"
#include "storage/leveldb_table_check.h"

namespace lockstep::storage {
namespace {

// Table files grow by appends of this size.
constexpr size_t kOutputBufferBytes = 64 << 10;

absl::string_view FileName(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

std::string Directory(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool IsLog(absl::string_view path) { return absl::EndsWith(path, ".log"); }
bool IsManifest(absl::string_view path) { return absl::StartsWith(FileName(path), "MANIFEST-"); }

}  // namespace

// A file that was read as a whole: CURRENT and MANIFEST.
class LevelDbEnv::MemoryFile final : public leveldb::SequentialFile {
 public:
  explicit MemoryFile(std::string text) : text_(std::move(text)) {}

  leveldb::Status Read(size_t bytes, leveldb::Slice* result, char*) override {
    const size_t length = std::min(bytes, text_.size() - at_);
    *result = leveldb::Slice(text_.data() + at_, length);
    at_ += length;
    return leveldb::Status::OK();
  }
  leveldb::Status Skip(uint64_t bytes) override {
    at_ += std::min<uint64_t>(bytes, text_.size() - at_);
    return leveldb::Status::OK();
  }

 private:
  std::string text_;
  size_t at_ = 0;
};

class LevelDbEnv::TableFile final : public leveldb::RandomAccessFile {
 public:
  TableFile(LevelDbEnv& env, std::string path, std::unique_ptr<File> file)
      : env_(env), path_(std::move(path)), file_(std::move(file)) {}

  leveldb::Status Read(uint64_t offset, size_t bytes, leveldb::Slice* result,
                       char* scratch) const override {
    static thread_local std::string buffer;  // several threads may read a table
    const absl::Status read = file_->Read(offset, bytes, &buffer);
    if (!read.ok()) return env_.Report(path_, read);
    std::memcpy(scratch, buffer.data(), buffer.size());
    *result = leveldb::Slice(scratch, buffer.size());
    if (buffer.size() > kOutputBufferBytes) std::string().swap(buffer);
    return leveldb::Status::OK();
  }

 private:
  LevelDbEnv& env_;
  std::string path_;
  std::unique_ptr<File> file_;
};

// Bytes reach the file system at Sync and Close, those of a table also when the buffer is full.
// Flush does nothing: nobody reads a file before it is closed, and nobody relies on it before it is
// synced.
class LevelDbEnv::OutputFile final : public leveldb::WritableFile {
 public:
  OutputFile(LevelDbEnv& env, std::string path, std::unique_ptr<File> file)
      : env_(env), path_(std::move(path)), manifest_(IsManifest(path_)), file_(std::move(file)) {}

  leveldb::Status Append(const leveldb::Slice& data) override {
    buffer_.append(data.data(), data.size());
    if (manifest_ || buffer_.size() < kOutputBufferBytes) return leveldb::Status::OK();
    return env_.Report(path_, Empty());
  }
  leveldb::Status Close() override { return env_.Report(path_, Empty()); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override {
    absl::Status synced;
    // Not a byte of an edit of the MANIFEST may reach the disk before the names of the tables that
    // it speaks of: unsynced, it could survive a power failure, and they might not.
    if (manifest_ && env_.Writable().ok()) synced = env_.SyncNames(Directory(path_));
    if (synced.ok()) synced = Empty();
    if (synced.ok()) synced = file_->Sync();
    return env_.Report(path_, synced);
  }

 private:
  absl::Status Empty() {
    if (absl::Status writable = env_.Writable(); !writable.ok()) return writable;
    if (buffer_.empty()) return absl::OkStatus();
    absl::Status appended = file_->Append(buffer_);
    buffer_.clear();
    return appended;
  }

  LevelDbEnv& env_;
  std::string path_;
  bool manifest_;
  std::unique_ptr<File> file_;
  std::string buffer_;
};

class LevelDbEnv::DiscardedFile final : public leveldb::WritableFile {
 public:
  leveldb::Status Append(const leveldb::Slice&) override { return leveldb::Status::OK(); }
  leveldb::Status Close() override { return leveldb::Status::OK(); }
  leveldb::Status Flush() override { return leveldb::Status::OK(); }
  leveldb::Status Sync() override { return leveldb::Status::OK(); }
};

class LevelDbEnv::HeldLock final : public leveldb::FileLock {
 public:
  explicit HeldLock(std::unique_ptr<File> file) : file_(std::move(file)) {}

 private:
  std::unique_ptr<File> file_;
};

class LevelDbEnv::NullLogger final : public leveldb::Logger {
 public:
  void Logv(const char*, std::va_list) override {}
};

absl::Status LevelDbEnv::error() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return error_;
}

void LevelDbEnv::RefuseWrites() {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (error_.ok()) error_ = absl::CancelledError("the table store is closing");
}

// A name that changes meanwhile is synced once more.
absl::Status LevelDbEnv::SyncNames(const std::string& directory) {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (!std::exchange(names_changed_, false)) return absl::OkStatus();
  }
  return files_.SyncDirectory(directory);
}

leveldb::Status LevelDbEnv::Report(const std::string& path, const absl::Status& status) {
  if (status.ok()) return leveldb::Status::OK();
  const std::string message(status.message());
  if (absl::IsNotFound(status)) return leveldb::Status::NotFound(path, message);
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (error_.ok()) error_ = status;
  }
  if (absl::IsDataLoss(status)) return leveldb::Status::Corruption(path, message);
  return leveldb::Status::IOError(path, message);
}

leveldb::Status LevelDbEnv::NewSequentialFile(const std::string& path,
                                              leveldb::SequentialFile** result) {
  *result = nullptr;
  if (IsLog(path)) return leveldb::Status::NotFound(path, "LevelDB logs are not kept");
  const auto file = files_.Open(path, OpenMode::kRead);
  if (!file.ok()) return Report(path, file.status());
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return Report(path, size.status());
  std::string text;
  const absl::Status read = (*file)->Read(0, *size, &text);
  if (!read.ok()) return Report(path, read);
  if (IsManifest(path)) text.resize(ManifestBytesToRead(text));
  *result = new MemoryFile(std::move(text));
  return leveldb::Status::OK();
}

leveldb::Status LevelDbEnv::NewRandomAccessFile(const std::string& path,
                                                leveldb::RandomAccessFile** result) {
  *result = nullptr;
  auto file = files_.Open(path, OpenMode::kRead);
  if (!file.ok()) return Report(path, file.status());
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return Report(path, size.status());
  const uint64_t footer_at = *size - std::min(*size, kTableFooterBytes);
  std::string footer;
  const absl::Status read = (*file)->Read(footer_at, kTableFooterBytes, &footer);
  if (!read.ok()) return Report(path, read);
  if (!IsTableFooter(footer, *size)) {
    return leveldb::Status::Corruption(path, "the footer makes no sense");
  }
  *result = new TableFile(*this, path, *std::move(file));
  return leveldb::Status::OK();
}

leveldb::Status LevelDbEnv::NewWritableFile(const std::string& path,
                                            leveldb::WritableFile** result) {
  *result = nullptr;
  if (absl::Status writable = Writable(); !writable.ok()) return Report(path, writable);
  if (IsLog(path)) {
    *result = new DiscardedFile();
    return leveldb::Status::OK();
  }
  auto file = files_.Open(path, OpenMode::kTruncate);
  if (!file.ok()) return Report(path, file.status());
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    names_changed_ = true;
  }
  *result = new OutputFile(*this, path, *std::move(file));
  return leveldb::Status::OK();
}

bool LevelDbEnv::FileExists(const std::string& path) { return !IsLog(path) && files_.Exists(path); }

leveldb::Status LevelDbEnv::GetChildren(const std::string& directory,
                                        std::vector<std::string>* result) {
  auto names = files_.List(directory);
  if (!names.ok()) return Report(directory, names.status());
  *result = *std::move(names);
  return leveldb::Status::OK();
}

leveldb::Status LevelDbEnv::RemoveFile(const std::string& path) {
  if (IsLog(path)) return leveldb::Status::OK();
  if (absl::Status writable = Writable(); !writable.ok()) return Report(path, writable);
  return Report(path, files_.Delete(path));
}

leveldb::Status LevelDbEnv::CreateDir(const std::string& path) {
  if (files_.Exists(path)) return leveldb::Status::OK();
  if (absl::Status writable = Writable(); !writable.ok()) return Report(path, writable);
  return Report(path, files_.CreateDirectory(path));
}

leveldb::Status LevelDbEnv::RemoveDir(const std::string& path) {
  return leveldb::Status::NotSupported(path, "directories are not removed");
}

leveldb::Status LevelDbEnv::GetFileSize(const std::string& path, uint64_t* size) {
  *size = 0;
  const absl::StatusOr<uint64_t> found = files_.FileSize(path);
  if (!found.ok()) return Report(path, found.status());
  *size = *found;
  return leveldb::Status::OK();
}

leveldb::Status LevelDbEnv::RenameFile(const std::string& source, const std::string& target) {
  if (absl::Status writable = Writable(); !writable.ok()) return Report(source, writable);
  absl::Status renamed = files_.Rename(source, target);
  if (renamed.ok()) renamed = files_.SyncDirectory(Directory(target));
  return Report(source, renamed);
}

leveldb::Status LevelDbEnv::LockFile(const std::string& path, leveldb::FileLock** lock) {
  *lock = nullptr;
  auto held = files_.Lock(path);
  if (!held.ok()) return Report(path, held.status());
  *lock = new HeldLock(*std::move(held));
  return leveldb::Status::OK();
}

leveldb::Status LevelDbEnv::UnlockFile(leveldb::FileLock* lock) {
  delete lock;
  return leveldb::Status::OK();
}

void LevelDbEnv::StartThread(void (*)(void*), void*) { Check(false, "LevelDB starts no thread"); }

leveldb::Status LevelDbEnv::GetTestDirectory(std::string* path) {
  path->clear();
  return leveldb::Status::NotSupported("test directory", "there is none");
}

leveldb::Status LevelDbEnv::NewLogger(const std::string&, leveldb::Logger** result) {
  *result = new NullLogger();
  return leveldb::Status::OK();
}

}  // namespace lockstep::storage
