// Bytes of a write-ahead log whose checksums are right and whose content is whatever a fuzz input
// says: what storage/wal_format.h would never write.
#ifndef LOCKSTEP_FUZZ_SUPPORT_WAL_BYTES_H_
#define LOCKSTEP_FUZZ_SUPPORT_WAL_BYTES_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/crc32c.h"
#include "fuzz/support/input.h"

namespace lockstep::fuzz {

inline void PutNumber(uint64_t value, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

inline void SetNumber(uint64_t value, size_t bytes, size_t at, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) (*out)[at + i] = static_cast<char>(value >> (8 * i) & 0xFF);
}

inline uint32_t NumberAt(const std::string& text, size_t at) {
  uint32_t value = 0;
  for (size_t i = 4; i > 0; --i) value = value << 8 | static_cast<uint8_t>(text[at + i - 1]);
  return value;
}

// Near to what others are, or near to the end of all numbers.
inline uint64_t MakeNumber(Input& input, uint64_t near) {
  const uint8_t how = input.Byte();
  if (how < 0xC0) return near + how % 8;
  if (how < 0xE0) return near - how % 8;
  if (how < 0xF0) return 0 - uint64_t{how} % 4;
  return input.Number();
}

inline void PutSegmentHeader(uint64_t sequence, uint64_t first_batch, uint32_t salt,
                             std::string* out) {
  const size_t begin = out->size();
  out->append("LOCKWAL1");
  PutNumber(1, 4, out);
  PutNumber(salt, 4, out);
  PutNumber(sequence, 8, out);
  PutNumber(first_batch, 8, out);
  PutNumber(Crc32c(absl::string_view(*out).substr(begin)), 4, out);
}

// Everything but what is said here is right.
struct FrameLie {
  bool payload_bytes = false;
  bool record_count = false;
};

// `records`: whole ones. `records_crc`: over their checksums.
inline void PutFrame(uint32_t salt, uint64_t batch, uint32_t record_count, uint32_t records_crc,
                     absl::string_view records, FrameLie lie, Input& input, std::string* out) {
  const size_t begin = out->size();
  PutNumber(0x4652'C7E5, 4, out);
  PutNumber(salt, 4, out);
  PutNumber(batch, 8, out);
  PutNumber(lie.payload_bytes ? input.Number(4) : records.size(), 4, out);
  PutNumber(lie.record_count ? input.Number(4) : record_count, 4, out);
  PutNumber(records_crc, 4, out);
  PutNumber(Crc32c(absl::string_view(*out).substr(begin)), 4, out);
  out->append(records.data(), records.size());
}

// Appends a record and returns its checksum. `body`: type, kind, fields, data.
inline uint32_t PutRecord(absl::string_view body, std::string* out) {
  std::string rest;
  PutNumber(body.size(), 4, &rest);
  rest.append(body.data(), body.size());
  const uint32_t crc = Crc32c(rest);
  PutNumber(crc, 4, out);
  *out += rest;
  return crc;
}

// Puts the right checksums and magic numbers into bytes that have the lengths of a segment: what
// its length fields say decides where headers are.
inline void FixChecksums(std::string* segment) {
  constexpr size_t kSegmentHeader = 36;
  constexpr size_t kFrameHeader = 32;
  if (segment->size() < kSegmentHeader) return;
  segment->replace(0, 8, "LOCKWAL1");
  const uint32_t salt = NumberAt(*segment, 12);
  const absl::string_view all = *segment;
  SetNumber(Crc32c(all.substr(0, kSegmentHeader - 4)), 4, kSegmentHeader - 4, segment);
  for (size_t at = kSegmentHeader; at + kFrameHeader <= segment->size();) {
    const size_t payload = at + kFrameHeader;
    const size_t end = std::min<size_t>(segment->size(), payload + NumberAt(*segment, at + 16));
    uint32_t records_crc = 0;
    for (size_t record = payload; record + 8 < end;) {
      const size_t next = record + 8 + NumberAt(*segment, record + 4);
      if (next > end) break;
      SetNumber(Crc32c(all.substr(record + 4, next - record - 4)), 4, record, segment);
      records_crc = Crc32cExtend(records_crc, all.substr(record, 4));
      record = next;
    }
    SetNumber(0x4652'C7E5, 4, at, segment);
    SetNumber(salt, 4, at + 4, segment);
    SetNumber(records_crc, 4, at + 24, segment);
    SetNumber(Crc32c(all.substr(at, kFrameHeader - 4)), 4, at + 28, segment);
    at = end;
  }
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_WAL_BYTES_H_
