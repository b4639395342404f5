// The values that entries asked for last. What is written again and again, such as a counter or a
// hot key, is then not looked up in LevelDB for every entry.
//
// Holds what the table holds, or nothing: whoever writes a key says so. One thread at a time.
#ifndef LOCKSTEP_STORAGE_RECENT_VALUES_H_
#define LOCKSTEP_STORAGE_RECENT_VALUES_H_

#include <cstdint>
#include <iterator>
#include <list>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace lockstep::storage {

class RecentValues {
 public:
  // `bytes_max`: of keys, values and what it takes to keep them. 0: nothing is kept.
  explicit RecentValues(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  RecentValues(const RecentValues&) = delete;
  RecentValues& operator=(const RecentValues&) = delete;

  // nullptr: not known. Valid until the next call.
  const std::string* Find(absl::string_view key);
  // The table has this value. It is kept if it is not too large; the least recently used ones give
  // way.
  void Keep(absl::string_view key, absl::string_view value);
  // The key gets another value: if the old one is here, the new one is kept.
  void Replace(absl::string_view key, absl::string_view value);
  void Erase(absl::string_view key);
  void Clear();

  uint64_t bytes() const { return bytes_; }

 private:
  struct Pair {
    std::string key;
    std::string value;
  };
  using Place = std::list<Pair>::iterator;

  static uint64_t BytesOf(const Pair& pair);
  void Forget(Place place);

  const uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::list<Pair> pairs_;  // the last used first
  absl::flat_hash_map<absl::string_view, Place> places_;
};

}  // namespace lockstep::storage

#endif  // LOCKSTEP_STORAGE_RECENT_VALUES_H_
