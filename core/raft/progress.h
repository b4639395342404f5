// One follower as its leader sees it (a term long).
//
// kProbe: where its log agrees with ours is not known; one message at a time until it answers.
// kReplicate: known; messages are pipelined within a window of messages and bytes.
// kSnapshot: it needs entries that our log has forgotten; parts of a snapshot are on their way.
#ifndef LOCKSTEP_CORE_RAFT_PROGRESS_H_
#define LOCKSTEP_CORE_RAFT_PROGRESS_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "core/base/types.h"
#include "core/raft/messages.h"
#include "core/runtime/log.h"

namespace lockstep::raft {

// The unanswered AppendRequests with entries, oldest first.
class InflightWindow {
 public:
  void Add(Index last, uint64_t bytes) {
    messages_.push_back({last, bytes});
    bytes_ += bytes;
  }
  // The follower has everything up to `match`.
  void FreeThrough(Index match) {
    while (!messages_.empty() && messages_.front().last <= match) {
      bytes_ -= messages_.front().bytes;
      messages_.pop_front();
    }
  }
  void Clear() {
    messages_.clear();
    bytes_ = 0;
  }
  bool empty() const { return messages_.empty(); }
  uint64_t messages() const { return messages_.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Sent {
    Index last;
    uint64_t bytes;
  };
  std::deque<Sent> messages_;
  uint64_t bytes_ = 0;
};

// A snapshot on its way to one follower.
// Invariant: acked_offset <= read_offset; at most one read is under way.
struct SnapshotTransfer {
  std::optional<LogPosition> snapshot;  // none until the first part has been read
  uint64_t acked_offset = 0;            // the follower has staged everything before it
  uint64_t read_offset = 0;             // the next part to read begins here
  std::deque<uint64_t> unacked_ends;    // where each part sent and not yet acknowledged ends
  uint64_t reading = 0;                 // the tag of the read under way; 0: none
  bool all_read = false;                // the last part was sent
  bool resent = false;                  // a gap was reported at acked_offset and has been answered
  bool resending = false;               // nothing was heard for long: an older offset is news now
  Instant heard;                        // the last news, or the last resend
};

struct Progress {
  enum class State : uint8_t { kProbe, kReplicate, kSnapshot };

  State state = State::kProbe;
  Index match;              // the follower's log equals ours durably up to here. Never decreases
  Index next;               // the next entry to send. Invariant: match < next
  bool probe_sent = false;  // kProbe: wait for an answer or for the next heartbeat
  bool ack_since_tick = false;  // something was acknowledged since the last heartbeat
  ReadSeq read_confirmed;       // it confirmed our leadership for read barriers up to here
  Instant contact;              // when it was last heard in this term
  Room room = Room::kAmple;     // on its disk, as it said last
  InflightWindow inflight;      // kReplicate
  SnapshotTransfer transfer;    // kSnapshot
  // Until then, by the leader's clock, what it promised holds; the beginning of time: nothing does.
  Instant promised_until;

  // Catching up goes by rounds (thesis §4.2.1): in each the follower gets what the log held when it
  // began. Who needs less than an election time-out for one is close behind.
  Index round_end;  // none: no round is under way
  Instant round_since;
  bool round_was_short = false;  // the last one that ended

  void BeginRound(Index last, Instant now) {
    round_end = match < last ? last : Index();
    round_since = now;
  }
  // `match` has grown; the log ends at `last`.
  void NoteRound(Index last, Duration short_max, Instant now) {
    if (match < round_end) return;
    if (round_end != Index()) round_was_short = now <= round_since + short_max;
    BeginRound(last, now);
  }
  bool IsCaughtUp(Index last, Duration short_max, Instant now) const {
    const bool overdue = round_end != Index() && now > round_since + short_max;
    const bool close = match == last || (round_was_short && !overdue);
    return close && now < contact + short_max;
  }

  void BecomeProbe(Index from) {
    state = State::kProbe;
    next = from;
    probe_sent = false;
    inflight.Clear();
  }
  void BecomeReplicate() {
    state = State::kReplicate;
    next = match.Next();
    inflight.Clear();
  }
  void BecomeSnapshot(Instant now) {
    state = State::kSnapshot;
    inflight.Clear();
    transfer = SnapshotTransfer{};
    transfer.heard = now;
  }
};

}  // namespace lockstep::raft

#endif  // LOCKSTEP_CORE_RAFT_PROGRESS_H_
