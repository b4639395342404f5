#include "storage/wal.h"

#include <algorithm>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/hash.h"

namespace lockstep::storage {
namespace {

using wal::EntryPlace;
using wal::GroupLog;
using wal::RecordType;

constexpr int kDeletesPerCommitMax = 4;  // keeps one commit from paying for a large cleaning

absl::Status Validate(const WalOptions& options) {
  if (options.segment_bytes_max < 1 || options.segment_bytes_max > wal::kSegmentBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("segment_bytes_max is ",
                                                   options.segment_bytes_max, ", not from 1 to ",
                                                   wal::kSegmentBytesMax));
  }
  for (size_t i = 0; i < options.groups.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      if (options.groups[i] != options.groups[k]) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("group ", options.groups[i].value(), " is named twice"));
    }
  }
  return absl::OkStatus();
}

// Makes `directory` and its name durable. The caller answers for the parents.
absl::Status MakeDirectory(FileSystem& files, const std::string& directory) {
  absl::Status status = files.CreateDirectory(directory);
  const size_t slash = directory.rfind('/');
  if (!status.ok() || slash == std::string::npos) return status;
  return files.SyncDirectory(slash == 0 ? "/" : directory.substr(0, slash));
}

bool IsEmpty(const CommitLog& job) {
  for (const LogBatch& batch : job.batches) {
    if (!batch.empty()) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Wal>> Wal::Open(FileSystem& files, const std::string& directory,
                                               const WalOptions& options,
                                               std::vector<ReplicaImage>* images) {
  absl::Status status = Validate(options);
  if (status.ok()) status = MakeDirectory(files, directory);
  if (!status.ok()) return status;
  absl::StatusOr<Promises> promises = Promises::Load(files, directory);
  if (!promises.ok()) return promises.status();
  absl::StatusOr<wal::Recovered> recovered =
      wal::Recover(files, directory, options.groups, options.more_groups);
  if (!recovered.ok()) return recovered.status();
  *images = std::move(recovered->images);
  std::unique_ptr<Wal> log = absl::WrapUnique(
      new Wal(files, directory, options, *std::move(recovered), *std::move(promises)));
  if (options.more_groups) log->AddGroupsOfPromises(images);
  if (log->file_ == nullptr) status = log->StartSegment();
  if (status.ok()) status = log->ReconcilePromises(images);
  if (!status.ok()) return status;
  return log;
}

Wal::Wal(FileSystem& files, const std::string& directory, const WalOptions& options,
         wal::Recovered recovered, Promises promises)
    : files_(files),
      directory_(directory),
      options_(options),
      torn_bytes_(recovered.torn_bytes),
      state_(std::move(recovered.logs), std::move(recovered.segments)),
      file_(std::move(recovered.file)),
      reserved_(recovered.reserved),
      salt_(recovered.salt),
      last_frame_crc_(recovered.last_frame_crc),
      next_batch_(recovered.next_batch),
      cleaner_(files, directory_, options.segment_bytes_max),
      promises_(std::move(promises)) {}

WalSize Wal::size() const {
  return {.segments = state_.segments().size(),
          .bytes = state_.bytes(),
          .live_bytes = state_.live_bytes(),
          .torn_bytes = torn_bytes_};
}

absl::Status Wal::Commit(const CommitLog& job) {
  if (error_.ok()) error_ = CommitOrFail(job);
  return error_;
}

absl::Status Wal::CommitOrFail(const CommitLog& job) {
  if (IsEmpty(job)) return absl::OkStatus();
  absl::Status status;
  if (state_.segments().back().bytes >= options_.segment_bytes_max) status = StartSegment();
  if (!status.ok()) return status;

  frame_.Begin(next_batch_, salt_);
  for (const LogBatch& batch : job.batches) {
    status = Encode(batch);
    if (!status.ok()) return status;
  }
  if (cleaner_.Due(state_)) status = cleaner_.Step(state_, frame_);
  if (status.ok()) status = WriteFrame();
  if (status.ok()) status = DeleteDeadSegments();
  if (status.ok()) status = WritePromises(job);
  return status;
}

// A log that was made anew after damage may not speak of a group of which nothing was left.
void Wal::AddGroupsOfPromises(std::vector<ReplicaImage>* images) {
  for (const auto& [group, promised] : promises_.all()) {
    const bool known = std::any_of(images->begin(), images->end(),
                                   [id = group](const auto& image) { return image.group == id; });
    if (known) continue;
    images->emplace_back().group = group;
    state_.AddGroup(group);
  }
}

// The log is written first. So it knows all that the promises say; else it has lost its end, or it
// is being made anew after damage and has not come so far yet.
absl::Status Wal::ReconcilePromises(std::vector<ReplicaImage>* images) {
  if (promises_.commit() >= next_batch_) return LostItsEnd();
  PromiseMap all;
  CommitLog missing;
  bool news = !promises_.intact();
  for (ReplicaImage& image : *images) {
    const HardState promised = promises_.Of(image.group);
    if (promised.doubt != Term() && promised.term > image.hard_state.term) {
      image.hard_state = promised;
      LogBatch& batch = missing.batches.emplace_back();
      batch.group = image.group;
      batch.hard_state = promised;
    }
    image.hard_state.doubt = promised.doubt;
    all[image.group] = image.hard_state;
    news = news || image.hard_state != promised;
  }
  if (!news) return absl::OkStatus();
  const absl::Status written = promises_.Write(all, next_batch_ - 1, Promises::Extent::kWithNames);
  return written.ok() ? Commit(missing) : written;
}

absl::Status Wal::LostItsEnd() const {
  const wal::SegmentUse& last = state_.segments().back();
  return absl::DataLossError(
      absl::StrCat("corrupt log: ", wal::SegmentPath(directory_, last.sequence), ": byte ",
                   last.bytes, ": the log ends here with commit ", next_batch_ - 1, ", but commit ",
                   promises_.commit(), " was durable, which held a vote or a term"));
}

absl::Status Wal::WritePromises(const CommitLog& job) {
  PromiseMap changes;
  for (const LogBatch& batch : job.batches) {
    if (batch.hard_state.has_value()) changes[batch.group] = *batch.hard_state;
  }
  if (changes.empty()) return absl::OkStatus();
  return promises_.Write(changes, next_batch_ - 1, Promises::Extent::kContent);
}

absl::Status Wal::Encode(const LogBatch& batch) {
  if (options_.more_groups) state_.AddGroup(batch.group);
  GroupLog& log = state_.group(batch.group);
  if (batch.hard_state.has_value()) {
    CheckLe(log.hard_state.term, batch.hard_state->term);
    log.hard_state = *batch.hard_state;
    frame_.AddHardState(log.group, log.hard_state);
  }
  if (batch.base.has_value()) {
    // The record says which of the two meanings of a base was meant: recovery may not know the
    // terms of entries that older segments held.
    const RecordType type = state_.MoveBase(log, *batch.base);
    frame_.AddBase(type, log.group, log.base);
  }
  if (batch.truncate_from.has_value() && *batch.truncate_from != log.last().Next()) {
    CheckLe(*batch.truncate_from, log.last());
    state_.Truncate(log, *batch.truncate_from);
    frame_.AddTruncate(log.group, *batch.truncate_from);
  }
  const wal::SegmentUse& segment = state_.segments().back();
  for (const Entry& entry : batch.append) {
    CheckEq(entry.index, log.last().Next());
    const uint64_t bytes = wal::kEntryRecordBytes + entry.data.size();
    if (frame_.payload_bytes() + bytes > wal::kFrameBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat("a commit of more than ", wal::kFrameBytesMax,
                                                     " bytes: group ", log.group.value(),
                                                     ", entry ", entry.index.value()));
    }
    const size_t offset = frame_.AddEntry(log.group, entry);
    state_.Append(log, {.segment = segment.sequence,
                        .offset = static_cast<uint32_t>(segment.bytes + offset),
                        .bytes = static_cast<uint32_t>(bytes),
                        .term = entry.term});
  }
  return absl::OkStatus();
}

absl::Status Wal::WriteFrame() {
  const absl::string_view bytes = frame_.Finish();
  const uint64_t begin = state_.segments().back().bytes;
  absl::Status status = ReserveFor(begin + bytes.size());
  if (status.ok()) status = file_->Write(begin, bytes);
  if (status.ok()) status = file_->Sync();
  if (!status.ok()) return status;
  state_.AddBytes(bytes.size());
  last_frame_crc_ = frame_.frame_crc();
  ++next_batch_;
  frame_.Shrink();
  return absl::OkStatus();
}

// What was reserved and never written reads as zeros: recovery takes them for the end.
absl::Status Wal::ReserveFor(uint64_t end) {
  if (options_.reserve_bytes == 0 || end <= reserved_) return absl::OkStatus();
  reserved_ = std::max(end, std::min(end + options_.reserve_bytes, options_.segment_bytes_max));
  const absl::Status status = file_->Reserve(reserved_);
  if (!absl::IsResourceExhausted(status)) return status;
  reserved_ = end;  // There is no room to spare; perhaps there is for what must be written.
  return absl::OkStatus();
}

absl::Status Wal::StartSegment() {
  const uint64_t sequence = state_.segments().empty() ? 1 : state_.segments().back().sequence + 1;
  const uint64_t salt =
      HashChain(HashChain(options_.salt, sequence), (uint64_t{salt_} << 32) | last_frame_crc_);
  const wal::SegmentHeader header{
      .sequence = sequence, .first_batch = next_batch_, .salt = static_cast<uint32_t>(salt)};
  frame_.BeginSegment(header);
  for (const GroupLog& log : state_.groups()) frame_.AddGroup(log.Statement());

  absl::StatusOr<std::unique_ptr<File>> file =
      files_.Open(wal::SegmentPath(directory_, sequence), OpenMode::kTruncate);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  reserved_ = 0;
  salt_ = header.salt;
  state_.AddSegment(sequence);
  const absl::Status status = WriteFrame();
  if (!status.ok()) return status;
  return files_.SyncDirectory(directory_);
}

absl::Status Wal::DeleteDeadSegments() {
  for (int i = 0; i < kDeletesPerCommitMax && state_.segments().size() > 1; ++i) {
    const wal::SegmentUse& oldest = state_.segments().front();
    if (oldest.live_entries > 0) break;
    cleaner_.CloseSegment();
    absl::Status status = files_.Delete(wal::SegmentPath(directory_, oldest.sequence));
    // Each deletion is durable before the next: a crash brings back one segment at most, and what
    // is on disk stays consecutive.
    if (status.ok()) status = files_.SyncDirectory(directory_);
    if (!status.ok()) return status;
    state_.DropFirstSegment();
  }
  return absl::OkStatus();
}

}  // namespace lockstep::storage
