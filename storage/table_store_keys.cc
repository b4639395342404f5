#include "storage/table_store_keys.h"

#include <array>

namespace lockstep::storage {
namespace {

enum class Kind : char { kApplied = 1, kStaging = 2, kData = 3 };

void AppendBigEndian(uint64_t value, std::string* out) {
  std::array<char, 8> bytes;
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i) & 0xFF);
  out->append(bytes.data(), bytes.size());
}

uint64_t BigEndian(absl::string_view text) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<uint8_t>(text[i]);
  return value;
}

std::string RecordKey(GroupId group, Kind kind) {
  std::string key = GenerationStart(group, 0);
  key.push_back(static_cast<char>(kind));
  return key;
}

}  // namespace

std::string TablePrefix(GroupId group, uint64_t generation) {
  std::string prefix = GenerationStart(group, generation);
  prefix.push_back(static_cast<char>(Kind::kData));
  return prefix;
}

std::string GenerationStart(GroupId group, uint64_t generation) {
  std::string start;
  AppendBigEndian(group.value(), &start);
  AppendBigEndian(generation, &start);
  return start;
}

std::optional<uint64_t> GenerationOf(GroupId group, absl::string_view key) {
  if (key.size() < 16 || BigEndian(key) != group.value()) return std::nullopt;
  return BigEndian(key.substr(8));
}

std::string AppliedKey(GroupId group) { return RecordKey(group, Kind::kApplied); }
std::optional<GroupId> GroupOf(absl::string_view key) {
  if (key.size() < 8) return std::nullopt;
  return GroupId(BigEndian(key));
}
std::optional<GroupId> GroupOfAppliedKey(absl::string_view key) {
  if (key.size() < 8) return std::nullopt;
  const GroupId group(BigEndian(key));
  return key == AppliedKey(group) ? std::make_optional(group) : std::nullopt;
}
std::string StagingKey(GroupId group) { return RecordKey(group, Kind::kStaging); }

void EncodeApplied(const AppliedRecord& record, std::string* out) {
  out->clear();
  AppendBigEndian(record.generation, out);
  AppendBigEndian(record.applied.index.value(), out);
  AppendBigEndian(record.applied.term.value(), out);
  out->append(record.configuration);
}

std::optional<AppliedRecord> DecodeApplied(absl::string_view text) {
  if (text.size() < 24) return std::nullopt;
  return AppliedRecord{BigEndian(text),
                       {Index(BigEndian(text.substr(8))), Term(BigEndian(text.substr(16)))},
                       std::string(text.substr(24))};
}

void EncodeStaging(const StagingRecord& record, std::string* out) {
  out->clear();
  AppendBigEndian(record.generation, out);
  AppendBigEndian(record.snapshot.index.value(), out);
  AppendBigEndian(record.snapshot.term.value(), out);
  AppendBigEndian(record.next_offset, out);
}

std::optional<StagingRecord> DecodeStaging(absl::string_view text) {
  if (text.size() != 32) return std::nullopt;
  return StagingRecord{BigEndian(text),
                       {Index(BigEndian(text.substr(8))), Term(BigEndian(text.substr(16)))},
                       BigEndian(text.substr(24))};
}

}  // namespace lockstep::storage
