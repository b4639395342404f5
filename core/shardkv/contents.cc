#include "core/shardkv/contents.h"

#include "absl/strings/match.h"
#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/kv/table_layout.h"

namespace lockstep::shardkv {
namespace {

uint64_t RecordHash(absl::string_view key, absl::string_view value) {
  return HashChain(StableHash(key), StableHash(value));
}

bool IsPair(absl::string_view key) { return !key.empty() && key.front() == kv::kDataKind; }

}  // namespace

void Counts::Add(absl::string_view key, absl::string_view value) {
  content += RecordHash(key, value);
  if (!IsPair(key)) return;
  ++keys;
  bytes += key.size() - 1 + value.size();
}

void Counts::Remove(absl::string_view key, absl::string_view value) {
  content -= RecordHash(key, value);
  if (!IsPair(key)) return;
  const uint64_t gone = key.size() - 1 + value.size();
  CheckLt(uint64_t{0}, keys);
  CheckLe(gone, bytes);
  --keys;
  bytes -= gone;
}

std::string Counts::Encode() const {
  std::string record;
  kv::AppendBigEndian64(keys, &record);
  kv::AppendBigEndian64(bytes, &record);
  kv::AppendBigEndian64(content, &record);
  return record;
}

Counts Counts::Decode(absl::string_view record) {
  CheckEq(record.size(), size_t{24});
  return {.keys = kv::ReadBigEndian64(record),
          .bytes = kv::ReadBigEndian64(record.substr(8)),
          .content = kv::ReadBigEndian64(record.substr(16))};
}

bool ContentsReader::Get(absl::string_view key, std::string* value) const {
  full_key_.assign(prefix_);
  full_key_.append(key.data(), key.size());
  return table_.Get(full_key_, value);
}

void ContentsReader::Scan(
    absl::string_view start,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
  std::string first = prefix_;  // Not full_key_: `visit` may call Get.
  first.append(start.data(), start.size());
  table_.Scan(first, [&](absl::string_view key, absl::string_view value) {
    return absl::StartsWith(key, prefix_) && visit(key.substr(prefix_.size()), value);
  });
}

void ContentsWriter::RemoveFromCounts(absl::string_view key) {
  if (reader_.Get(key, &old_)) counts_.Remove(key, old_);
}

void ContentsWriter::Put(absl::string_view key, absl::string_view value) {
  RemoveFromCounts(key);
  counts_.Add(key, value);
  full_key_.assign(prefix_);
  full_key_.append(key.data(), key.size());
  table_.Put(full_key_, value);
}

void ContentsWriter::Delete(absl::string_view key) {
  RemoveFromCounts(key);
  full_key_.assign(prefix_);
  full_key_.append(key.data(), key.size());
  table_.Delete(full_key_);
}

}  // namespace lockstep::shardkv
