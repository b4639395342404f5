// What goes into a Raft replica and what comes out of it. Values only.
#ifndef LOCKSTEP_CORE_RAFT_IO_H_
#define LOCKSTEP_CORE_RAFT_IO_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/raft/group_configuration.h"
#include "core/raft/messages.h"
#include "core/raft/quorum.h"
#include "core/runtime/journal.h"
#include "core/runtime/log.h"

namespace lockstep::raft {

// All limits and time spans are data: production reads them from its configuration, the simulator
// draws them.
struct Config {
  NodeId self;
  IncarnationId incarnation = {};  // of this node's data; none: not told
  // The group's beginning: in force until its log says otherwise. Nobody: this replica waits to be
  // told.
  Membership membership;
  // An election starts when no leader was heard for a time drawn from [election_min, election_max].
  Duration election_min = std::chrono::milliseconds(1000);
  Duration election_max = std::chrono::milliseconds(2000);
  Duration heartbeat = std::chrono::milliseconds(100);  // less than election_min
  // Reads of a leader that a majority has promised not to replace yet are answered without a round
  // (lease.cc). The promise is kept by every replica with this option, the leader's or not.
  bool lease = false;
  // By how many thousandths a member's clock may be fast or slow. A clock that stands still while
  // its machine is suspended keeps no bound.
  uint32_t clock_drift_max = 10;
  uint64_t append_bytes_max = uint64_t{1}
                              << 20;    // entries in one AppendRequest (one entry always fits)
  uint64_t append_entries_max = 1024;   // likewise, counted
  uint64_t inflight_messages_max = 64;  // unanswered AppendRequests with entries, a peer
  uint64_t inflight_bytes_max = uint64_t{8} << 20;  // entries in them
  uint64_t uncommitted_bytes_max = uint64_t{128}
                                   << 20;  // the leader's uncommitted tail; beyond: refused
  uint64_t pending_reads_max = 65536;      // own read barriers not yet released; beyond: refused
  // The log in memory: a follower takes no more entries, a leader no more proposals (refused).
  uint64_t log_bytes_max = uint64_t{256} << 20;
  uint64_t snapshot_chunk_bytes_max = uint64_t{1} << 20;
  uint64_t snapshot_chunks_max = 4;  // unanswered chunks, a peer
};

// Inputs.

struct TimerFired {  // Output::wake_at has come (or not: then nothing happens)
  // The log or the state machine has got nothing done for long. Others can do better: this replica
  // gives up leadership, for its heartbeats must not vouch for a dead disk, and does not ask for
  // it, for its own vote would never count.
  bool disk_stalled = false;
  // A heartbeat that is due within this time is sent already: others leave now for the same nodes.
  Duration early{0};
};
struct Received {  // has passed Validate
  NodeId from;
  Message message;
};
struct Propose {
  RequestId id;
  Bytes command;
  EntryKind kind = EntryKind::kCommand;
  bool adds_data = false;  // refused where disks are low on space
};
struct RoomChanged {  // on this node's disk
  Room room;
};
struct ReadBarrier {  // a linearizable read wants to know which state it may be answered from
                      // (thesis §6.4)
  RequestId id;
  bool forward = false;  // who does not lead asks its leader; otherwise it refuses
};
struct TransferLeadership {  // thesis §3.10. `to` none: the most up-to-date follower
  NodeId to;
};
struct ChangeMembership {  // thesis §4, by joint consensus; accepted like a proposal
  RequestId id;
  Index expected;                     // the id of the configuration that is to be replaced
  std::vector<WantedMember> members;  // all of them
};
struct Persisted {  // durable up to and including this batch
  PersistSeq through;
};
struct PeerUnreachable {  // a hint: what was sent to it is probably lost, and if it leads, it may
                          // lead no more
  NodeId peer;
};
struct Compact {  // the state machine's table is durable through here: the log may be dropped up to
                  // it
  Index through;
};
struct SnapshotChunkRead {  // answers Output::SnapshotRead
  NodeId peer;
  LogPosition snapshot;
  uint64_t offset = 0;
  Bytes data;
  bool last = false;
  bool gone = false;         // begin anew
  uint64_t tag = 0;          // of the SnapshotRead that it answers
  Bytes configuration = {};  // as of `snapshot`, encoded; empty: that of the group's beginning
};
struct SnapshotChunkWritten {  // answers Output::SnapshotWrite
  LogPosition snapshot;
  uint64_t next_offset = 0;
  bool complete = false;     // the table is durably at or past `snapshot`
  LogPosition applied;       // the table's position
  Bytes configuration = {};  // as of `applied`, encoded; empty: that of the group's beginning
};
using Input = std::variant<TimerFired, Received, Propose, ReadBarrier, TransferLeadership,
                           ChangeMembership, RoomChanged, Persisted, PeerUnreachable, Compact,
                           SnapshotChunkRead, SnapshotChunkWritten>;

// Outputs.

// A message and the write that must be durable before it may leave. Sequence 0: at once.
struct Outgoing {
  NodeId to;
  Message message;
  PersistSeq after;
};

struct Accepted {  // a proposal is in the leader's log at `position`; it is committed iff that
                   // entry is
  RequestId id;
  LogPosition position;
};
enum class RefusedWhy : uint8_t {
  kNotLeader,       // definitely not executed
  kTailFull,        // definitely not executed: uncommitted_bytes_max is reached
  kLogFull,         // definitely not executed: log_bytes_max is reached
  kNoSpace,         // definitely not executed: the leader's disk is low on space
  kNoSpaceInGroup,  // definitely not executed: the disks of too many others are
  kReadsFull,       // definitely not answered: pending_reads_max is reached
  kTransferring,    // definitely not executed: leadership is being handed over
  kLeadershipLost,  // a read that was waiting: definitely not answered
  // Changes of membership, definitely not executed:
  kNoEntryOfTerm,       // this leader does not know yet what is committed (Ongaro 2015)
  kConfigurationMoved,  // another configuration is in force than the one that was expected
  kChangePending,       // another change is under way
  kSameMembers,         // there is nothing to change
  kUnsafe,              // too few of the voters to be have been heard lately
  kOtherIncarnation,    // a member's data are not those that the wish names: it needs a new id
};
struct Refused {
  RequestId id;
  RefusedWhy why;
};
struct ReadReady {  // answer from a state at or after `at`
  RequestId id;
  Index at;
};
enum class Role : uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };
struct RoleChange {
  Role role;
  Term term;
  NodeId leader;  // none: not known
};
struct SnapshotRead {  // read a part of a snapshot to send to `peer`; without `snapshot`: take a
                       // new one
  NodeId peer;
  std::optional<LogPosition> snapshot;
  uint64_t offset = 0;
  uint64_t bytes_max = 0;
  uint64_t tag = 0;
};
struct SnapshotWrite {  // stage a part of a snapshot that arrived
  LogPosition snapshot;
  uint64_t offset = 0;
  Bytes data;
  bool last = false;
  Bytes configuration = {};  // as of `snapshot`, encoded
};

// A note for the journal that owns the entry it is about.
struct LoggedNote {
  Note note;  // its group and entry pointer are filled in by the node
  std::optional<Entry> entry;
};

// Steps only add to it; the node takes what is there at the end of a turn. What must be written is
// not here but in the replica's open batch (Raft::TakeBatch), which grows while an earlier one is
// being written.
struct Output {
  bool notes_wanted = false;  // somebody listens to the journal
  bool log_full = false;      // an entry had no room: compact what can be, however little it is
  std::vector<LoggedNote> notes;
  std::vector<Outgoing> send;
  std::vector<Accepted> accepted;
  std::vector<Refused> refused;
  std::vector<ReadReady> reads;
  std::vector<RoleChange> roles;
  std::vector<SnapshotRead> snapshot_reads;
  std::vector<SnapshotWrite> snapshot_writes;
  std::vector<NodeId> snapshot_closes;  // nothing more will be read for this peer

  // Forgets everything but notes_wanted; keeps the memory for the next turn.
  void Clear();
};

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_IO_H_
