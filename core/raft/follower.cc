// The follower's side of log replication: Raft §5.3.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

void Raft::OnMessage(NodeId from, AppendRequest& request, Output& out) {
  HearLeader(from, out);
  std::vector<Entry>& entries = request.entries;
  const Index match = request.prev.index.Plus(entries.size());
  if (match < commit_) {
    // Stale. What is committed here is in the leader's log too (Leader Completeness), so we can say
    // so.
    return Send(from, AppendAccepted{.match = commit_, .read_seq = request.read_seq}, AfterAll(),
                out);
  }
  LogPosition prev = request.prev;
  if (prev.index < commit_) {
    // The log may have forgotten `prev`; what is committed needs no comparison.
    entries.erase(entries.begin(),
                  entries.begin() + static_cast<std::ptrdiff_t>(commit_.Since(prev.index)));
    prev = LogPosition{commit_, *log_.TermAt(commit_)};
  }
  if (!log_.Matches(prev)) return RejectAppend(from, prev.index, request.read_seq, out);

  Adopt(entries, from, out);
  EndDoubtIfOver(out);
  // Only up to here is our log known to be the leader's; beyond may lie a dead leader's tail.
  const Index held = std::min(match, log_.last_index());
  CommitTo(std::min(request.commit, held), out);
  // A promise of durability: it waits for the disk.
  Send(from, AppendAccepted{.match = held, .read_seq = request.read_seq}, AfterAll(), out);
}

// Takes over what is new, and stops when the log is full: the leader will come again.
void Raft::Adopt(std::vector<Entry>& entries, NodeId leader, Output& out) {
  for (Entry& entry : entries) {
    const std::optional<Term> held = log_.TermAt(entry.index);
    if (held == entry.term)
      continue;  // A duplicate, or a stale message: never truncates (Raft §5.3).
    if (TakesNoMore(entry) && !held.has_value()) return;
    // Full: compaction will make room, if there is something committed to compact. Otherwise the
    // tail must grow, or a log full of an old term's entries could never take the no-op that they
    // need to be committed (Raft §5.4.2). The leader bounds what is not committed.
    const bool full = log_.bytes() + CostOf(entry) > config_.log_bytes_max;
    if (full && log_.base().index < commit_ && !held.has_value()) {
      out.log_full = true;
      return;
    }
    // Raft Fig. 2: "If an existing entry conflicts with a new one (same index but different terms),
    // delete the existing entry and all that follow it."
    if (held.has_value()) TruncateFrom(entry.index, leader, out);
    AppendEntry(std::move(entry), out);
  }
}

void Raft::RejectAppend(NodeId from, Index rejected, ReadSeq read_seq, Output& out) {
  AppendRejected reply{.rejected = rejected,
                       .hint = LogPosition{log_.last_index().Next(), Term()},
                       .read_seq = read_seq};
  if (rejected <= log_.last_index()) {
    reply.hint = LogPosition{log_.FirstIndexOfTermAt(rejected), log_.At(rejected).term};
  }
  Send(from, std::move(reply), AfterHardState(), out);
}

void Raft::OnMessage(NodeId from, const Heartbeat& heartbeat, Output& out) {
  HearLeader(from, out);
  // The leader names no commit index beyond what we acknowledged to it, durably, in this term.
  CheckLe(heartbeat.commit, std::max(log_.last_index(), commit_));
  CommitTo(heartbeat.commit, out);
  Send(from, HeartbeatReply{.read_seq = heartbeat.read_seq, .room = room_, .promise = Promise()},
       AfterHardState(), out);
}

}  // namespace lockstep::raft
