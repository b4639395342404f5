#include "storage/wal_cleaner.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "storage/wal_recovery.h"

namespace lockstep::storage::wal {
namespace {

constexpr uint64_t kRewriteBytesMin = 64 << 10;  // per commit; may be passed by one entry
constexpr uint64_t kLooksMax = 4096;             // entries looked at per commit

}  // namespace

absl::Status Cleaner::Begin(uint64_t sequence) {
  sequence_ = sequence;
  group_ = 0;
  index_ = Index();
  absl::StatusOr<std::unique_ptr<File>> file =
      files_.Open(SegmentPath(directory_, sequence), OpenMode::kRead);
  if (!file.ok()) return file.status();
  file_ = *std::move(file);
  return absl::OkStatus();
}

absl::Status Cleaner::Step(WalState& state, FrameBuilder& frame) {
  const SegmentUse& oldest = state.segments().front();
  CheckLt(oldest.sequence, state.segments().back().sequence);
  if (sequence_ != oldest.sequence) {
    const absl::Status status = Begin(oldest.sequence);
    if (!status.ok()) return status;
  }
  const uint64_t until =
      frame.payload_bytes() + std::max(kRewriteBytesMin, 2 * frame.payload_bytes());
  for (uint64_t looks = 0; looks < kLooksMax && oldest.live_entries > 0; ++looks) {
    if (frame.payload_bytes() >= until) return absl::OkStatus();
    // New entries go to the newest segment, so one pass over all groups finds whatever is left.
    CheckLt(group_, state.groups().size());
    GroupLog& log = state.groups()[group_];
    const Index next = std::max(index_, log.base.index).Next();
    if (next > log.last()) {
      ++group_;
      index_ = Index();
      continue;
    }
    const EntryPlace& place = log.place(next);
    if (place.segment == sequence_) {
      if (frame.payload_bytes() + place.bytes > kFrameBytesMax) return absl::OkStatus();
      const absl::Status status = Rewrite(log, next, state, frame);
      if (!status.ok()) return status;
    }
    index_ = next;
  }
  return absl::OkStatus();
}

absl::Status Cleaner::Rewrite(GroupLog& log, Index index, WalState& state, FrameBuilder& frame) {
  const EntryPlace old = log.place(index);
  const std::string path = SegmentPath(directory_, old.segment);
  const absl::Status status = file_->Read(old.offset, old.bytes, &record_);
  if (!status.ok()) return status;
  // What we copied without looking would get a fresh checksum, and rot would become truth.
  const absl::StatusOr<Record> record = DecodeRecord(record_, old.offset);
  if (!record.ok()) {
    return absl::DataLossError(
        absl::StrCat("corrupt log: ", path, ": ", record.status().message()));
  }
  const bool is_entry = record->type == RecordType::kAppend || record->type == RecordType::kRewrite;
  if (!is_entry || record->group != log.group || record->position != LogPosition{index, old.term}) {
    return absl::DataLossError(absl::StrCat("corrupt log: ", path, ": byte ", old.offset,
                                            ": not entry ", index.value(), " of group ",
                                            log.group.value()));
  }
  const SegmentUse& newest = state.segments().back();
  const size_t offset = frame.AddRewrite(record_);
  state.Move(log, index,
             {.segment = newest.sequence,
              .offset = static_cast<uint32_t>(newest.bytes + offset),
              .bytes = old.bytes,
              .term = old.term});
  return absl::OkStatus();
}

}  // namespace lockstep::storage::wal
