#include "storage/wal_recovery.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "storage/wal_replay.h"

namespace lockstep::storage::wal {
namespace {

absl::Status Corrupt(const std::string& path, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("corrupt log: ", path, ": ", what,
                   ". This replica may have acknowledged what was there: do not cut or delete the "
                   "file"));
}

absl::Status Because(const absl::Status& why, absl::string_view proof) {
  return absl::DataLossError(absl::StrCat(why.message(), "; this is no torn end: ", proof));
}

constexpr char kAside[] = ".damaged";

// Ascending.
absl::StatusOr<std::vector<uint64_t>> SegmentsIn(const FileSystem& files,
                                                 const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files.List(directory);
  if (!names.ok()) return names.status();
  std::vector<uint64_t> sequences;
  for (const std::string& name : *names) {
    // The names are sorted and of equal length, so the numbers are sorted too.
    const std::optional<uint64_t> sequence = ParseSegmentName(name);
    if (sequence.has_value()) sequences.push_back(*sequence);
  }
  return sequences;
}

class Recovery {
 public:
  Recovery(FileSystem& files, const std::string& directory, const std::vector<GroupId>& groups,
           bool more)
      : files_(files), directory_(directory), replay_(groups, more) {}
  absl::StatusOr<Recovered> Run();
  absl::StatusOr<std::vector<ReplicaImage>> RunToDamage();

 private:
  absl::Status ListSegments();
  absl::Status ReadSegment(size_t number);
  absl::Status Load(const std::string& path);
  // The following judge bytes_, the content of sequences_[number], in messages without its path.
  absl::Status Interpret(size_t number);
  absl::Status InterpretFrames(size_t number, const SegmentHeader& header);
  absl::Status JudgeStart(size_t number, const std::optional<SegmentHeader>& header,
                          const absl::Status& why);
  absl::Status JudgeEnd(size_t number, uint64_t offset, const absl::Status& why);
  absl::Status SecureEnd();

  // Nothing but zeros from here on: space that was taken ahead and not written. A frame that was
  // lost and reads so is noticed by the batch numbers of what follows, in the next segment too.
  bool IsReserve(uint64_t offset) const {
    return bytes_.find_first_not_of('\0', offset) == std::string::npos;
  }
  bool IsLast(size_t number) const { return number + 1 == sequences_.size(); }

