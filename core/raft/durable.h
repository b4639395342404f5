// What this replica's own disk vouches for while batches are in flight.
//
// The hazard is ABA: "entries up to 7 are durable" may arrive for a batch whose entry 7 has since
// been replaced, perhaps even by an entry that looks the same. Instead of recognising a stale
// completion, a truncation lowers the promise of every batch in flight, so that a completion can
// never vouch for more than what is still in the log. docs/decisions/0004 tells why.
//
// Invariant: index() <= last index of the log; it moves backward only by truncation.
#ifndef LOCKSTEP_CORE_RAFT_DURABLE_H_
#define LOCKSTEP_CORE_RAFT_DURABLE_H_

#include <algorithm>
#include <deque>

#include "core/base/check.h"
#include "core/base/types.h"

namespace lockstep::raft {

class Durable {
 public:
  Durable() = default;
  explicit Durable(Index index) : index_(index) {}

  // Entries up to here are durable and in the log.
  Index index() const { return index_; }
  PersistSeq completed() const { return completed_; }

  // The batch `seq` was handed to the disk; with it the log on disk ends at `last`.
  void Submitted(PersistSeq seq, Index last) { in_flight_.push_back({seq, last}); }

  // All batches up to and including `through` are durable.
  void Completed(PersistSeq through) {
    CheckLe(completed_, through);
    completed_ = through;
    while (!in_flight_.empty() && in_flight_.front().seq <= through) {
      index_ = std::max(index_, in_flight_.front().last);
      in_flight_.pop_front();
    }
  }

  // The log forgot `from` and all after it.
  void Truncated(Index from) {
    index_ = std::min(index_, from.Previous());
    for (Batch& batch : in_flight_) batch.last = std::min(batch.last, from.Previous());
  }

  // The state machine's table is durable up to `index`, so the log need not be.
  void Covered(Index index) { index_ = std::max(index_, index); }

  // A snapshot that is durable by itself replaced the log, which now ends at `index`.
  void Replaced(Index index) {
    Truncated(index.Next());
    index_ = index;
  }

 private:
  struct Batch {
    PersistSeq seq;
    Index last;
  };
  Index index_;
  PersistSeq completed_;
  std::deque<Batch> in_flight_;  // ascending seq
};

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_DURABLE_H_
