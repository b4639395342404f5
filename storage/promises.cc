#include "storage/promises.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "storage/leveldb_coding.h"

namespace lockstep::storage {
namespace {

constexpr uint64_t kMagic = 0x7365'7369'6d6f'7270;  // "promises"
constexpr uint32_t kVersion = 1;
constexpr size_t kHeadBytes = 32;
constexpr size_t kReplicaBytes = 32;
constexpr size_t kCrcBytes = 4;
constexpr uint64_t kFileBytesMax = uint64_t{16} << 20;

void Put(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

absl::StatusOr<std::string> ReadWhole(FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::unique_ptr<File>> file = files.Open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::string text;
  if (*size > kFileBytesMax) return text;  // Not ours, whatever it is.
  const absl::Status read = (*file)->Read(0, *size, &text);
  if (!read.ok()) return read;
  return text;
}

}  // namespace

std::string EncodePromises(const PromiseRecord& record) {
  std::string text;
  Put(kMagic, 8, &text);
  Put(kVersion, 4, &text);
  Put(record.promises.size(), 4, &text);
  Put(record.revision, 8, &text);
  Put(record.commit, 8, &text);
  for (const auto& [group, state] : record.promises) {
    Put(group.value(), 8, &text);
    Put(state.term.value(), 8, &text);
    Put(state.vote.value(), 8, &text);
    Put(state.doubt.value(), 8, &text);
  }
  Put(Crc32c(text), kCrcBytes, &text);
  return text;
}

absl::StatusOr<PromiseRecord> DecodePromises(absl::string_view text) {
  if (text.size() < kHeadBytes + kCrcBytes) return absl::DataLossError("the file is too short");
  const absl::string_view covered = text.substr(0, text.size() - kCrcBytes);
  uint64_t crc = 0;
  leveldb_coding::Reader tail(text.substr(covered.size()));
  tail.Fixed(kCrcBytes, &crc);
  if (crc != Crc32c(covered)) return absl::DataLossError("the file fails its checksum");
  leveldb_coding::Reader reader(covered);
  uint64_t magic = 0;
  uint64_t version = 0;
  uint64_t replicas = 0;
  PromiseRecord record;
  reader.Fixed(8, &magic);
  reader.Fixed(4, &version);
  reader.Fixed(4, &replicas);
  reader.Fixed(8, &record.revision);
  reader.Fixed(8, &record.commit);
  if (magic != kMagic) return absl::DataLossError("the file holds something else");
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat("version ", version, " of the votes is not ",
                                                      kVersion,
                                                      ", the only one that this program reads"));
  }
  if (reader.left() != replicas * kReplicaBytes) {
    return absl::DataLossError("the file does not have the length that it names");
  }
  for (uint64_t i = 0; i < replicas; ++i) {
    uint64_t fields[4] = {};
    for (uint64_t& field : fields) reader.Fixed(8, &field);
    const GroupId group(fields[0]);
    if (!record.promises.empty() && group <= record.promises.rbegin()->first) {
      return absl::DataLossError(
          "the file names its groups in another order than they are written");
    }
    record.promises[group] = {Term(fields[1]), NodeId(fields[2]), Term(fields[3])};
  }
  return record;
}

absl::StatusOr<Promises> Promises::Load(FileSystem& files, const std::string& directory) {
  Promises promises(files, directory);
  absl::Status damage;
  int whole = 0;
  uint64_t revisions = 0;
  for (const char* name : kPromiseFiles) {
    const std::string path = absl::StrCat(directory, "/", name);
    const absl::StatusOr<std::string> text = ReadWhole(files, path);
    if (absl::IsNotFound(text.status())) continue;
    if (!text.ok()) return text.status();
    promises.found_ = true;
    absl::StatusOr<PromiseRecord> record = DecodePromises(*text);
    if (absl::IsDataLoss(record.status())) {
      damage = absl::DataLossError(absl::StrCat(path, ": byte 0: ", record.status().message()));
      continue;
    }
    if (!record.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(path, ": ", record.status().message()));
    }
    ++whole;
    revisions += record->revision;
    if (record->revision >= promises.newest_.revision) promises.newest_ = *std::move(record);
  }
  // The first file ever was being made.
  const bool unborn = whole == 0 && !files.Exists(absl::StrCat(directory, "/", kPromiseFiles[1]));
  if (unborn) promises.found_ = false;
  if (promises.found_ && whole == 0) {
    return absl::DataLossError(
        absl::StrCat("what this node has voted cannot be read: ", damage.message(),
                     ", and the other copy neither. Nothing was changed. Restore a copy of the "
                     "directory, or remove this node from its groups and add it again with an "
                     "empty data directory"));
  }
  promises.intact_ = whole == 2 && revisions == 2 * promises.newest_.revision;
  return promises;
}

HardState Promises::Of(GroupId group) const {
  const auto found = newest_.promises.find(group);
  return found == newest_.promises.end() ? HardState() : found->second;
}

absl::Status Promises::Write(const PromiseMap& changes, uint64_t commit, Extent extent) {
  for (const auto& [group, state] : changes) newest_.promises[group] = state;
  ++newest_.revision;
  newest_.commit = commit;
  const std::string text = EncodePromises(newest_);
  for (const char* name : kPromiseFiles) {
    const absl::Status written = WriteFile(absl::StrCat(directory_, "/", name), text, extent);
    if (!written.ok()) return written;
  }
  found_ = intact_ = true;
  return absl::OkStatus();
}

absl::Status Promises::WriteFile(const std::string& path, absl::string_view text, Extent extent) {
  absl::StatusOr<std::unique_ptr<File>> file = files_->Open(path, OpenMode::kCreate);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  absl::Status status = (*file)->Write(0, text);
  if (status.ok() && *size > text.size()) status = (*file)->Truncate(text.size());
  if (status.ok()) status = (*file)->Sync();
  const bool names = extent == Extent::kWithNames;
  return status.ok() && names ? files_->SyncDirectory(directory_) : status;
}

}  // namespace lockstep::storage
