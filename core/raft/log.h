// The part of a replica's log that is in memory: everything after the base. Bounded by its owner,
// which compacts it; consensus never reads the disk.
//
// Invariants: entries are consecutive from base().index + 1; their terms never decrease; bytes() is
// their sum.
#ifndef LOCKSTEP_CORE_RAFT_LOG_H_
#define LOCKSTEP_CORE_RAFT_LOG_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep::raft {

// What an entry costs in a window or a limit: its data and a constant for the rest.
inline uint64_t CostOf(const Entry& entry) { return entry.data.size() + 32; }

class RaftLog {
 public:
  RaftLog() = default;
  // The log begins after `base`.
  explicit RaftLog(LogPosition base) : base_(base) {}

  LogPosition base() const { return base_; }
  Index first_index() const { return base_.index.Next(); }
  Index last_index() const { return base_.index.Plus(entries_.size()); }
  LogPosition last() const { return LogPosition{last_index(), last_term()}; }
  Term last_term() const { return entries_.empty() ? base_.term : entries_.back().term; }
  uint64_t bytes() const { return bytes_; }
  uint64_t size() const { return entries_.size(); }

  // The term at an index, if it is the base or in the log.
  std::optional<Term> TermAt(Index index) const;
  bool Matches(LogPosition position) const { return TermAt(position.index) == position.term; }
  // REQUIRES: first_index() <= index <= last_index().
  const Entry& At(Index index) const;
  // Raft §5.4.1: a later term wins; within a term, the longer log.
  bool IsAtLeastAsUpToDate(LogPosition candidate_last) const;

  // The first index at or before `index` whose term is that of `index`, within the log.
  // REQUIRES: first_index() <= index <= last_index().
  Index FirstIndexOfTermAt(Index index) const;
  // The last index at or before `index` with exactly this term (the base counts); none if there is
  // none.
  std::optional<Index> LastIndexOfTerm(Term term, Index index) const;

  // Entries from `first`, at most `entries_max` and `bytes_max` together, but at least one if there
  // is one.
  std::vector<Entry> Slice(Index first, Index final, uint64_t entries_max,
                           uint64_t bytes_max) const;
  uint64_t BytesAfter(Index index) const;

  // REQUIRES: entry.index == last_index() + 1, entry.term >= last_term().
  void Append(Entry entry);
  // Forgets `from` and all after it. REQUIRES: from > base().index.
  void TruncateFrom(Index from);
  // Forgets everything up to `through`. REQUIRES: base().index <= through <= last_index().
  void CompactThrough(Index through);
  // Forgets everything; the log begins after `base`.
  void Reset(LogPosition base);

 private:
  size_t OffsetOf(Index index) const;

  LogPosition base_;
  std::deque<Entry> entries_;
  uint64_t bytes_ = 0;
};

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_LOG_H_
