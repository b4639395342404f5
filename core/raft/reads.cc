// Linearizable reads without a log entry: ReadIndex (thesis §6.4).
//
// The token that confirms a read is made by the leader: a sequence number, monotone within its
// term. A round of heartbeats carries the newest one; whoever echoes it in this term had not heard
// of another leader when it answered, hence confirms all reads up to that number. Tokens are never
// the caller's ids: those may repeat.
#include <algorithm>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

void Raft::OnInput(const ReadBarrier& input, Output& out) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return out.refused.push_back({input.id, RefusedWhy::kNotLeader});
  if (leader->reads.size() >= config_.pending_reads_max) {
    return out.refused.push_back({input.id, RefusedWhy::kReadsFull});
  }
  // Until its no-op commits a leader does not know what is committed (thesis §6.4, step 1).
  leader->reads.push_back({input.id, std::max(commit_, leader->term_start), ReadSeq()});
}

// One round at a time: the reads that arrive while it is under way share the next. What a lost
// heartbeat delays, the next regular one repeats.
void Raft::StartReadRound(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  if (leader.reads.empty() || leader.reads.back().seq != ReadSeq()) return;
  if (HoldsLease()) return ReleaseByLease(out);
  if (leader.reads.front().seq != ReadSeq()) return;  // A round is under way.
  leader.read_seq = leader.read_seq.Next();
  for (PendingRead& read : leader.reads) read.seq = leader.read_seq;
  RememberRound();
  for (Leader::Peer& peer : leader.peers) SendHeartbeat(peer, out);
  ReleaseReads(out);  // A group of one needs nobody's confirmation.
}

void Raft::ConfirmReads(Leader::Peer& peer, ReadSeq seq, Output& out) {
  if (seq <= peer.progress.read_confirmed) return;
  CheckLe(seq, std::get<Leader>(role_).read_seq);
  peer.progress.read_confirmed = seq;
  ReleaseReads(out);
}

void Raft::ReleaseReads(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  const uint64_t confirmed = membership().AgreedValue([&](NodeId voter) {
    const Leader::Peer* peer = FindPeer(voter);
    if (peer != nullptr) return peer->progress.read_confirmed.value();
    CheckEq(voter, config_.self);
    return leader.read_seq.value();
  });
  while (!leader.reads.empty()) {
    const PendingRead& read = leader.reads.front();
    if (read.seq == ReadSeq() || read.seq > ReadSeq(confirmed)) return;
    // The no-op may still be replaced by another leader's entry. Released before it is committed,
    // the read would then wait for an index that may never be reached.
    if (read.at > commit_) return;
    out.reads.push_back({read.id, read.at});
    leader.reads.pop_front();
  }
}

}  // namespace lockstep::raft
