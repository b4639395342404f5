// What the replicas of one group say to each other, as values. core/proto/peer.proto is the same on
// the wire; codec.h converts. Every message also carries its sender's current term (Message::term).
#ifndef LOCKSTEP_CORE_RAFT_MESSAGES_H_
#define LOCKSTEP_CORE_RAFT_MESSAGES_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/bytes.h"
#include "core/base/types.h"
#include "core/runtime/log.h"

namespace lockstep::raft {

// How much space a node's disk has left (docs/decisions/0019). Greater is worse.
enum class Room : uint8_t {
  kAmple,
  kLow,   // below the soft limit: no more data from clients
  kNone,  // below the hard limit: only what elections and changes of membership need
};

absl::string_view Name(Room room);  // "ample", "low", "none"

// Would you vote for me in `next_term`? Changes nobody's term (thesis §9.6).
struct PreVoteRequest {
  Term next_term;
  LogPosition last;
};
struct PreVoteReply {
  Term next_term;  // of the request it answers
  bool granted = false;
};

// RequestVote (Raft Fig. 2), in the sender's term.
struct VoteRequest {
  LogPosition last;
  bool transfer =
      false;  // the leader asked for this election (thesis §3.10): stickiness does not apply
};
struct VoteReply {
  bool granted = false;
};

// AppendEntries (Raft Fig. 2). entries[i] has index prev.index + 1 + i.
struct AppendRequest {
  LogPosition prev;
  Index commit;
  ReadSeq read_seq;  // the leader's newest read barrier; a reply echoes it
  std::vector<Entry> entries;
};
struct AppendAccepted {
  Index match;  // the log equals the leader's up to here, durably
  ReadSeq read_seq;
};
struct AppendRejected {
  Index rejected;  // the request's prev.index
  // Where the leader may look next (Raft §5.3): if this log has an entry at `rejected`, its term
  // and the first index of that term here; otherwise the position after this log's end, with no
  // term.
  LogPosition hint;
  ReadSeq read_seq;
};

// Keeps leadership, moves the commit index and confirms reads. Carries no entries.
struct Heartbeat {
  Index commit;
  ReadSeq read_seq;
};
struct HeartbeatReply {
  ReadSeq read_seq;
  Room room = Room::kAmple;  // on the sender's disk
  // From when it received the heartbeat on, the sender replaces this leader for so long, by
  // anybody's clock, only if the leader asks for it; zero: it promises nothing.
  Duration promise{0};
};

// A part of the sender's snapshot (Raft §7); the data is the state machine's, opaque here.
struct SnapshotChunk {
  LogPosition snapshot;
  uint64_t offset = 0;
  Bytes data;
  bool last = false;
  Bytes configuration = {};  // the group's as of `snapshot`, encoded; empty: that of its beginning
};
struct SnapshotReply {
  LogPosition snapshot;
  uint64_t next_offset = 0;  // all before it is staged
  bool complete = false;     // the follower is durably at or past the snapshot
};

// Start an election at once (thesis §3.10).
struct TimeoutNow {};

// A follower's linearizable reads: from which state on may they be answered (thesis §6.4)?
struct ReadIndexRequest {
  ReadSeq seq;  // the follower's own, never used before nor by an earlier life of it
};
struct ReadIndexReply {
  ReadSeq seq;  // of the request that it answers
  Index index;  // what it tells was committed after that had come
};

using Body = std::variant<PreVoteRequest, PreVoteReply, VoteRequest, VoteReply, AppendRequest,
                          AppendAccepted, AppendRejected, Heartbeat, HeartbeatReply, SnapshotChunk,
                          SnapshotReply, TimeoutNow, ReadIndexRequest, ReadIndexReply>;

struct Message {
  Term term;  // the sender's current term
  Body body;
  // The sender's. Where the group's configuration knows another one for it, the sender has lost its
  // data and must not pass for what it was; none: not known.
  IncarnationId incarnation = {};
};

// One stable line, for scripts, traces and failures.
std::string Describe(const Message& message);
std::string Describe(const Entry& entry);
std::string Describe(LogPosition position);

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_MESSAGES_H_
