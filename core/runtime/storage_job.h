// The storage jobs that core names and storage executes. Jobs and results are values; no job calls
// back.
//
// There are two lanes, each strictly first in, first out: the log lane (write-ahead log, one write
// and one fsync per job) and the table lane (everything about LevelDB). A lane executes one job at
// a time; the two run independently of each other.
#ifndef LOCKSTEP_CORE_RUNTIME_STORAGE_JOB_H_
#define LOCKSTEP_CORE_RUNTIME_STORAGE_JOB_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep {

// Log lane.

// Makes the batches of any number of groups durable with one write and one fsync. Result:
// std::monostate.
struct CommitLog {
  std::vector<LogBatch> batches;  // at most one per group
};

// Table lane.

// Applies committed entries in order to the group's machine. Entries at or below the table's
// applied index are skipped (they have no ApplyResult); a gap is a Check failure. Not fsynced: the
// log is the truth.
struct ApplyEntries {
  GroupId group;
  std::vector<Entry> entries;  // committed, consecutive
};
// What one entry did.
struct ApplyResult {
  Index index;
  Term term;
  EntryKind kind = EntryKind::kNoop;  // the entry's
  Bytes reply;                        // empty for what no machine sees
};
// Answers ApplyEntries.
struct ApplyDone {
  GroupId group;
  std::vector<ApplyResult> results;  // in the order of the entries
  LogPosition applied;               // the table's position after the job
};

// Answers reads, all from the same state.
struct QueryTable {
  // One read.
  struct Item {
    RequestId id;
    Bytes query;  // what the state machine understands
  };
  GroupId group;
  std::vector<Item> items;  // answered in this order
};
// Answers QueryTable.
struct QueryDone {
  // One answer.
  struct Item {
    RequestId id;
    Bytes reply;  // the state machine's
  };
  GroupId group;
  std::vector<Item> items;  // in the order of the reads
  LogPosition applied;      // the state they were answered from
};

// Makes the whole table durable. Afterwards the log up to `durable` may be dropped.
struct Checkpoint {
  GroupId group;
};
// Answers Checkpoint.
struct CheckpointDone {
  GroupId group;
  LogPosition durable;
};

// Reads the next part of a snapshot for `peer`. Without `snapshot` a new one is taken of the
// current state and `offset` must be 0; the snapshot stays open, unaffected by later writes, until
// CloseSnapshot for the same (group, peer) or until a new one is taken for it.
struct ReadSnapshot {
  GroupId group;
  NodeId peer;
  std::optional<LogPosition> snapshot;
  uint64_t offset = 0;     // in the snapshot's byte stream
  uint64_t bytes_max = 0;  // the chunk holds at most this many bytes (at least 1)
  uint64_t tag = 0;        // handed back in the result
};
// Answers ReadSnapshot.
struct ReadSnapshotDone {
  GroupId group;
  NodeId peer;
  LogPosition snapshot;
  uint64_t offset = 0;  // of `data`
  Bytes data;           // the chunk
  bool last = false;    // the stream ends with it
  // The snapshot asked for is not open any more (the process restarted, or it was closed): begin
  // anew.
  bool gone = false;
  uint64_t tag = 0;  // the job's
  // The group's configuration as of `snapshot` (ReplicaImage::configuration says how).
  Bytes configuration = {};
};
// Lets the snapshot for a peer go, if one is open.
struct CloseSnapshot {
  GroupId group;
  NodeId peer;
};

// Stages a part of a snapshot that arrives. Parts of another snapshot than the staged one replace
// it when offset is 0 and are refused otherwise. With the last part in place the staged state
// becomes the table, atomically and durably, unless the table is already at or past the snapshot.
struct WriteSnapshot {
  GroupId group;
  LogPosition snapshot;
  uint64_t offset = 0;       // of `data`
  Bytes data;                // the chunk
  bool last = false;         // the stream ends with it
  Bytes configuration = {};  // as of `snapshot`; it becomes the table's with the last part
};
// Answers WriteSnapshot.
struct WriteSnapshotDone {
  GroupId group;
  LogPosition snapshot;
  uint64_t next_offset = 0;  // all bytes before it are staged; where to go on
  bool complete = false;     // the table is durably at or past the snapshot
  LogPosition applied;       // the table's position after the job
  Bytes configuration = {};  // as of `applied`
};

using LogJob = CommitLog;  // what the log lane executes
// What the table lane executes.
using TableJob =
    std::variant<ApplyEntries, QueryTable, Checkpoint, ReadSnapshot, CloseSnapshot, WriteSnapshot>;
// Any job; LaneOf says whose.
using StorageJob = std::variant<CommitLog, ApplyEntries, QueryTable, Checkpoint, ReadSnapshot,
                                CloseSnapshot, WriteSnapshot>;
// monostate: CommitLog or CloseSnapshot has been done.
using StorageResult = std::variant<std::monostate, ApplyDone, QueryDone, CheckpointDone,
                                   ReadSnapshotDone, WriteSnapshotDone>;

// The two queues of a disk.
enum class Lane : uint8_t { kLog, kTable };
// Where a job waits.
inline Lane LaneOf(const StorageJob& job) {
  return std::holds_alternative<CommitLog>(job) ? Lane::kLog : Lane::kTable;
}

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_STORAGE_JOB_H_