  FileSystem& files_;
  const std::string& directory_;
  Replay replay_;
  Recovered out_;
  std::vector<uint64_t> sequences_;
  std::string bytes_;  // of the segment being read
  Frame frame_;
  std::optional<uint64_t> unborn_;  // the last segment, when its start never became durable
  bool torn_ = false;               // the last segment that counts has bytes after its last frame
  std::string tail_;                // its last frame, with the segment header if it is the first
  uint64_t tail_offset_ = 0;
};

absl::StatusOr<Recovered> Recovery::Run() {
  absl::Status status = ListSegments();
  for (size_t i = 0; status.ok() && i < sequences_.size(); ++i) status = ReadSegment(i);
  if (!status.ok()) return status;
  status = replay_.Finish(&out_.logs, &out_.images);
  if (!status.ok()) return Corrupt(directory_, status.message());
  // Repairs begin here: only a log that is otherwise whole is touched.
  // SecureEnd, or the start of a first segment, makes the deletion durable before the log grows.
  if (unborn_.has_value()) status = files_.Delete(SegmentPath(directory_, *unborn_));
  if (status.ok() && !out_.segments.empty()) status = SecureEnd();
  if (!status.ok()) return status;
  return std::move(out_);
}

absl::StatusOr<std::vector<ReplicaImage>> Recovery::RunToDamage() {
  absl::Status status = ListSegments();
  for (size_t i = 0; i < sequences_.size(); ++i) {
    // A missing segment is damage too, of all that follows.
    const bool gap = i > 0 && sequences_[i] != sequences_[i - 1] + 1;
    status = gap ? absl::DataLossError("") : ReadSegment(i);
    if (!status.ok()) break;
  }
  if (!status.ok() && !absl::IsDataLoss(status)) return status;
  return replay_.FinishLeniently();
}

absl::Status Recovery::ListSegments() {
  absl::StatusOr<std::vector<uint64_t>> found = SegmentsIn(files_, directory_);
  if (!found.ok()) return found.status();
  sequences_ = *std::move(found);
  for (size_t i = 1; i < sequences_.size(); ++i) {
    if (sequences_[i] == sequences_[i - 1] + 1) continue;
    return Corrupt(SegmentPath(directory_, sequences_[i - 1] + 1), "byte 0: the file is missing");
  }
  return absl::OkStatus();
}

absl::Status Recovery::ReadSegment(size_t number) {
  const std::string path = SegmentPath(directory_, sequences_[number]);
  const absl::Status loaded = Load(path);
  if (!loaded.ok()) return loaded;
  const absl::Status status = Interpret(number);
  if (status.ok()) return status;
  if (absl::IsDataLoss(status)) return Corrupt(path, status.message());
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

absl::Status Recovery::Load(const std::string& path) {
  const absl::StatusOr<std::unique_ptr<File>> file = files_.Open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  if (*size > kSegmentFileBytesMax) {
    return Corrupt(path, absl::StrCat("byte 0: no segment has ", *size, " bytes"));
  }
  const absl::Status status = (*file)->Read(0, static_cast<size_t>(*size), &bytes_);
  if (status.ok()) CheckEq(bytes_.size(), *size);
  return status;
}

absl::Status Recovery::Interpret(size_t number) {
  const absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(bytes_);
  if (absl::IsDataLoss(header.status())) {
    return JudgeStart(number, std::nullopt, header.status());
  }
  if (!header.ok()) return header.status();
  if (header->sequence != sequences_[number]) {
    return absl::DataLossError(absl::StrCat("byte 0: the file holds segment ", header->sequence));
  }
  if (number > 0 && header->first_batch != out_.next_batch) {
    return absl::DataLossError(absl::StrCat("byte 0: begins with batch ", header->first_batch,
                                            ", but the segment before it ends with batch ",
                                            out_.next_batch - 1));
  }
  return InterpretFrames(number, *header);
}

absl::Status Recovery::InterpretFrames(size_t number, const SegmentHeader& header) {
  absl::Status status =
      DecodeFrame(bytes_, kSegmentHeaderBytes, header.first_batch, header.salt, &frame_);
  if (!status.ok()) return JudgeStart(number, header, status);
  status = replay_.ApplyStatement(frame_, /*oldest=*/number == 0);
  if (!status.ok()) return status;

  out_.salt = header.salt;
  out_.last_frame_crc = frame_.header.crc;
  out_.next_batch = header.first_batch + 1;
  uint64_t offset = frame_.end_offset;
  tail_offset_ = 0;
  while (offset < bytes_.size() && !IsReserve(offset)) {
    status = DecodeFrame(bytes_, offset, out_.next_batch, header.salt, &frame_);
    if (!status.ok()) {
      status = JudgeEnd(number, offset, status);
      if (!status.ok()) return status;
      break;
    }
    status = replay_.ApplyCommit(frame_, sequences_[number]);
    if (!status.ok()) return status;
    out_.last_frame_crc = frame_.header.crc;
    ++out_.next_batch;
    tail_offset_ = offset;
    offset = frame_.end_offset;
  }
  out_.segments.push_back({.sequence = sequences_[number], .bytes = offset});
  out_.reserved = torn_ ? offset : bytes_.size();
  tail_ = bytes_.substr(tail_offset_, offset - tail_offset_);
  return absl::OkStatus();
}

absl::Status Recovery::JudgeStart(size_t number, const std::optional<SegmentHeader>& header,
                                  const absl::Status& why) {
  if (!IsLast(number)) return Because(why, "there is a later segment");
  // Without older segments this one must be the log's first, else they were deleted, which happens
  // only when this one is durable.
  if (number == 0 && sequences_[0] != 1) return Because(why, "the older segments are gone");
  const uint64_t first_batch = header.has_value() ? header->first_batch : out_.next_batch;
  const std::optional<uint32_t> salt =
      header.has_value() ? std::optional(header->salt) : std::nullopt;
  const std::optional<uint64_t> later = FindFrame(bytes_, 0, first_batch + 1, salt);
  if (later.has_value()) {
    return Because(why, absl::StrCat("a later commit begins at byte ", *later));
  }
  unborn_ = sequences_[number];
  out_.torn_bytes += bytes_.size();
  return absl::OkStatus();
}

absl::Status Recovery::JudgeEnd(size_t number, uint64_t offset, const absl::Status& why) {
  if (!IsLast(number)) return Because(why, "there is a later segment");
  const std::optional<uint64_t> later = FindFrame(bytes_, offset, out_.next_batch + 1, out_.salt);
  if (later.has_value()) {
    return Because(why, absl::StrCat("a later commit begins at byte ", *later));
  }
  torn_ = true;
  out_.torn_bytes += bytes_.size() - offset;
  return absl::OkStatus();
}

// What we read may be in the kernel's memory alone: the process before us may have died before its
// sync, or of a failed one, after which the kernel holds the pages to be clean and no sync writes
// them. Only the last frame can be in that state. Writing the same bytes once more makes its pages
// dirty, so that the sync is worth something (Rebello et al., USENIX ATC 2020).
absl::Status Recovery::SecureEnd() {
  const SegmentUse& last = out_.segments.back();
  absl::StatusOr<std::unique_ptr<File>> file =
      files_.Open(SegmentPath(directory_, last.sequence), OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  out_.file = *std::move(file);
  absl::Status status;
  if (torn_) status = out_.file->Truncate(last.bytes);
  if (status.ok()) status = out_.file->Write(tail_offset_, tail_);
  if (status.ok()) status = out_.file->Sync();
  if (status.ok()) status = files_.SyncDirectory(directory_);
  return status;
}

}  // namespace

std::string SegmentPath(const std::string& directory, uint64_t sequence) {
  return absl::StrCat(directory, "/", SegmentName(sequence));
}

absl::StatusOr<std::vector<ReplicaImage>> Salvage(FileSystem& files, const std::string& directory,
                                                  const std::vector<GroupId>& groups, bool more) {
  return Recovery(files, directory, groups, more).RunToDamage();
}

absl::Status SetAside(FileSystem& files, const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files.List(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, kAside)) continue;
    if (absl::Status gone = files.Delete(absl::StrCat(directory, "/", name)); !gone.ok()) {
      return gone;
    }
  }
  const absl::StatusOr<std::vector<uint64_t>> sequences = SegmentsIn(files, directory);
  if (!sequences.ok()) return sequences.status();
  for (auto sequence = sequences->rbegin(); sequence != sequences->rend(); ++sequence) {
    const std::string path = SegmentPath(directory, *sequence);
    absl::Status moved = files.Rename(path, path + kAside);
    // One after the other: of those that remain, none may be newer than one that is gone.
    if (moved.ok()) moved = files.SyncDirectory(directory);
    if (!moved.ok()) return moved;
  }
  return absl::OkStatus();
}

absl::StatusOr<Recovered> Recover(FileSystem& files, const std::string& directory,
                                  const std::vector<GroupId>& groups, bool more) {
  return Recovery(files, directory, groups, more).Run();
}

}  // namespace lockstep::storage::wal
