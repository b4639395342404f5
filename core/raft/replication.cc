// The leader's side of log replication: Raft §5.3, commit rule §5.4.2, pipelining and parallel
// append (thesis §10.2), CheckQuorum (thesis §6.2).
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

const Leader::Peer* Raft::FindPeer(NodeId id) const {
  const Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return nullptr;
  for (const Leader::Peer& peer : leader->peers) {
    if (peer.id == id) return &peer;
  }
  return nullptr;
}

Leader::Peer* Raft::FindPeer(NodeId id) {
  return const_cast<Leader::Peer*>(std::as_const(*this).FindPeer(id));
}

// Once a heartbeat interval: proves leadership, renews what may have been lost, and gives up
// leadership when its disk is stalled or a quorum has been silent.
void Raft::OnHeartbeatDue(Output& out) {
  if (QuorumIsSilent() || disk_stalled_) {
    BecomeFollower(hard_.term, NodeId(), out);
    return;
  }
  Leader& leader = std::get<Leader>(role_);
  leader.heartbeat_at = now_ + config_.heartbeat;
  if (leader.transfer.has_value() && now_ >= leader.transfer->deadline) leader.transfer.reset();
  if (leader.transfer.has_value()) leader.transfer->told = false;
  HandOverForSpace(out);
  HandOverForSlowDisk(out);
  // So that the answers tell which of them is meant.
  if (config_.lease) leader.read_seq = leader.read_seq.Next();
  RememberRound();
  for (Leader::Peer& peer : leader.peers) {
    Progress& progress = peer.progress;
    if (progress.state == Progress::State::kProbe) progress.probe_sent = false;
    if (progress.state == Progress::State::kSnapshot) RestartStalledTransfer(peer, out);
    // Unanswered for a whole interval: an append without entries behind them all finds out cheaply
    // whether they arrived. If they did not, it is refused, and we probe.
    const bool stalled = progress.state == Progress::State::kReplicate &&
                         !progress.ack_since_tick && progress.match < log_.last_index();
    if (stalled) SendAppend(peer, /*with_entries=*/false, out);
    progress.ack_since_tick = false;
    SendHeartbeat(peer, out);
  }
}

// CheckQuorum: no majority was heard for the shortest election timeout. Others may have elected a
// leader.
bool Raft::QuorumIsSilent() const { return now_ >= QuorumHeard(now_) + config_.election_min; }

// When a majority had last been heard, this replica counting as heard at `now`.
Instant Raft::QuorumHeard(Instant now) const {
  const uint64_t heard = membership().AgreedValue([&](NodeId voter) {
    const Leader::Peer* peer = FindPeer(voter);
    if (peer == nullptr) CheckEq(voter, config_.self);
    const Instant contact = peer == nullptr ? now : peer->progress.contact;
    return static_cast<uint64_t>(contact.time_since_epoch().count());
  });
  return Instant(Duration(static_cast<int64_t>(heard)));
}

Duration Raft::QuorumContactAge(Instant now) const {
  if (is_leader()) return now - QuorumHeard(now);
  const Follower* follower = std::get_if<Follower>(&role_);
  const bool follows = follower != nullptr && follower->leader != NodeId();
  return now - (follows ? follower->heard : leaderless_since_);
}

void Raft::SendHeartbeat(Leader::Peer& peer, Output& out) {
  // Never beyond what the follower is known to hold: it may take the number at its word.
  const Index commit = std::min(commit_, peer.progress.match);
  const ReadSeq read_seq = std::get<Leader>(role_).read_seq;
  Send(peer.id, Heartbeat{.commit = commit, .read_seq = read_seq}, PersistSeq(), out);
}

// Sends what the follower's state and window permit.
void Raft::SendAppends(Leader::Peer& peer, Output& out) {
  Progress& progress = peer.progress;
  if (progress.state == Progress::State::kProbe) {
    if (!progress.probe_sent) SendAppend(peer, /*with_entries=*/true, out);
    return;
  }
  while (progress.state == Progress::State::kReplicate && progress.next <= log_.last_index()) {
    if (progress.inflight.messages() >= config_.inflight_messages_max) return;
    if (progress.inflight.bytes() >= config_.inflight_bytes_max) return;
    SendAppend(peer, /*with_entries=*/true, out);
  }
}

