#include "storage/wal_format.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/crc32c.h"

namespace lockstep::storage::wal {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr uint64_t kSegmentMagic = 0x314C'4157'4B43'4F4C;  // "LOCKWAL1"
constexpr uint32_t kFrameMagic = 0x4652'C7E5;              // not text, so rare in commands
constexpr uint32_t kVersion = 1;
constexpr size_t kBufferKeptMax = 1 << 20;  // bytes of buffer kept from frame to frame
constexpr size_t kSequenceDigits = 16;
constexpr size_t kRecordBytesMin = kRecordHeaderBytes + 2 + 2 * 8;  // kTruncate is the shortest

template <class T>
T Load(absl::string_view bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

template <class T>
char* Store(char* to, T value) {
  std::memcpy(to, &value, sizeof(value));
  return to + sizeof(value);
}

bool IsEntry(RecordType type) {
  return type == RecordType::kAppend || type == RecordType::kRewrite;
}

// How many 64-bit fields follow type and kind; 0 for an unknown type.
size_t FieldCount(RecordType type) {
  switch (type) {
    case RecordType::kTruncate:
      return 2;
    case RecordType::kHardState:
    case RecordType::kBase:
    case RecordType::kReset:
    case RecordType::kAppend:
    case RecordType::kRewrite:
      return 3;
    case RecordType::kGroup:
      return 6;
  }
  return 0;
}

// Writes type, kind and fields behind room for crc and length; the data of an entry follows.
void PutRecord(std::string* buffer, RecordType type, EntryKind kind,
               std::initializer_list<uint64_t> fields) {
  CheckEq(fields.size(), FieldCount(type));
  char bytes[kRecordHeaderBytes + 2 + 6 * 8];
  char* to = bytes + kRecordHeaderBytes;
  to = Store(to, static_cast<uint8_t>(type));
  to = Store(to, static_cast<uint8_t>(kind));
  for (const uint64_t field : fields) to = Store(to, field);
  buffer->append(bytes, static_cast<size_t>(to - bytes));
}

absl::Status Damage(uint64_t offset, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("byte ", offset, ": ", what));
}

// REQUIRES: at least FieldCount fields are there.
void DecodeFields(absl::string_view body, Record* record) {
  const auto field = [&](size_t number) { return Load<uint64_t>(body, 2 + 8 * number); };
  record->group = GroupId(field(0));
  switch (record->type) {
    case RecordType::kHardState:
      record->hard_state = {Term(field(1)), NodeId(field(2))};
      return;
    case RecordType::kTruncate:
      record->position.index = Index(field(1));
      return;
    case RecordType::kAppend:
    case RecordType::kRewrite:
      record->data = body.substr(kEntryRecordBytes - kRecordHeaderBytes);
      [[fallthrough]];
    case RecordType::kBase:
    case RecordType::kReset:
      record->position = {Index(field(1)), Term(field(2))};
      return;
    case RecordType::kGroup:
      record->hard_state = {Term(field(1)), NodeId(field(2))};
      record->position = {Index(field(3)), Term(field(4))};
      record->last = Index(field(5));
      return;
  }
}

}  // namespace

std::string SegmentName(uint64_t sequence) { return absl::StrFormat("%016d.log", sequence); }

std::optional<uint64_t> ParseSegmentName(absl::string_view name) {
  if (name.size() != kSequenceDigits + 4 || name.substr(kSequenceDigits) != ".log") return {};
  const absl::string_view digits = name.substr(0, kSequenceDigits);
  if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit)) return {};
  uint64_t sequence = 0;
  if (!absl::SimpleAtoi(digits, &sequence) || sequence == 0) return {};
  return sequence;
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(absl::string_view segment) {
  if (segment.size() < kSegmentHeaderBytes) return Damage(0, "segment header is incomplete");
  if (Load<uint64_t>(segment, 0) != kSegmentMagic) return Damage(0, "not a segment header");
  constexpr size_t kCrcOffset = kSegmentHeaderBytes - 4;
  if (Load<uint32_t>(segment, kCrcOffset) != Crc32c(segment.substr(0, kCrcOffset))) {
    return Damage(0, "segment header fails its checksum");
  }
  const uint32_t version = Load<uint32_t>(segment, 8);
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "log format version ", version, " is not ", kVersion, ", the only one this program reads"));
  }
  const SegmentHeader header{.sequence = Load<uint64_t>(segment, 16),
                             .first_batch = Load<uint64_t>(segment, 24),
                             .salt = Load<uint32_t>(segment, 12)};
  if (header.first_batch > kBatchMax) return Damage(0, "begins with a commit that no log reaches");
  return header;
}

