// Turns the records of a log back into what each replica had. Pure: no files.
//
// Records come from a disk, so each is judged before it is believed. The oldest segment found may
// lack entries that its statement speaks of: they stood in segments that were deleted, which
// happens only after they were forgotten or written again further on. Finish proves that they were.
#ifndef LOCKSTEP_STORAGE_WAL_REPLAY_H_
#define LOCKSTEP_STORAGE_WAL_REPLAY_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "storage/wal_format.h"
#include "storage/wal_state.h"

namespace lockstep::storage::wal {

class Replay {
 public:
  // Images and logs come out in this order; with `more`, those of other groups that the log speaks
  // of behind them, as they were found. Without, such a log is refused.
  explicit Replay(const std::vector<GroupId>& groups, bool more = false);

  // One more, of which nothing was said so far.
  void AddGroup(GroupId group);

  // Adopts the statement of the oldest segment, or compares the statement of a later one.
  absl::Status ApplyStatement(const Frame& frame, bool oldest);
  // Executes a later frame of the segment with this number.
  absl::Status ApplyCommit(const Frame& frame, uint64_t segment);

  // DataLoss when an entry is missing. Leaves the replay empty.
  absl::Status Finish(std::vector<GroupLog>* logs, std::vector<ReplicaImage>* images);
  // What there is of a log whose end is damaged: a group that lacks an entry comes out empty.
  std::vector<ReplicaImage> FinishLeniently();

 private:
  struct Found {
    Entry entry;
    EntryPlace place;
  };
  struct Group {
    GroupStatement state;
    absl::btree_map<uint64_t, Found> entries;  // by index; in (base, last], maybe with gaps
  };

  static ReplicaImage ImageOf(Group& group);
  absl::Status CheckAllStated(const Frame& frame) const;
  absl::Status Execute(const Record& record, uint64_t segment, Group& group);
  absl::Status AddEntry(const Record& record, uint64_t segment, Group& group);
  absl::StatusOr<Group*> Find(const Record& record);

  const bool more_;
  std::deque<Group> groups_;
};

}  // namespace lockstep::storage::wal

#endif  // LOCKSTEP_STORAGE_WAL_REPLAY_H_
