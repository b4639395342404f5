// Which of another node's requests have been seen: the network may repeat a message, but a request
// is delivered at most once (core/client/events.h says why that matters).
//
// Invariant: every id at or below `floor_` of the current life counts as seen.
#ifndef LOCKSTEP_CORE_GATEWAY_SEEN_REQUESTS_H_
#define LOCKSTEP_CORE_GATEWAY_SEEN_REQUESTS_H_

#include <cstddef>
#include <cstdint>

#include "absl/container/btree_set.h"

namespace lockstep::gateway {

class SeenRequests {
 public:
  // True: never seen, and noted now. False: seen, of an earlier life, or too old to tell.
  // `remembered_max` is at least 1.
  bool Admit(uint64_t life, uint64_t id, size_t remembered_max) {
    if (life < life_) return false;
    if (life > life_) {
      life_ = life;
      floor_ = 0;
      ids_.clear();
    }
    if (id <= floor_ || !ids_.insert(id).second) return false;
    while (ids_.size() > remembered_max) {
      floor_ = *ids_.begin();
      ids_.erase(ids_.begin());
    }
    return id > floor_;
  }

 private:
  uint64_t life_ = 0;
  uint64_t floor_ = 0;
  absl::btree_set<uint64_t> ids_;
};

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_SEEN_REQUESTS_H_
