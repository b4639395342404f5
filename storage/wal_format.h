// The bytes of the write-ahead log. All numbers are little-endian and of fixed size.
//
//   segment = header, frame, frame, ...        file 0000000000000001.log holds sequence number 1
//   frame   = header, record, record, ...      one commit; batch numbers are consecutive
//   record  = crc, length, type, fields        crc covers all that follows it in the record
//
//   segment header   magic 8, version 4, salt 4, sequence 8, first batch 8, crc 4
//   frame header     magic 4, salt 4, batch 8, payload bytes 4, records 4, records crc 4, crc 4
//
// The first frame of a segment states every group (kGroup), so older segments are needed for
// entries only. Each byte is checksummed once: a record by its crc, the sequence of records by the
// frame header's `records crc` (over the records' crcs), that by the header's crc. The salt, chosen
// per segment, tells the frames of this segment from bytes that merely look like one: a command
// that holds a copy of a log, or what an erased file left on the disk.
#ifndef LOCKSTEP_STORAGE_WAL_FORMAT_H_
#define LOCKSTEP_STORAGE_WAL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep::storage::wal {

inline constexpr size_t kSegmentHeaderBytes = 36;
inline constexpr size_t kFrameHeaderBytes = 32;
inline constexpr size_t kRecordHeaderBytes = 8;       // crc and length
inline constexpr size_t kEntryRecordBytes = 8 + 26;   // an entry's record without its data
inline constexpr uint64_t kFrameBytesMax = 1u << 30;  // payload of one frame; checked both ways

// No log comes so far: a number beyond is damage, and the one behind it need not wrap around.
inline constexpr uint64_t kBatchMax = uint64_t{1} << 62;

struct SegmentHeader {
  uint64_t sequence = 0;     // from 1; the file's name says it too
  uint64_t first_batch = 0;  // of the segment's first frame
  uint32_t salt = 0;         // in every frame of the segment
};

struct FrameHeader {
  uint32_t salt = 0;
  uint64_t batch = 0;  // from 1
  uint32_t payload_bytes = 0;
  uint32_t record_count = 0;
  uint32_t records_crc = 0;
  uint32_t crc = 0;  // of all the above
};

// The numbers are part of the disk format.
enum class RecordType : uint8_t {
  kHardState = 1,  // term, vote
  kBase = 2,       // index, term: the log begins after it, what follows is kept
  kReset = 3,      // index, term: the log begins after it and is empty
  kTruncate = 4,   // index: it and all that follow are forgotten
  kAppend = 5,     // an entry, directly after the last one
  kRewrite = 6,    // a live entry once more; what follows it stays
  kGroup = 7,      // a group's whole state without its entries; only in a segment's first frame
};

// A group's state without its entries, as stated at the start of each segment.
struct GroupStatement {
  GroupId group;
  HardState hard_state;
  LogPosition base;
  Index last;  // the last entry's index; base.index when there is none
  friend bool operator==(const GroupStatement&, const GroupStatement&) = default;
};

// A decoded record; `type` says which fields are set.
struct Record {
  RecordType type = RecordType::kHardState;
  GroupId group;
  HardState hard_state;    // kHardState, kGroup
  LogPosition position;    // kBase, kReset, kGroup: the base; kAppend, kRewrite: the entry's;
                           // kTruncate: its index
  Index last;              // kGroup
  EntryKind kind{};        // kAppend, kRewrite
  absl::string_view data;  // kAppend, kRewrite; points into the bytes that were parsed
  uint64_t offset = 0;     // of the record in its segment
  uint32_t bytes = 0;      // of the whole record
};

struct Frame {
  FrameHeader header;
  std::vector<Record> records;
  uint64_t end_offset = 0;  // in its segment, one past the frame
};

// "0000000000000001.log" for 1.
std::string SegmentName(uint64_t sequence);
// The sequence number in a segment's name; nothing for any other name.
std::optional<uint64_t> ParseSegmentName(absl::string_view name);

// Reads the header at the start of a segment. DataLoss when it is damaged or incomplete,
// FailedPrecondition when a newer version wrote it.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(absl::string_view segment);

// Reads a frame header at `offset`; nothing unless magic, checksum and bounds are right. The
// payload may be incomplete.
std::optional<FrameHeader> DecodeFrameHeader(absl::string_view segment, uint64_t offset);

// Reads the whole frame at `offset`, which must be of this batch and salt, into `*frame`. DataLoss
// names the offset of the first byte range that is wrong and what is wrong with it.
absl::Status DecodeFrame(absl::string_view segment, uint64_t offset, uint64_t batch, uint32_t salt,
                         Frame* frame);

// Decodes the one record that `bytes` holds, checksum included. `offset` is for Record::offset and
// error messages.
absl::StatusOr<Record> DecodeRecord(absl::string_view bytes, uint64_t offset);

// The offset of a frame header at or after `from` with a batch number of at least `batch_min` and,
// if given, with this salt. Cost: linear in the bytes searched.
std::optional<uint64_t> FindFrame(absl::string_view segment, uint64_t from, uint64_t batch_min,
                                  std::optional<uint32_t> salt);

// Builds one frame in a buffer that is used again and again, with at most a segment header before
// it. Add functions return the offset of the record in the buffer.
class FrameBuilder {
 public:
  // Starts a new frame, and with a header also a new segment.
  void Begin(uint64_t batch, uint32_t salt);
  void BeginSegment(const SegmentHeader& header);

  void AddHardState(GroupId group, HardState hard_state);
  // `type`: kBase or kReset.
  void AddBase(RecordType type, GroupId group, LogPosition base);
  void AddTruncate(GroupId group, Index from);
  size_t AddEntry(GroupId group, const Entry& entry);
  // `record` is a whole kAppend or kRewrite record.
  size_t AddRewrite(absl::string_view record);
  void AddGroup(const GroupStatement& statement);

  // Bytes of the frame's records so far.
  uint64_t payload_bytes() const { return buffer_.size() - frame_offset_ - kFrameHeaderBytes; }
  // Completes the headers. The view is valid until the next Begin; frame_crc() is then the crc of
  // the frame's header.
  absl::string_view Finish();
  uint32_t frame_crc() const { return header_.crc; }
  // Gives memory back after an unusually large frame.
  void Shrink();

 private:
  // Checksums the record that begins at `offset` and ends where the buffer ends.
  size_t EndRecord(size_t offset);

  std::string buffer_;
  size_t frame_offset_ = 0;  // in buffer_
  FrameHeader header_;
};

}  // namespace lockstep::storage::wal

#endif  // LOCKSTEP_STORAGE_WAL_FORMAT_H_
