// What the log remembers of its own content: each group's state, where each live entry's record
// stands, and how much of each segment is live. An entry is live while recovery would return it.
//
// Invariant: the live counts of a segment are those of the places that name it.
#ifndef LOCKSTEP_STORAGE_WAL_STATE_H_
#define LOCKSTEP_STORAGE_WAL_STATE_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/types.h"
#include "core/runtime/log.h"
#include "storage/wal_format.h"

namespace lockstep::storage::wal {

// Where the newest record of a live entry stands.
struct EntryPlace {
  uint64_t segment = 0;  // sequence number
  uint32_t offset = 0;   // of the record in its segment
  uint32_t bytes = 0;    // of the record
  Term term;             // the entry's
};

struct GroupLog {
  GroupId group;
  HardState hard_state;
  LogPosition base;
  std::deque<EntryPlace> places;  // of base.index + 1 and following

  Index last() const { return base.index.Plus(places.size()); }
  // REQUIRES: base.index < index <= last().
  EntryPlace& place(Index index) { return places[index.Since(base.index) - 1]; }
  GroupStatement Statement() const { return {group, hard_state, base, last()}; }
};

struct SegmentUse {
  uint64_t sequence = 0;
  uint64_t bytes = 0;
  uint64_t live_entries = 0;
  uint64_t live_bytes = 0;
};

class WalState {
 public:
  WalState() = default;
  // The live counts of `segments` are computed here. REQUIRES: the sequences are consecutive and
  // hold every place.
  WalState(std::vector<GroupLog> groups, std::deque<SegmentUse> segments);

  std::vector<GroupLog>& groups() { return groups_; }
  // An empty log, unless the group has one already.
  void AddGroup(GroupId group);
  // REQUIRES: the group is known.
  GroupLog& group(GroupId id);
  const std::deque<SegmentUse>& segments() const { return segments_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t live_bytes() const { return live_bytes_; }

  // Forgets the entries up to base.index, or all of them if the log does not hold `base`. Returns
  // the record type that says so.
  RecordType MoveBase(GroupLog& log, LogPosition base);
  // Forgets the entries from `from` on.
  void Truncate(GroupLog& log, Index from);
  void Append(GroupLog& log, const EntryPlace& place);
  // The entry at `index` has been written again.
  void Move(GroupLog& log, Index index, const EntryPlace& place);

  void AddSegment(uint64_t sequence) { segments_.push_back({.sequence = sequence}); }
  // The last segment grows by this.
  void AddBytes(uint64_t bytes);
  // REQUIRES: the first segment is not the only one and holds nothing live.
  void DropFirstSegment();

 private:
  void Count(const EntryPlace& place);
  void Discount(const EntryPlace& place);
  SegmentUse& segment(uint64_t sequence);

  std::vector<GroupLog> groups_;
  std::deque<SegmentUse> segments_;  // never empty once the log is open
  uint64_t bytes_ = 0;
  uint64_t live_bytes_ = 0;
};

}  // namespace lockstep::storage::wal

#endif  // LOCKSTEP_STORAGE_WAL_STATE_H_
