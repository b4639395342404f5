#include "sim/disk/sim_file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/hash.h"

namespace lockstep::sim {
namespace {

using storage::File;
using storage::OpenMode;

absl::Status PowerLost() { return absl::UnavailableError("power lost"); }

absl::Status InputOutputError() { return absl::InternalError("sync: input/output error"); }

absl::Status Missing(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": no such file or directory"));
}

}  // namespace

class SimFileSystem::Handle final : public File {
 public:
  Handle(SimFileSystem& disk, Inode* inode, bool writable)
      : disk_(disk), inode_(inode), epoch_(disk.epoch_), writable_(writable) {
    disk_.names_.AddHandle(inode_);
  }
  ~Handle() override { disk_.names_.DropHandle(inode_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  absl::Status Read(uint64_t offset, size_t bytes, std::string* out) const override {
    if (!Alive()) return PowerLost();
    if (disk_.CallFails(/*read=*/true)) return InputOutputError();
    const std::string& content = inode_->content.bytes();
    const uint64_t begin = std::min<uint64_t>(offset, content.size());
    const uint64_t length = std::min<uint64_t>(bytes, content.size() - begin);
    out->assign(content, begin, length);
    disk_.counters_.bytes_read += length;
    return absl::OkStatus();
  }

  absl::Status Write(uint64_t offset, absl::string_view data) override { return Put(offset, data); }

  absl::Status Append(absl::string_view data) override { return Put(inode_->content.size(), data); }

  absl::Status Truncate(uint64_t size) override {
    const Power power = Begin();
    if (power == Power::kOff) return PowerLost();
    if (!writable_) return ReadOnly();
    inode_->content.Truncate(size);
    return power == Power::kOn ? absl::OkStatus() : PowerLost();
  }

  absl::Status Reserve(uint64_t size) override {
    const Power power = Begin();
    if (power == Power::kOff) return PowerLost();
    if (!writable_) return ReadOnly();
    const uint64_t grows = size - std::min(size, inode_->content.size());
    if (disk_.limited() && Room(inode_->content.size(), grows) < grows) {
      ++disk_.counters_.refused_full;
      return absl::ResourceExhaustedError("no space left on device");
    }
    if (grows > 0) inode_->content.Truncate(size);
    return power == Power::kOn ? absl::OkStatus() : PowerLost();
  }

  absl::Status Sync() override {
    if (Begin() != Power::kOn) return PowerLost();
    ++disk_.counters_.syncs;
    if (disk_.SyncFails()) {
      inode_->content.FailSync();
      return InputOutputError();
    }
    inode_->content.Sync();
    return absl::OkStatus();
  }

  absl::StatusOr<uint64_t> Size() const override {
    if (!Alive()) return PowerLost();
    return inode_->content.size();
  }

 private:
  bool Alive() const { return epoch_ == disk_.epoch_ && disk_.powered(); }
  Power Begin() { return epoch_ == disk_.epoch_ ? disk_.Mutate() : Power::kOff; }
  static absl::Status ReadOnly() {
    return absl::FailedPreconditionError("the file was opened for reading");
  }

  absl::Status Put(uint64_t offset, absl::string_view data) {
    const Power power = Begin();
    if (power == Power::kOff) return PowerLost();
    if (!writable_) return ReadOnly();
    absl::string_view part = data;
    if (power == Power::kFails) part = data.substr(0, disk_.Interrupted(data.size()));
    const bool fails = disk_.CallFails(/*read=*/false);
    if (fails) part = part.substr(0, part.size() / 2);
    if (disk_.capacity_ != kUnlimited) part = part.substr(0, Room(offset, part.size()));
    inode_->content.Write(offset, part);
    disk_.counters_.bytes_written += part.size();
    if (power == Power::kFails) return PowerLost();
    if (fails && disk_.io_failure_ == IoFailure::kWrite) return InputOutputError();
    if (part.size() < data.size()) {
      ++disk_.counters_.refused_full;
      return absl::ResourceExhaustedError("no space left on device");
    }
    return absl::OkStatus();
  }

  // How many of `bytes` bytes at `offset` the disk has room for.
  uint64_t Room(uint64_t offset, uint64_t bytes) const {
    const uint64_t size = inode_->content.size();
    const uint64_t used = disk_.names_.UsedBytes();
    const uint64_t free = disk_.capacity_ > used ? disk_.capacity_ - used : 0;
    const uint64_t until = size + free;  // The file may grow to this.
    return until <= offset ? 0 : std::min(bytes, until - offset);
  }

  SimFileSystem& disk_;
  Inode* inode_;
  uint64_t epoch_;
  bool writable_;
};

class SimFileSystem::HeldLock final : public File {
 public:
  HeldLock(SimFileSystem& disk, std::string path)
      : disk_(disk), path_(std::move(path)), epoch_(disk.epoch_) {}
  ~HeldLock() override {
    if (epoch_ == disk_.epoch_) disk_.locks_.erase(path_);
  }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

  absl::Status Read(uint64_t, size_t, std::string*) const override { return Refuse(); }
  absl::Status Write(uint64_t, absl::string_view) override { return Refuse(); }
  absl::Status Append(absl::string_view) override { return Refuse(); }
  absl::Status Truncate(uint64_t) override { return Refuse(); }
  absl::Status Reserve(uint64_t) override { return Refuse(); }
  absl::Status Sync() override { return Refuse(); }
  absl::StatusOr<uint64_t> Size() const override { return Refuse(); }

 private:
  static absl::Status Refuse() { return absl::FailedPreconditionError("a lock has no bytes"); }

  SimFileSystem& disk_;
  std::string path_;
  uint64_t epoch_;
};

uint64_t SimFileSystem::Interrupted(uint64_t bytes) const {
  // No Rng here: a hash of the operation's number will do, for the point of the cut is drawn by
  // whoever calls PowerCutAfter.
  return Mix64(counters_.operations) % (bytes + 1);
}

absl::StatusOr<Inode*> SimFileSystem::FindOrMake(const std::string& path, OpenMode mode) {
  if (names_.IsDirectory(path)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": is a directory"));
  }
  Inode* inode = names_.Find(path);
  const bool makes = mode == OpenMode::kCreate || mode == OpenMode::kTruncate;
  if (inode == nullptr && !(makes && names_.IsDirectory(NameTable::Parent(path)))) {
    return Missing(path);
  }
  const bool truncates = mode == OpenMode::kTruncate && inode != nullptr;
  if (inode != nullptr && !truncates) return inode;
  const Power power = Mutate();
  if (power == Power::kOff) return PowerLost();
  if (inode == nullptr) inode = names_.Create(path);
  if (truncates) inode->content.Truncate(0);
  if (power == Power::kFails) return PowerLost();
  return inode;
}