std::optional<FrameHeader> DecodeFrameHeader(absl::string_view segment, uint64_t offset) {
  if (offset > segment.size() || segment.size() - offset < kFrameHeaderBytes) return {};
  const absl::string_view bytes = segment.substr(offset, kFrameHeaderBytes);
  if (Load<uint32_t>(bytes, 0) != kFrameMagic) return {};
  const FrameHeader header{.salt = Load<uint32_t>(bytes, 4),
                           .batch = Load<uint64_t>(bytes, 8),
                           .payload_bytes = Load<uint32_t>(bytes, 16),
                           .record_count = Load<uint32_t>(bytes, 20),
                           .records_crc = Load<uint32_t>(bytes, 24),
                           .crc = Load<uint32_t>(bytes, 28)};
  if (header.crc != Crc32c(bytes.substr(0, kFrameHeaderBytes - 4))) return {};
  if (header.batch > kBatchMax) return {};
  if (header.payload_bytes > kFrameBytesMax) return {};
  if (header.record_count > header.payload_bytes / kRecordBytesMin) return {};
  return header;
}

absl::StatusOr<Record> DecodeRecord(absl::string_view bytes, uint64_t offset) {
  if (bytes.size() < kRecordBytesMin) return Damage(offset, "record is too short");
  if (Load<uint32_t>(bytes, 4) != bytes.size() - kRecordHeaderBytes) {
    return Damage(offset, "record has a wrong length");
  }
  if (Load<uint32_t>(bytes, 0) != Crc32c(bytes.substr(4))) {
    return Damage(offset, "record fails its checksum");
  }
  const absl::string_view body = bytes.substr(kRecordHeaderBytes);
  Record record;
  record.type = static_cast<RecordType>(body[0]);
  record.kind = static_cast<EntryKind>(body[1]);
  record.offset = offset;
  record.bytes = static_cast<uint32_t>(bytes.size());
  const size_t fields = FieldCount(record.type);
  if (fields == 0) {
    return Damage(offset, absl::StrCat("record of unknown type ", static_cast<uint8_t>(body[0])));
  }
  const size_t fixed_bytes = 2 + 8 * fields;
  const bool fits = IsEntry(record.type) ? body.size() >= fixed_bytes : body.size() == fixed_bytes;
  if (!fits) return Damage(offset, "record's length does not fit its type");
  if (IsEntry(record.type) && !IsKnown(record.kind)) {
    return Damage(offset, "entry of unknown kind");
  }
  DecodeFields(body, &record);
  return record;
}

absl::Status DecodeFrame(absl::string_view segment, uint64_t offset, uint64_t batch, uint32_t salt,
                         Frame* frame) {
  frame->records.clear();
  const std::optional<FrameHeader> header = DecodeFrameHeader(segment, offset);
  if (!header.has_value()) return Damage(offset, "no valid frame header");
  if (header->salt != salt) return Damage(offset, "frame header is of another segment");
  if (header->batch != batch) {
    return Damage(
        offset, absl::StrCat("frame of batch ", header->batch, " where ", batch, " was expected"));
  }
  frame->header = *header;
  const uint64_t begin = offset + kFrameHeaderBytes;
  if (segment.size() - begin < header->payload_bytes) {
    return Damage(segment.size(), "file ends within a frame");
  }
  frame->end_offset = begin + header->payload_bytes;
  frame->records.reserve(header->record_count);

  uint32_t records_crc = 0;
  uint64_t at = begin;
  while (at < frame->end_offset) {
    const uint64_t left = frame->end_offset - at;
    if (left < kRecordBytesMin) return Damage(at, "bytes after the frame's last record");
    const uint64_t bytes = uint64_t{kRecordHeaderBytes} + Load<uint32_t>(segment, at + 4);
    if (bytes > left) return Damage(at, "record reaches beyond its frame");
    absl::StatusOr<Record> record = DecodeRecord(segment.substr(at, bytes), at);
    if (!record.ok()) return record.status();
    records_crc = Crc32cExtend(records_crc, segment.substr(at, 4));
    frame->records.push_back(*record);
    at += bytes;
  }
  if (frame->records.size() != header->record_count || records_crc != header->records_crc) {
    return Damage(offset, "frame's records are not those that its header names");
  }
  return absl::OkStatus();
}

std::optional<uint64_t> FindFrame(absl::string_view segment, uint64_t from, uint64_t batch_min,
                                  std::optional<uint32_t> salt) {
  char magic[4];
  Store(magic, kFrameMagic);
  const absl::string_view needle(magic, sizeof(magic));
  for (size_t at = segment.find(needle, from); at != absl::string_view::npos;
       at = segment.find(needle, at + 1)) {
    const std::optional<FrameHeader> header = DecodeFrameHeader(segment, at);
    if (!header.has_value() || header->batch < batch_min) continue;
    if (salt.has_value() && header->salt != *salt) continue;
    return at;
  }
  return std::nullopt;
}

