// Keys and small records as they lie on the disk. Keys have the order of what they name and are
// the keys of nothing else; and any bytes name nothing, or what is written with the same bytes.
#include <compare>
#include <cstdint>
#include <string>
#include <tuple>

#include "absl/strings/match.h"
#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "core/controller/table_layout.h"
#include "core/kv/table_layout.h"
#include "core/shardkv/contents.h"
#include "core/shardkv/table_layout.h"
#include "fuzz/support/input.h"
#include "storage/promises.h"
#include "storage/table_store_keys.h"
#include "storage/wal_format.h"

namespace lockstep::fuzz {
namespace {

// Whether keys are in the order of what they name.
template <class Names>
void CheckOrder(const Names& left, const Names& right, const std::string& left_key,
                const std::string& right_key) {
  Check((left <=> right) == (left_key <=> right_key));
}

// Small, next to a power of 256, or any.
uint64_t MakeNumber(Input& input) {
  const uint8_t how = input.Byte();
  if (how < 0x60) return how % 4;
  if (how < 0xC0) return (uint64_t{1} << (how % 64)) - how % 2;
  return input.Number();
}

void CheckStoreKeys(Input& input) {
  const GroupId groups[] = {GroupId(MakeNumber(input)), GroupId(MakeNumber(input))};
  const uint64_t generations[] = {MakeNumber(input), MakeNumber(input)};
  const std::string keys[] = {std::string(input.Text(40)), std::string(input.Text(40))};
  std::string full[2];
  for (size_t i = 0; i < 2; ++i) {
    const std::string prefix = storage::TablePrefix(groups[i], generations[i]);
    CheckEq(prefix.size(), storage::kTablePrefixBytes);
    full[i] = prefix + keys[i];
    Check(storage::GroupOf(full[i]) == groups[i]);
    Check(storage::GenerationOf(groups[i], full[i]) == generations[i]);
    Check(absl::StartsWith(prefix, storage::GenerationStart(groups[i], generations[i])));
    // The records of a group are no part of any table, and lie before all of them.
    for (const std::string& record :
         {storage::AppliedKey(groups[i]), storage::StagingKey(groups[i])}) {
      Check(!absl::StartsWith(record, prefix));
      Check(storage::GenerationOf(groups[i], record) == uint64_t{0});
      Check(record < storage::GenerationStart(groups[i], 1));
    }
    Check(storage::GroupOfAppliedKey(storage::AppliedKey(groups[i])) == groups[i]);
    Check(!storage::GroupOfAppliedKey(storage::StagingKey(groups[i])).has_value());
    Check(!storage::GroupOfAppliedKey(full[i]).has_value());
  }
  CheckOrder(std::tie(groups[0], generations[0], keys[0]),
             std::tie(groups[1], generations[1], keys[1]), full[0], full[1]);
}

void CheckSessionKeys(Input& input) {
  const SessionId sessions[] = {SessionId(MakeNumber(input)), SessionId(MakeNumber(input))};
  const size_t slots[] = {input.Number(2), input.Number(2)};
  const std::string keys[] = {std::string(input.Text(40)), std::string(input.Text(40))};
  std::string session_keys[2];
  std::string slot_keys[2];
  std::string data_keys[2];
  for (size_t i = 0; i < 2; ++i) {
    kv::SetSessionKey(sessions[i], &session_keys[i]);
    kv::SetSlotKey(sessions[i], slots[i], &slot_keys[i]);
    kv::SetDataKey(keys[i], &data_keys[i]);
    CheckEq(session_keys[i].size(), kv::kSessionKeyBytes);
    CheckEq(slot_keys[i].size(), kv::kSlotKeyBytes);
    // All of a session lies together.
    Check(absl::StartsWith(slot_keys[i], session_keys[i]));
    Check(data_keys[i] < session_keys[i]);
  }
  CheckOrder(sessions[0], sessions[1], session_keys[0], session_keys[1]);
  CheckOrder(std::tie(sessions[0], slots[0]), std::tie(sessions[1], slots[1]), slot_keys[0],
             slot_keys[1]);
  CheckOrder(keys[0], keys[1], data_keys[0], data_keys[1]);
}

void CheckTenureKeys(Input& input) {
  const uint32_t shards[] = {static_cast<uint32_t>(input.Number(2)),
                             static_cast<uint32_t>(input.Number(2))};
  const uint64_t since[] = {MakeNumber(input), MakeNumber(input)};
  const std::string keys[] = {std::string(input.Text(40)), std::string(input.Text(40))};
  for (const char kind : {shardkv::kTenureKind, shardkv::kCountsKind, shardkv::kContentsKind}) {
    std::string full[2];
    for (size_t i = 0; i < 2; ++i) {
      full[i] = shardkv::TenureKey(kind, shards[i], since[i]);
      CheckEq(full[i].size(), shardkv::kTenureKeyBytes);
      full[i] += keys[i];
    }
    CheckOrder(std::tie(shards[0], since[0], keys[0]), std::tie(shards[1], since[1], keys[1]),
               full[0], full[1]);
  }
  using controller::ConfigurationNum;
  CheckOrder(since[0], since[1], controller::ConfigurationKey(ConfigurationNum(since[0])),
             controller::ConfigurationKey(ConfigurationNum(since[1])));
  CheckOrder(since[0], since[1], controller::MemberKey(GroupId(since[0])),
             controller::MemberKey(GroupId(since[1])));
}

void CheckStoreRecords(absl::string_view bytes) {
  std::string again;
  if (const auto record = storage::DecodeApplied(bytes); record.has_value()) {
    storage::EncodeApplied(*record, &again);
    Check(again == bytes);
  }
  if (const auto record = storage::DecodeStaging(bytes); record.has_value()) {
    storage::EncodeStaging(*record, &again);
    Check(again == bytes);
  }
  if (const auto group = storage::GroupOf(bytes); group.has_value()) {
    Check(absl::StartsWith(storage::GenerationStart(*group, 0), bytes.substr(0, 8)));
    if (const auto generation = storage::GenerationOf(*group, bytes); generation.has_value()) {
      Check(absl::StartsWith(bytes, storage::GenerationStart(*group, *generation)));
    }
  }
  if (const auto group = storage::GroupOfAppliedKey(bytes); group.has_value()) {
    Check(bytes == storage::AppliedKey(*group));
  }
  if (bytes.size() == 24) Check(shardkv::Counts::Decode(bytes).Encode() == bytes);
  if (const auto sequence = storage::wal::ParseSegmentName(bytes); sequence.has_value()) {
    Check(storage::wal::SegmentName(*sequence) == bytes);
  }
}

// `bytes`: with or without the checksum that they ought to have.
void CheckPromises(absl::string_view bytes, bool fix) {
  std::string text(bytes);
  if (fix) {
    const uint32_t crc = Crc32c(text);
    for (int shift = 0; shift < 32; shift += 8) {
      text.push_back(static_cast<char>(crc >> shift & 0xFF));
    }
  }
  const auto record = storage::DecodePromises(text);
  if (!record.ok()) return;
  Check(storage::EncodePromises(*record) == text);
}

void RunKeys(Input input) {
  switch (input.Below(6)) {
    case 0:
      return CheckStoreKeys(input);
    case 1:
      return CheckSessionKeys(input);
    case 2:
      return CheckTenureKeys(input);
    case 3:
      return CheckStoreRecords(input.rest());
    default:
      const bool fix = input.Byte() < 0xC0;
      return CheckPromises(input.rest(), fix);
  }
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunKeys(lockstep::fuzz::Input(data, size));
  return 0;
}