absl::StatusOr<std::unique_ptr<File>> SimFileSystem::Open(const std::string& path, OpenMode mode) {
  if (!powered()) return PowerLost();
  absl::StatusOr<Inode*> inode = FindOrMake(NameTable::Normal(path), mode);
  if (!inode.ok()) return inode.status();
  return std::make_unique<Handle>(*this, *inode, /*writable=*/mode != OpenMode::kRead);
}

bool SimFileSystem::Exists(const std::string& path) const {
  return powered() && names_.Exists(NameTable::Normal(path));
}

absl::StatusOr<std::vector<std::string>> SimFileSystem::List(const std::string& directory) const {
  if (!powered()) return PowerLost();
  const std::string path = NameTable::Normal(directory);
  if (!names_.IsDirectory(path)) return Missing(directory);
  return names_.List(path);
}

absl::StatusOr<uint64_t> SimFileSystem::FileSize(const std::string& path) const {
  if (!powered()) return PowerLost();
  const Inode* inode = names_.Find(NameTable::Normal(path));
  if (inode == nullptr) return Missing(path);
  return inode->content.size();
}

absl::Status SimFileSystem::Rename(const std::string& source, const std::string& target) {
  const Power power = Mutate();
  if (power == Power::kOff) return PowerLost();
  const std::string from = NameTable::Normal(source);
  const std::string to = NameTable::Normal(target);
  if (names_.IsDirectory(from) || names_.IsDirectory(to)) {
    return absl::FailedPreconditionError(absl::StrCat(source, ": only files are renamed here"));
  }
  if (names_.Find(from) == nullptr) return Missing(source);
  if (!names_.IsDirectory(NameTable::Parent(to))) return Missing(target);
  names_.Rename(from, to);
  return power == Power::kOn ? absl::OkStatus() : PowerLost();
}

