// The structured trace of what a process decided. Free when nobody listens: callers ask first.
// The simulator's checkers and its readable trace both read it; production can record it.
#ifndef LOCKSTEP_CORE_RUNTIME_JOURNAL_H_
#define LOCKSTEP_CORE_RUNTIME_JOURNAL_H_

#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep {

// Each kind says which fields of Note it uses.
enum class NoteKind : uint8_t {
  // At boot, before anything else: what the disk held. term/peer: hard state (peer is the vote);
  // position: the log's base; number: the table's applied index; doubt: HardState::doubt.
  kBooted,
  // position, entry: an entry found in the log at boot (after kBooted, in order).
  kBootEntry,
  // term, peer (the vote): the replica's hard state changed in memory; not durable yet.
  kHardState,
  // position, entry: appended in memory.
  kAppended,
  // position.index: this index and all after it were forgotten. peer: the leader that caused it.
  kTruncated,
  // position: the log now begins after it. number: 1 if an installed snapshot replaced it.
  kBaseMoved,
  // term: became leader; position: its last log entry at that moment; number: the id of the
  // configuration in force.
  kBecameLeader,
  kBecameFollower,      // term; peer: the leader if known
  kBecameCandidate,     // term
  kBecamePreCandidate,  // term (its own, not the one it asks for)
  // position.index: committed through here.
  kCommitted,
  // A durable promise leaves the node. term, peer (candidate).
  kVoteGranted,
  // A durable promise leaves the node. term, peer (the leader), position.index: the match.
  kAppendAcked,
  // position (the log's end): the log has got back what it had lost. Not durable yet.
  kTrusted,
  // position, entry: the table applied it. number: hash of the reply; reply.
  kApplied,
  // position: a snapshot was installed and is durable. number: the id of the configuration then in
  // force.
  kSnapshotInstalled,
  kSnapshotSent,     // peer, position: the last part left the leader
  kSnapshotResumed,  // peer, position, number: offset that it went on from
  kTransferStarted,  // peer
  // term; number: until when, in ns by this node's clock, the leader holds a lease; 0: it holds
  // none.
  kLease,
  // A client's request was answered. number: RequestId; position.index: the index answered at, if
  // any.
  kReplied,
  // A message from outside failed validation and was dropped. number: its size.
  kMalformed,
};

// One decision.
struct Note {
  NoteKind kind;  // decides what the other fields mean
  GroupId group;
  Term term;
  NodeId peer;
  LogPosition position;
  uint64_t number = 0;           // by kind
  const Entry* entry = nullptr;  // valid during the call only
  const Bytes* reply = nullptr;  // likewise
  Term doubt = {};  // kBooted: what was promised in terms up to this may be lost; none: nothing is
};

// Who listens to decisions.
class Journal {
 public:
  virtual ~Journal() = default;
  // False: a caller may save itself the making of notes.
  virtual bool listening() const = 0;
  // Called in the order of decisions; never calls back.
  virtual void Record(const Note& note) = 0;
};

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_RUNTIME_JOURNAL_H_
