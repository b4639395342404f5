#include "storage/recent_values.h"

namespace lockstep::storage {
namespace {

constexpr uint64_t kOverheadBytes = 160;  // of a pair: list node, two strings, its place
// A larger value costs more to copy than to look up, and would push out hundreds of small ones.
constexpr uint64_t kValueBytesMax = 4 << 10;

}  // namespace

uint64_t RecentValues::BytesOf(const Pair& pair) {
  return kOverheadBytes + pair.key.size() + pair.value.size();
}

const std::string* RecentValues::Find(absl::string_view key) {
  const auto found = places_.find(key);
  if (found == places_.end()) return nullptr;
  pairs_.splice(pairs_.begin(), pairs_, found->second);
  return &found->second->value;
}

void RecentValues::Keep(absl::string_view key, absl::string_view value) {
  Erase(key);
  const bool fits =
      value.size() <= kValueBytesMax && kOverheadBytes + key.size() + value.size() <= bytes_max_;
  if (!fits) return;
  pairs_.push_front({std::string(key), std::string(value)});
  places_.emplace(pairs_.front().key, pairs_.begin());
  bytes_ += BytesOf(pairs_.front());
  while (bytes_ > bytes_max_) Forget(std::prev(pairs_.end()));
}

void RecentValues::Replace(absl::string_view key, absl::string_view value) {
  const auto found = places_.find(key);
  if (found == places_.end()) return;
  if (value.size() > kValueBytesMax) return Forget(found->second);
  bytes_ -= BytesOf(*found->second);
  found->second->value.assign(value.data(), value.size());
  bytes_ += BytesOf(*found->second);
  while (bytes_ > bytes_max_) Forget(std::prev(pairs_.end()));
}

void RecentValues::Erase(absl::string_view key) {
  const auto found = places_.find(key);
  if (found != places_.end()) Forget(found->second);
}

void RecentValues::Clear() {
  places_.clear();
  pairs_.clear();
  bytes_ = 0;
}

void RecentValues::Forget(Place place) {
  bytes_ -= BytesOf(*place);
  places_.erase(place->key);
  pairs_.erase(place);
}

}  // namespace lockstep::storage