absl::Status SimFileSystem::Delete(const std::string& path) {
  const Power power = Mutate();
  if (power == Power::kOff) return PowerLost();
  const std::string name = NameTable::Normal(path);
  if (names_.IsDirectory(name)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": is a directory"));
  }
  if (names_.Find(name) == nullptr) return Missing(path);
  names_.Delete(name);
  return power == Power::kOn ? absl::OkStatus() : PowerLost();
}

absl::Status SimFileSystem::CreateDirectory(const std::string& path) {
  const Power power = Mutate();
  if (power == Power::kOff) return PowerLost();
  const std::string full = NameTable::Normal(path);
  // Each part in turn, so that parents come first.
  for (size_t end = full.find('/', 1);; end = full.find('/', end + 1)) {
    const std::string part = full.substr(0, end);
    if (names_.Find(part) != nullptr) {
      return absl::AlreadyExistsError(absl::StrCat(part, ": is a file"));
    }
    if (!names_.Exists(part)) names_.CreateDirectory(part);
    if (end == std::string::npos) break;
  }
  return power == Power::kOn ? absl::OkStatus() : PowerLost();
}

absl::Status SimFileSystem::SyncDirectory(const std::string& path) {
  if (Mutate() != Power::kOn) return PowerLost();
  const std::string directory = NameTable::Normal(path);
  if (!names_.IsDirectory(directory)) return Missing(path);
  ++counters_.directory_syncs;
  if (SyncFails()) return InputOutputError();
  names_.Sync(directory);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SimFileSystem::FreeBytes(const std::string&) const {
  if (!powered()) return PowerLost();
  if (capacity_ == kUnlimited) return kUnlimited;
  return capacity_ - std::min(capacity_, names_.UsedBytes());
}

absl::StatusOr<std::unique_ptr<File>> SimFileSystem::Lock(const std::string& path) {
  if (!powered()) return PowerLost();
  const std::string name = NameTable::Normal(path);
  absl::StatusOr<Inode*> inode = FindOrMake(name, OpenMode::kCreate);
  if (!inode.ok()) return inode.status();
  if (!locks_.insert(name).second) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": locked by another process"));
  }
  return std::make_unique<HeldLock>(*this, name);
}

void SimFileSystem::PowerCutAfter(uint64_t operations) { power_left_ = operations; }

void SimFileSystem::Crash(Rng& rng, const CrashOptions& options) {
  ++counters_.crashes;
  if (!powered()) ++counters_.power_cuts;
  names_.Crash(rng, options, counters_);
  BeginAnew();
}

void SimFileSystem::Kill() {
  ++counters_.kills;
  BeginAnew();
}

void SimFileSystem::BeginAnew() {
  locks_.clear();
  ++epoch_;
  power_left_ = kUnlimited;
  syncs_to_failure_ = 0;
  calls_to_failure_ = 0;
}

bool SimFileSystem::FlipBits(const std::string& path, uint64_t offset, uint8_t mask) {
  Inode* inode = names_.Find(NameTable::Normal(path));
  if (inode == nullptr || offset >= inode->content.size()) return false;
  inode->content.FlipBits(offset, mask);
  ++counters_.flips;
  return true;
}

const FileContent* SimFileSystem::Content(const std::string& path) const {
  const Inode* inode = names_.Find(NameTable::Normal(path));
  return inode == nullptr ? nullptr : &inode->content;
}

uint64_t SimFileSystem::Digest() const { return names_.Digest(); }

}  // namespace lockstep::sim
