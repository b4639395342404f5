#include "core/kv/reads.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kv/continuation.h"
#include "core/kv/table_layout.h"

namespace lockstep::kv {
namespace {

// The table key at which the scan begins: the largest of prefix, start and what follows the token.
std::string ScanStart(const proto::List& list, const KvLimits& limits) {
  std::string from = std::max(list.prefix(), list.start());
  if (!list.continuation().empty()) {
    const absl::StatusOr<absl::string_view> final_key =
        ReadContinuation(list.prefix(), list.continuation(), limits);
    Check(final_key.ok(), "a continuation that was not validated");
    std::string after(final_key->data(), final_key->size());
    after.push_back('\0');  // The smallest key above it.
    from = std::max(from, after);
  }
  std::string table_key;
  SetDataKey(from, &table_key);
  return table_key;
}

}  // namespace

void ReadGet(const proto::Get& get, const TableReader& table, proto::Result* result) {
  std::string key;
  SetDataKey(get.key(), &key);
  result->set_code(proto::OK);
  if (!table.Get(key, result->mutable_value())) result->clear_value();
}

void ReadGetMany(const proto::GetMany& get, const KvLimits& limits, const TableReader& table,
                 proto::Result* result) {
  std::string table_key;
  uint64_t bytes = 0;
  for (const std::string& key : get.keys()) {
    SetDataKey(key, &table_key);
    std::string value;
    if (!table.Get(table_key, &value)) continue;
    bytes += value.size();
    if (bytes > limits.get_many_bytes_max && result->pairs_size() > 0) {
      result->clear_pairs();
      result->set_code(proto::TOO_LARGE);
      result->set_message(absl::StrCat("the values exceed get_many_bytes_max (",
                                       limits.get_many_bytes_max,
                                       " bytes): ask for fewer keys at a time"));
      return;
    }
    proto::Pair* pair = result->add_pairs();
    pair->set_key(key);
    *pair->mutable_value() = std::move(value);
  }
  result->set_code(proto::OK);
}

void ReadList(const proto::List& list, const KvLimits& limits, const TableReader& table,
              proto::Result* result) {
  CheckLe(1u, limits.list_pairs_max);
  const uint32_t limit =
      list.limit() == 0 ? limits.list_pairs_max : std::min(list.limit(), limits.list_pairs_max);
  uint32_t pairs = 0;
  uint64_t bytes = 0;
  bool more = false;
  result->set_code(proto::OK);
  table.Scan(ScanStart(list, limits), [&](absl::string_view table_key, absl::string_view value) {
    if (table_key.empty() || table_key.front() != kDataKind) return false;
    const absl::string_view key = table_key.substr(1);
    if (!absl::StartsWith(key, list.prefix())) return false;
    const uint64_t pair_bytes = key.size() + value.size();
    more = pairs == limit || (pairs > 0 && bytes + pair_bytes > limits.list_bytes_max);
    if (more) return false;
    proto::Pair* pair = result->add_pairs();
    pair->mutable_key()->assign(key.data(), key.size());
    pair->mutable_value()->assign(value.data(), value.size());
    ++pairs;
    bytes += pair_bytes;
    return true;
  });
  if (more)
    result->set_continuation(MakeContinuation(list.prefix(), result->pairs().rbegin()->key()));
}

}  // namespace lockstep::kv
