#include "storage/wal_state.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace lockstep::storage::wal {

WalState::WalState(std::vector<GroupLog> groups, std::deque<SegmentUse> segments)
    : groups_(std::move(groups)), segments_(std::move(segments)) {
  for (const SegmentUse& use : segments_) bytes_ += use.bytes;
  for (const GroupLog& log : groups_) {
    for (const EntryPlace& place : log.places) Count(place);
  }
}

GroupLog& WalState::group(GroupId id) {
  // A process hosts a handful of groups: a scan beats any index.
  for (GroupLog& log : groups_) {
    if (log.group == id) return log;
  }
  CheckFailed("group is not one of the log's", std::source_location::current());
}

void WalState::AddGroup(GroupId group) {
  const bool known = std::any_of(groups_.begin(), groups_.end(),
                                 [&](const GroupLog& log) { return log.group == group; });
  if (!known) groups_.emplace_back().group = group;
}

RecordType WalState::MoveBase(GroupLog& log, LogPosition base) {
  CheckLe(log.base.index, base.index);
  const bool held = base == log.base || (log.base.index < base.index && base.index <= log.last() &&
                                         log.place(base.index).term == base.term);
  const Index until = held ? base.index : log.last();
  for (Index index = log.base.index; index < until; index = index.Next()) {
    Discount(log.places.front());
    log.places.pop_front();
  }
  log.base = base;
  return held ? RecordType::kBase : RecordType::kReset;
}

void WalState::Truncate(GroupLog& log, Index from) {
  CheckLt(log.base.index, from);
  while (from <= log.last()) {
    Discount(log.places.back());
    log.places.pop_back();
  }
}

void WalState::Append(GroupLog& log, const EntryPlace& place) {
  log.places.push_back(place);
  Count(place);
}

void WalState::Move(GroupLog& log, Index index, const EntryPlace& place) {
  EntryPlace& old = log.place(index);
  CheckEq(old.term, place.term);
  Discount(old);
  old = place;
  Count(place);
}

void WalState::AddBytes(uint64_t bytes) {
  segments_.back().bytes += bytes;
  bytes_ += bytes;
}

void WalState::DropFirstSegment() {
  CheckLt(size_t{1}, segments_.size());
  CheckEq(segments_.front().live_entries, uint64_t{0});
  CheckEq(segments_.front().live_bytes, uint64_t{0});
  bytes_ -= segments_.front().bytes;
  segments_.pop_front();
}

void WalState::Count(const EntryPlace& place) {
  SegmentUse& use = segment(place.segment);
  ++use.live_entries;
  use.live_bytes += place.bytes;
  live_bytes_ += place.bytes;
}

void WalState::Discount(const EntryPlace& place) {
  SegmentUse& use = segment(place.segment);
  CheckLt(uint64_t{0}, use.live_entries);
  --use.live_entries;
  use.live_bytes -= place.bytes;
  live_bytes_ -= place.bytes;
}

SegmentUse& WalState::segment(uint64_t sequence) {
  CheckLe(segments_.front().sequence, sequence);
  CheckLe(sequence, segments_.back().sequence);
  return segments_[sequence - segments_.front().sequence];
}

}  // namespace lockstep::storage::wal
