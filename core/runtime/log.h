// The vocabulary of a replicated log, shared by consensus (which decides it) and storage (which
// keeps it).
#ifndef LOCKSTEP_CORE_RUNTIME_LOG_H_
#define LOCKSTEP_CORE_RUNTIME_LOG_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/types.h"

namespace lockstep {

// What an entry is for. The numbers are part of the disk and wire formats.
enum class EntryKind : uint8_t {
  kNoop = 1,      // opens a leader's term (Raft §8); the state machine never sees it
  kCommand = 2,   // for the state machine, from a client
  kInternal = 3,  // for the state machine, from the group itself
  // The group's members from here on (core/proto/membership.proto); the state machine never sees
  // it, but the table remembers the newest that it has come past.
  kConfiguration = 4,
};

// Whether this version knows the kind: numbers come from disks and from peers.
inline bool IsKnown(EntryKind kind) {
  return kind == EntryKind::kNoop || kind == EntryKind::kCommand || kind == EntryKind::kInternal ||
         kind == EntryKind::kConfiguration;
}
// Whether a state machine is to see an entry of this kind.
inline bool IsForMachine(EntryKind kind) {
  return kind == EntryKind::kCommand || kind == EntryKind::kInternal;
}

// One place of the log and what stands there.
struct Entry {
  Index index;
  Term term;
  EntryKind kind = EntryKind::kCommand;  // decides who reads `data`
  Bytes data;                            // a command or configuration; empty for a no-op
};

// A place in the log that names its whole prefix (Raft's Log Matching property).
struct LogPosition {
  Index index;
  Term term;
  friend bool operator==(LogPosition, LogPosition) = default;
};

// Figure 2's "persistent state on all servers" beside the log.
struct HardState {
  Term term;
  NodeId vote;  // whom this replica voted for in `term`; none: nobody yet
  // The log has lost what it may have acknowledged in this term or before, and did not get it back
  // yet: no vote until it has (docs/decisions/0018). None: the log holds all that it promised.
  // Invariant: doubt < term.
  Term doubt = {};
  friend bool operator==(HardState, HardState) = default;
};

// One replica's change to its log, durable as a whole or not at all. Fields apply in this order.
struct LogBatch {
  GroupId group;
  std::optional<HardState> hard_state;  // the new one, if it changed
  // The log now begins after `base`. Entries up to base.index are forgotten; if the entry at
  // base.index is missing or of another term, everything is forgotten (an installed snapshot
  // replaces the log).
  std::optional<LogPosition> base;
  // Forget this index and all that follow, then append.
  std::optional<Index> truncate_from;
  // Consecutive indexes, the first one directly after what is left of the log.
  std::vector<Entry> append;

  // Nothing changes.
  bool empty() const {
    return !hard_state.has_value() && !base.has_value() && !truncate_from.has_value() &&
           append.empty();
  }
};

// What one replica finds on its disk at boot.
struct ReplicaImage {
  GroupId group;
  HardState hard_state;        // the newest that the disk holds
  LogPosition base;            // the log begins after this
  std::vector<Entry> entries;  // base.index + 1, consecutive
  LogPosition applied;         // what the state machine's table holds; durable
  // The data of the newest kConfiguration entry up to `applied`; empty: there is none.
  Bytes configuration = {};
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_LOG_H_
