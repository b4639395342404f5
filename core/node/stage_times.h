// When the log of a leader came past the entries that callers wait for: what their answers say of
// where the time went.
//
// One mark for each step forward, not for each entry, so the cost is that of a turn. Nothing is
// decided by it.
#ifndef LOCKSTEP_CORE_NODE_STAGE_TIMES_H_
#define LOCKSTEP_CORE_NODE_STAGE_TIMES_H_

#include <algorithm>
#include <cstdint>
#include <deque>

#include "core/base/types.h"

namespace lockstep::node {

// Where the time of one answer went: as proto::Stages.
struct Stages {
  Duration queue{0};
  Duration log{0};
  Duration replicate{0};
  Duration apply{0};
  Duration barrier{0};
  Duration read{0};
};

// When something that only grows came past each index.
class Marks {
 public:
  // What is no step forward is no news.
  void Reached(Index through, Instant now) {
    if (marks_.empty() || marks_.back().through < through) marks_.push_back({through, now});
  }
  // When it came past `index`; `otherwise` if it has not. What is before is forgotten: the next
  // question is about a later one.
  Instant When(Index index, Instant otherwise) {
    while (!marks_.empty() && marks_.front().through < index) marks_.pop_front();
    return marks_.empty() ? otherwise : marks_.front().at;
  }
  void Clear() { marks_.clear(); }

 private:
  struct Mark {
    Index through;
    Instant at;
  };
  std::deque<Mark> marks_;  // ascending in both; at most as many as entries are waited for
};

class StageTimes {
 public:
  void Submitted(Index through, Instant now) { submitted_.Reached(through, now); }
  void Durable(Index through, Instant now) { durable_.Reached(through, now); }
  void Committed(Index through, Instant now) { committed_.Reached(through, now); }
  // Nobody waits for anything.
  void Clear() {
    submitted_.Clear();
    durable_.Clear();
    committed_.Clear();
  }
  // Of the entry at `index`, whose command came at `came` and is in the table now. They add up.
  // REQUIRES: ascending indexes.
  Stages Applied(Index index, Instant came, Instant now) {
    const Instant committed = std::clamp(committed_.When(index, now), came, now);
    // A majority of others may be faster than the leader's own disk.
    const Instant submitted = std::clamp(submitted_.When(index, committed), came, committed);
    const Instant durable = std::clamp(durable_.When(index, committed), submitted, committed);
    return {.queue = submitted - came,
            .log = durable - submitted,
            .replicate = committed - durable,
            .apply = now - committed};
  }

 private:
  Marks submitted_;  // to the log lane
  Marks durable_;    // in the leader's log
  Marks committed_;
};

}  // namespace lockstep::node

#endif  // LOCKSTEP_CORE_NODE_STAGE_TIMES_H_
