// The one sequence of committed entries (State Machine Safety, Raft Fig. 3). The first replica to
// commit an index extends it; whatever anybody commits, applies or begins its log after must agree.
#ifndef LOCKSTEP_SIM_CHECK_COMMIT_CHAIN_H_
#define LOCKSTEP_SIM_CHECK_COMMIT_CHAIN_H_

#include <cstdint>
#include <vector>

#include "core/base/check.h"
#include "core/base/types.h"
#include "sim/check/log_mirror.h"

namespace lockstep::sim {

class CommitChain {
 public:
  struct Record {
    ChainLink link;
    NodeId node;  // the first to commit it
    // What applying it answered, once somebody has; afterwards everybody must answer the same.
    NodeId applied_by;
    uint64_t reply_hash = 0;
  };

  Index last() const { return floor_.Plus(records_.size() - 1); }
  // Whether At(index) is known: not in the future and not pruned. Index 0 is the empty prefix.
  bool Holds(Index index) const { return floor_ <= index && index <= last(); }
  // REQUIRES: Holds(index).
  Record& At(Index index) {
    Check(Holds(index));
    return records_[index.Since(floor_)];
  }
  const Record& At(Index index) const {
    Check(Holds(index));
    return records_[index.Since(floor_)];
  }
  void Extend(ChainLink link, NodeId node) {
    Record& record = records_.emplace_back();
    record.link = link;
    record.node = node;
  }

  // `leader` of `term` was the first to commit everything up to last().
  void NoteCommittedIn(Term term) {
    if (!by_term_.empty() && by_term_.back().term == term) {
      by_term_.back().last = last();
    } else {
      by_term_.push_back({term, last()});
    }
  }
  // The highest index that was first committed by a leader of a term before `term`.
  Index CommittedBefore(Term term) const {
    Index highest;
    // From the back: those who ask, ask about recent terms.
    for (size_t i = by_term_.size(); i > 0; --i) {
      if (by_term_[i - 1].term >= term) continue;
      highest = by_term_[i - 1].last;
      break;
    }
    return highest;
  }

  // Forgets the entries before `index`, which must be known.
  void PruneBefore(Index index) {
    Check(Holds(index));
    records_.erase(records_.begin(),
                   records_.begin() + static_cast<ptrdiff_t>(index.Since(floor_)));
    floor_ = index;
  }

 private:
  struct TermEnd {
    Term term;
    Index last;
  };
  Index floor_;                     // records_[0] is at floor_; at first the empty prefix
  std::vector<Record> records_{1};  // Invariant: never empty.
  std::vector<TermEnd> by_term_;    // in the order of first commits; both fields ascend
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_COMMIT_CHAIN_H_
