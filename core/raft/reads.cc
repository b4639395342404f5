// Linearizable reads without a log entry: ReadIndex (thesis §6.4).
//
// The token that confirms a read is made by the leader: a sequence number, monotone within its
// term. A round of heartbeats carries the newest one; whoever echoes it in this term had not heard
// of another leader when it answered, hence confirms all reads up to that number. Tokens are never
// the caller's ids: those may repeat.
//
// A follower, or a learner, may answer linearizable reads too: it asks its leader from which state
// on. The question has a number that no question had before; only the answer to the newest one
// counts, in the term in which it was asked and from the leader that was asked. With another
// leader, another term or another role the reads are abandoned: their callers may ask again.
#include <algorithm>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

void Raft::OnInput(const ReadBarrier& input, Output& out) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr && input.forward) return ForwardRead(input.id, out);
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
    Release(read, out);
    leader.reads.pop_front();
  }
}

void Raft::Release(const PendingRead& read, Output& out) {
  if (read.from == NodeId()) return out.reads.push_back({read.id, read.at});
  Send(read.from, ReadIndexReply{.seq = read.question, .index = read.at}, PersistSeq(), out);
}

// The leader, asked by a follower: one question of each at a time. Who asks another one has given
// the last one up.
void Raft::OnMessage(NodeId from, const ReadIndexRequest& request, Output&) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || FindPeer(from) == nullptr) return;
  const auto its = std::find_if(leader->reads.begin(), leader->reads.end(),
                                [&](const PendingRead& read) { return read.from == from; });
  if (its != leader->reads.end() && its->question == request.seq) return;
  if (its != leader->reads.end()) leader->reads.erase(its);
  leader->reads.push_back(
      {RequestId(), std::max(commit_, leader->term_start), ReadSeq(), from, request.seq});
}

// The follower.

void Raft::ForwardRead(RequestId id, Output& out) {
  Follower* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader == NodeId()) {
    return out.refused.push_back({id, RefusedWhy::kNotLeader});
  }
  if (follower->reads.size() >= config_.pending_reads_max) {
    return out.refused.push_back({id, RefusedWhy::kReadsFull});
  }
  follower->reads.push_back({id, ReadSeq()});
}

// At the end of a turn. One question at a time: the reads that arrive while it is under way share
// the next. It is asked again, at the earliest with the next heartbeat, if no answer comes.
void Raft::AskLeader(Output& out) {
  Follower* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr) return;
  ReleaseForwarded(*follower, out);
  const auto first = std::find_if(follower->reads.begin(), follower->reads.end(),
                                  [](const ForwardedRead& read) { return read.at == Index(); });
  if (first == follower->reads.end()) return;
  const bool under_way = first->asked != ReadSeq();
  if (under_way && now_ < follower->asked_at + config_.heartbeat) return;
  if (!under_way) {
    question_ = question_.Next();
    for (auto read = first; read != follower->reads.end(); ++read) read->asked = question_;
  }
  follower->asked_at = now_;
  Send(follower->leader, ReadIndexRequest{.seq = question_}, AfterHardState(), out);
}

// Released before this replica knows that it is committed, a read would wait for an index that is
// never reached if the group goes on without us (simulation seed 201848).
void Raft::ReleaseForwarded(Follower& follower, Output& out) {
  while (!follower.reads.empty()) {
    const ForwardedRead& read = follower.reads.front();
    if (read.at == Index() || read.at > commit_) return;
    out.reads.push_back({read.id, read.at});
    follower.reads.pop_front();
  }
}

void Raft::OnMessage(NodeId from, const ReadIndexReply& reply, Output&) {
  Follower* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != from || reply.seq != question_) return;
  for (ForwardedRead& read : follower->reads) {
    if (read.asked == question_ && read.at == Index()) read.at = reply.index;
  }
}

// Whoever was asked leads no more, as far as we know, or we follow nobody.
void Raft::AbandonReads(Output& out) {
  Follower* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr) return;
  for (const ForwardedRead& read : follower->reads) {
    out.refused.push_back({read.id, RefusedWhy::kLeadershipLost});
  }
  follower->reads.clear();
}

}  // namespace lockstep::raft