void FrameBuilder::Begin(uint64_t batch, uint32_t salt) {
  buffer_.resize(kFrameHeaderBytes);
  frame_offset_ = 0;
  header_ = {.salt = salt, .batch = batch};
}

void FrameBuilder::BeginSegment(const SegmentHeader& header) {
  buffer_.resize(kSegmentHeaderBytes + kFrameHeaderBytes);
  char* to = buffer_.data();
  to = Store(to, kSegmentMagic);
  to = Store(to, kVersion);
  to = Store(to, header.salt);
  to = Store(to, header.sequence);
  to = Store(to, header.first_batch);
  Store(to, Crc32c(absl::string_view(buffer_.data(), kSegmentHeaderBytes - 4)));
  frame_offset_ = kSegmentHeaderBytes;
  header_ = {.salt = header.salt, .batch = header.first_batch};
}

size_t FrameBuilder::EndRecord(size_t offset) {
  char* record = buffer_.data() + offset;
  const size_t bytes = buffer_.size() - offset;
  Store(record + 4, static_cast<uint32_t>(bytes - kRecordHeaderBytes));
  Store(record, Crc32c(absl::string_view(record + 4, bytes - 4)));
  header_.records_crc = Crc32cExtend(header_.records_crc, absl::string_view(record, 4));
  ++header_.record_count;
  return offset;
}

void FrameBuilder::AddHardState(GroupId group, HardState hard_state) {
  const size_t offset = buffer_.size();
  PutRecord(&buffer_, RecordType::kHardState, EntryKind{},
            {group.value(), hard_state.term.value(), hard_state.vote.value()});
  EndRecord(offset);
}

void FrameBuilder::AddBase(RecordType type, GroupId group, LogPosition base) {
  Check(type == RecordType::kBase || type == RecordType::kReset);
  const size_t offset = buffer_.size();
  PutRecord(&buffer_, type, EntryKind{}, {group.value(), base.index.value(), base.term.value()});
  EndRecord(offset);
}

void FrameBuilder::AddTruncate(GroupId group, Index from) {
  const size_t offset = buffer_.size();
  PutRecord(&buffer_, RecordType::kTruncate, EntryKind{}, {group.value(), from.value()});
  EndRecord(offset);
}

size_t FrameBuilder::AddEntry(GroupId group, const Entry& entry) {
  Check(IsKnown(entry.kind), "entry of unknown kind");
  const size_t offset = buffer_.size();
  PutRecord(&buffer_, RecordType::kAppend, entry.kind,
            {group.value(), entry.index.value(), entry.term.value()});
  buffer_.append(entry.data.data(), entry.data.size());
  return EndRecord(offset);
}

size_t FrameBuilder::AddRewrite(absl::string_view record) {
  CheckLe(kEntryRecordBytes, record.size());
  const size_t offset = buffer_.size();
  buffer_.append(record.data(), record.size());
  buffer_[offset + kRecordHeaderBytes] = static_cast<char>(RecordType::kRewrite);
  return EndRecord(offset);
}

void FrameBuilder::AddGroup(const GroupStatement& statement) {
  const size_t offset = buffer_.size();
  PutRecord(&buffer_, RecordType::kGroup, EntryKind{},
            {statement.group.value(), statement.hard_state.term.value(),
             statement.hard_state.vote.value(), statement.base.index.value(),
             statement.base.term.value(), statement.last.value()});
  EndRecord(offset);
}

absl::string_view FrameBuilder::Finish() {
  CheckLe(payload_bytes(), kFrameBytesMax);
  header_.payload_bytes = static_cast<uint32_t>(payload_bytes());
  char* const begin = buffer_.data() + frame_offset_;
  char* to = begin;
  to = Store(to, kFrameMagic);
  to = Store(to, header_.salt);
  to = Store(to, header_.batch);
  to = Store(to, header_.payload_bytes);
  to = Store(to, header_.record_count);
  to = Store(to, header_.records_crc);
  header_.crc = Crc32c(absl::string_view(begin, kFrameHeaderBytes - 4));
  Store(to, header_.crc);
  return absl::string_view(buffer_.data(), buffer_.size());
}

void FrameBuilder::Shrink() {
  if (buffer_.capacity() > kBufferKeptMax) std::string().swap(buffer_);
}

}  // namespace lockstep::storage::wal
