#include "net/framing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"

namespace lockstep::net {
namespace {

void PutU32(uint32_t value, char* to) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(value >> (8 * i));
}

uint32_t GetU32(const char* from) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    value |= static_cast<uint32_t>(static_cast<unsigned char>(from[i])) << (8 * i);
  }
  return value;
}

}  // namespace

FrameHeader MakeFrameHeader(FrameKind kind, absl::string_view payload, absl::string_view tail) {
  FrameHeader header;
  PutU32(static_cast<uint32_t>(payload.size() + tail.size()), header.data());
  header[4] = static_cast<char>(kind);
  const uint32_t crc = Crc32cExtend(Crc32c(absl::string_view(header.data() + 4, 1)), payload);
  PutU32(Crc32cExtend(crc, tail), header.data() + 5);
  return header;
}

absl::Status FrameReader::BeginPayload() {
  const uint32_t size = GetU32(header_.data());
  const auto kind = static_cast<uint8_t>(header_[4]);
  if (kind < static_cast<uint8_t>(FrameKind::kHello) ||
      kind > static_cast<uint8_t>(FrameKind::kPing)) {
    return absl::DataLossError(
        absl::StrCat("a frame of kind ", kind, ", which this version does not know"));
  }
  if (size > payload_bytes_max_) {
    return absl::OutOfRangeError(
        absl::StrCat("a frame of ", size, " bytes; allowed are ", payload_bytes_max_));
  }
  kind_ = static_cast<FrameKind>(kind);
  expected_crc_ = GetU32(header_.data() + 5);
  crc_ = Crc32c(absl::string_view(header_.data() + 4, 1));
  payload_ = Bytes::Make(size, [&](char* to) { fill_ = to; });
  missing_ = size;
  in_payload_ = true;
  header_bytes_ = 0;
  return absl::OkStatus();
}

void FrameReader::AddToPayload(absl::string_view part) {
  if (part.empty()) return;
  std::memcpy(fill_, part.data(), part.size());
  crc_ = Crc32cExtend(crc_, part);
  fill_ += part.size();
  missing_ -= part.size();
}

absl::Status FrameReader::Feed(absl::string_view bytes, const Take& take) {
  while (!bytes.empty() || (in_payload_ && missing_ == 0)) {
    if (!in_payload_) {
      const size_t part = std::min(kFrameHeaderBytes - header_bytes_, bytes.size());
      std::memcpy(header_.data() + header_bytes_, bytes.data(), part);
      header_bytes_ += part;
      bytes.remove_prefix(part);
      if (header_bytes_ < kFrameHeaderBytes) return absl::OkStatus();
      const absl::Status status = BeginPayload();
      if (!status.ok()) return status;
    }
    const size_t part = std::min(missing_, bytes.size());
    AddToPayload(bytes.substr(0, part));
    bytes.remove_prefix(part);
    if (missing_ > 0) return absl::OkStatus();
    in_payload_ = false;
    if (crc_ != expected_crc_) {
      return absl::DataLossError(
          absl::StrCat("a frame of ", payload_.size(), " bytes whose checksum does not match"));
    }
    if (!take(kind_, std::exchange(payload_, Bytes()))) return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace lockstep::net
