#include "core/raft/log.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace lockstep::raft {

size_t RaftLog::OffsetOf(Index index) const {
  CheckLe(first_index(), index);
  CheckLe(index, last_index());
  return index.Since(first_index());
}

std::optional<Term> RaftLog::TermAt(Index index) const {
  if (index == base_.index) return base_.term;
  if (index < base_.index || index > last_index()) return std::nullopt;
  return entries_[OffsetOf(index)].term;
}

const Entry& RaftLog::At(Index index) const { return entries_[OffsetOf(index)]; }

bool RaftLog::IsAtLeastAsUpToDate(LogPosition candidate_last) const {
  if (candidate_last.term != last_term()) return candidate_last.term > last_term();
  return candidate_last.index >= last_index();
}

Index RaftLog::FirstIndexOfTermAt(Index index) const {
  const Term term = At(index).term;
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(OffsetOf(index));
  const auto first =
      std::lower_bound(entries_.begin(), end, term,
                       [](const Entry& entry, Term wanted) { return entry.term < wanted; });
  return first == end ? index : first->index;
}

std::optional<Index> RaftLog::LastIndexOfTerm(Term term, Index index) const {
  const Index until = std::min(index, last_index());
  if (until < base_.index) return std::nullopt;
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(until.Since(base_.index));
  const auto after =
      std::upper_bound(entries_.begin(), end, term,
                       [](Term wanted, const Entry& entry) { return wanted < entry.term; });
  if (after == entries_.begin())
    return term == base_.term ? std::optional(base_.index) : std::nullopt;
  const Entry& last = *(after - 1);
  return last.term == term ? std::optional(last.index) : std::nullopt;
}

std::vector<Entry> RaftLog::Slice(Index first, Index final, uint64_t entries_max,
                                  uint64_t bytes_max) const {
  std::vector<Entry> slice;
  uint64_t bytes = 0;
  for (Index index = first; index <= final && slice.size() < entries_max; index = index.Next()) {
    const Entry& entry = At(index);
    bytes += CostOf(entry);
    if (!slice.empty() && bytes > bytes_max) break;
    slice.push_back(entry);
  }
  return slice;
}

uint64_t RaftLog::BytesAfter(Index index) const {
  uint64_t bytes = 0;
  for (Index i = std::max(index, base_.index).Next(); i <= last_index(); i = i.Next())
    bytes += CostOf(At(i));
  return bytes;
}

void RaftLog::Append(Entry entry) {
  CheckEq(entry.index, last_index().Next());
  CheckLe(last_term(), entry.term);
  bytes_ += CostOf(entry);
  entries_.push_back(std::move(entry));
}

void RaftLog::TruncateFrom(Index from) {
  CheckLt(base_.index, from);
  while (last_index() >= from) {
    bytes_ -= CostOf(entries_.back());
    entries_.pop_back();
  }
}

void RaftLog::CompactThrough(Index through) {
  CheckLe(base_.index, through);
  CheckLe(through, last_index());
  while (base_.index < through) {
    const Entry& entry = entries_.front();
    base_ = LogPosition{entry.index, entry.term};
    bytes_ -= CostOf(entry);
    entries_.pop_front();
  }
}

void RaftLog::Reset(LogPosition base) {
  base_ = base;
  entries_.clear();
  bytes_ = 0;
}

}  // namespace lockstep::raft