void Raft::SendAppend(Leader::Peer& peer, bool with_entries, Output& out) {
  Progress& progress = peer.progress;
  const Index prev = progress.next.Previous();
  const std::optional<Term> prev_term = log_.TermAt(prev);
  if (!prev_term.has_value()) {  // Forgotten: only a snapshot helps (Raft §7).
    progress.BecomeSnapshot(now_);
    return ReadNextChunk(peer, out);
  }
  AppendRequest request;
  request.prev = LogPosition{prev, *prev_term};
  request.commit = commit_;
  request.read_seq = std::get<Leader>(role_).read_seq;
  if (with_entries) {
    request.entries = log_.Slice(progress.next, log_.last_index(), config_.append_entries_max,
                                 config_.append_bytes_max);
  }
  if (progress.state == Progress::State::kProbe) progress.probe_sent = true;
  if (progress.state == Progress::State::kReplicate && !request.entries.empty()) {
    uint64_t bytes = 0;
    for (const Entry& entry : request.entries) bytes += CostOf(entry);
    progress.next = request.entries.back().index.Next();
    progress.inflight.Add(request.entries.back().index, bytes);
  }
  // Parallel append (thesis §10.2.1): our own fsync of these entries may still be under way.
  Send(peer.id, std::move(request), PersistSeq(), out);
}

void Raft::NoteContact(NodeId from) {
  Leader::Peer* peer = FindPeer(from);
  if (peer != nullptr) peer->progress.contact = now_;
}

// The follower durably holds our log up to `match`.
void Raft::Acknowledge(Leader::Peer& peer, Index match, Output& out) {
  Progress& progress = peer.progress;
  const bool news = match > progress.match;
  if (news) {
    progress.match = match;
    progress.ack_since_tick = true;
    progress.NoteRound(log_.last_index(), config_.election_min, now_);
    AdvanceCommit(out);
  }
  progress.next = std::max(progress.next, progress.match.Next());
  progress.inflight.FreeThrough(progress.match);
  // A follower whose log is full agrees, and takes nothing: it is probed again at the next
  // heartbeat. To send it a whole window, which it refuses, and then to probe it for that, would
  // never end; and a late answer to each would begin another such round.
  const bool took_all = progress.next > log_.last_index();
  if (progress.state == Progress::State::kProbe && (news || took_all)) progress.BecomeReplicate();
}

void Raft::OnMessage(NodeId from, const AppendAccepted& reply, Output& out) {
  NoteContact(from);
  Leader::Peer* peer = FindPeer(from);
  if (peer == nullptr) return;
  ConfirmReads(*peer, reply.read_seq, out);
  CheckLe(reply.match, log_.last_index());  // In our term it can only hold what we sent.
  if (peer->progress.state == Progress::State::kSnapshot) {
    // An append that was on its way before the snapshot began may have closed the gap after all.
    if (reply.match < log_.base().index) return;
    out.snapshot_closes.push_back(from);
    peer->progress.BecomeProbe(std::max(peer->progress.match, reply.match).Next());
  }
  Acknowledge(*peer, reply.match, out);
}

void Raft::OnMessage(NodeId from, const AppendRejected& reply, Output& out) {
  NoteContact(from);
  Leader::Peer* peer = FindPeer(from);
  if (peer == nullptr) return;
  ConfirmReads(*peer, reply.read_seq, out);
  Progress& progress = peer->progress;
  if (progress.state == Progress::State::kSnapshot) return;
  if (reply.rejected <= progress.match) return;  // Stale: it has matched beyond since.
  if (progress.state == Progress::State::kProbe && reply.rejected.Next() != progress.next)
    return;  // Stale.
  // Raft §5.3, "the protocol can be optimized": skip the whole conflicting term.
  Index next = reply.hint.index;
  if (reply.hint.term != Term()) {
    const std::optional<Index> last = log_.LastIndexOfTerm(reply.hint.term, reply.rejected);
    if (last.has_value()) next = last->Next();
  }
  next = std::min(next, reply.rejected);
  progress.BecomeProbe(std::max(next, progress.match.Next()));
}

void Raft::OnMessage(NodeId from, const HeartbeatReply& reply, Output& out) {
  NoteContact(from);
  Leader::Peer* peer = FindPeer(from);
  if (peer == nullptr) return;
  peer->progress.room = reply.room;
  CountPromise(*peer, reply);
  ConfirmReads(*peer, reply.read_seq, out);
}

// Raft §5.4.2: only entries of the own term commit by counting; older ones commit with them.
void Raft::AdvanceCommit(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  const uint64_t agreed = membership().AgreedValue([&](NodeId voter) {
    const Leader::Peer* peer = FindPeer(voter);
    if (peer != nullptr) return peer->progress.match.value();
    CheckEq(voter, config_.self);
    return durable_.index().value();  // Ours counts when it is durable, like everybody's.
  });
  const Index index(agreed);
  if (index <= commit_ || log_.TermAt(index) != hard_.term) return;
  for (Index i = commit_.Next(); i <= index; i = i.Next())
    leader.uncommitted_bytes -= CostOf(log_.At(i));
  CommitTo(index, out);
  if (!leader.reads.empty()) ReleaseReads(out);
}

}  // namespace lockstep::raft
