// One page of a List, gathered from one table or from several side by side.
#ifndef LOCKSTEP_CORE_KV_LIST_PAGE_H_
#define LOCKSTEP_CORE_KV_LIST_PAGE_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "core/kv/options.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"

namespace lockstep::kv {

// Keeps the smallest keys of all tables that were added: at most `limit` and list_pairs_max of
// them, and no more than list_bytes_max bytes of keys and values unless the first alone is larger.
// So its memory is that of a page, however many tables there are.
class ListPage {
 public:
  // REQUIRES: ValidateQuery accepted `list`, which outlives the page.
  ListPage(const proto::List& list, const KvLimits& limits);

  // No key occurs in two tables.
  void Add(const TableReader& table);

  // The pairs in ascending order of their keys, and a continuation exactly when there are more.
  void Fill(proto::Result* result);

 private:
  bool IsFull() const { return pairs_.size() > limit_ || bytes_ > bytes_max_; }
  // False: neither this key nor a later one of the same table belongs on the page.
  bool Offer(absl::string_view key, absl::string_view value);

  const proto::List& list_;
  const size_t limit_;
  const uint64_t bytes_max_;
  std::string start_;  // the first table key to look at
  absl::btree_map<std::string, std::string> pairs_;
  uint64_t bytes_ = 0;
  bool more_ = false;
};

}  // namespace lockstep::kv

#endif  // LOCKSTEP_CORE_KV_LIST_PAGE_H_
