// What a replica is at the moment. Each role holds only the state that it alone needs.
#ifndef LOCKSTEP_CORE_RAFT_ROLE_H_
#define LOCKSTEP_CORE_RAFT_ROLE_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/types.h"
#include "core/raft/progress.h"
#include "core/raft/quorum.h"

namespace lockstep::raft {

// Who voted how: at most one vote a node, the first one counts.
class Ballots {
 public:
  void Cast(NodeId voter, Vote vote) {
    if (Of(voter) == Vote::kMissing) votes_.push_back({voter, vote});
  }
  Vote Of(NodeId voter) const {
    for (const Ballot& ballot : votes_) {
      if (ballot.voter == voter) return ballot.vote;
    }
    return Vote::kMissing;
  }

 private:
  struct Ballot {
    NodeId voter;
    Vote vote;
  };
  std::vector<Ballot> votes_;
};

// A read at a follower that waits for what its leader says.
struct ForwardedRead {
  RequestId id;
  ReadSeq asked;  // with which question; none: it has not been asked yet
  Index at = {};  // the answer; none: there is none yet
};

struct Follower {
  NodeId leader;  // of this term; none: not known
  Instant heard;  // when the leader was last heard; meaningful when it is known
  std::deque<ForwardedRead> reads = {};  // those with an answer first, then those that are asked
  Instant asked_at = {};                 // when the question was sent last
};

struct PreCandidate {  // asks whether an election would be won, in the term after its own
  Ballots ballots;
};

struct Candidate {
  Ballots ballots;  // its own is cast when it is durable
};

// A read that waits until leadership is confirmed for its sequence number.
struct PendingRead {
  RequestId id;
  Index at;     // answer from this state or a later one
  ReadSeq seq;  // none: not part of a round yet
  // Instead of `id`: whose question this is, and its number; none: our own client's read.
  NodeId from = {};
  ReadSeq question = {};
};

// A round of heartbeats, or all that begin with it: whoever echoes its number had heard this leader
// after `sent`.
struct LeaseRound {
  ReadSeq seq;
  Instant sent;
};

struct Transfer {
  NodeId to;
  Instant deadline;
  bool told = false;  // TimeoutNow was sent
};

struct Leader {
  struct Peer {
    NodeId id;
    Progress progress;
  };
  // Everybody but itself, ascending. Who is removed stays until that is committed, to hear of it.
  std::vector<Peer> peers;
  Index term_start;      // its no-op
  Instant heartbeat_at;  // the next one is due
  uint64_t uncommitted_bytes = 0;
  ReadSeq read_seq;               // the newest read round
  std::deque<PendingRead> reads;  // ascending (seq, arrival); those without a round last
  std::optional<Transfer> transfer;
  Index committed_at_beat;              // what was committed at the last heartbeat
  uint32_t late_beats = 0;              // transfer.cc, slow disks
  std::deque<LeaseRound> lease_rounds;  // ascending; at most kLeaseRoundsMax
  bool lease_given_up = false;          // for the rest of the term
  Instant lease_noted;                  // what the journal knows of its end
};

using RoleState = std::variant<Follower, PreCandidate, Candidate, Leader>;

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_ROLE_H_
