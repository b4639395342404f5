#include "core/kv/list_page.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
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

uint32_t LimitOf(const proto::List& list, const KvLimits& limits) {
  CheckLe(1u, limits.list_pairs_max);
  return list.limit() == 0 ? limits.list_pairs_max : std::min(list.limit(), limits.list_pairs_max);
}

}  // namespace

ListPage::ListPage(const proto::List& list, const KvLimits& limits)
    : list_(list),
      limit_(LimitOf(list, limits)),
      bytes_max_(limits.list_bytes_max),
      start_(ScanStart(list, limits)) {}

void ListPage::Add(const TableReader& table) {
  table.Scan(start_, [&](absl::string_view table_key, absl::string_view value) {
    if (table_key.empty() || table_key.front() != kDataKind) return false;
    const absl::string_view key = table_key.substr(1);
    if (!absl::StartsWith(key, list_.prefix())) return false;
    return Offer(key, value);
  });
}

// Of what was left out, nothing could come back: what is found later only takes room away.
bool ListPage::Offer(absl::string_view key, absl::string_view value) {
  if (more_ && key > pairs_.rbegin()->first) return false;
  const bool added =
      pairs_.emplace(std::string(key.data(), key.size()), std::string(value.data(), value.size()))
          .second;
  Check(added, "a key in two tables");
  bytes_ += key.size() + value.size();
  bool stays = true;
  while (IsFull() && pairs_.size() > 1) {
    const auto largest = std::prev(pairs_.end());
    bytes_ -= largest->first.size() + largest->second.size();
    if (largest->first == key) stays = false;
    pairs_.erase(largest);
    more_ = true;
  }
  return stays;
}

void ListPage::Fill(proto::Result* result) {
  result->set_code(proto::OK);
  for (auto& [key, value] : pairs_) {
    proto::Pair* pair = result->add_pairs();
    pair->set_key(key);
    *pair->mutable_value() = std::move(value);
  }
  if (more_) result->set_continuation(MakeContinuation(list_.prefix(), pairs_.rbegin()->first));
}

}  // namespace lockstep::kv
