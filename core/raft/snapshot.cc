// Log compaction and snapshots: Raft §7. The leader streams its table in parts to a follower whose
// next entry is forgotten; parts are numbered by offset, acknowledged when staged, and sent again
// from the last acknowledged offset when nothing is heard. The follower switches to the new table
// when the last part is in place, and only a durable switch is acknowledged as complete.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

// Compaction.

// A follower that receives a snapshot needs the entries after it; without them it would need the
// next one.
Index Raft::CompactionLimit(Index through) const {
  const Leader* leader = leader_state();
  if (leader == nullptr || log_.bytes() > config_.log_bytes_max / 2) return through;
  for (const Leader::Peer& peer : leader->peers) {
    const SnapshotTransfer& transfer = peer.progress.transfer;
    const bool alive = now_ < peer.progress.contact + config_.election_max;
    if (peer.progress.state != Progress::State::kSnapshot || !alive) continue;
    if (transfer.snapshot.has_value()) through = std::min(through, transfer.snapshot->index);
  }
  return through;
}

// The leader.

void Raft::ReadNextChunk(Leader::Peer& peer, Output& out) {
  SnapshotTransfer& transfer = peer.progress.transfer;
  if (transfer.reading != 0 || transfer.all_read) return;
  if (transfer.unacked_ends.size() >= config_.snapshot_chunks_max) return;
  transfer.reading = ++snapshot_read_tag_;
  out.snapshot_reads.push_back({peer.id, transfer.snapshot, transfer.read_offset,
                                config_.snapshot_chunk_bytes_max, transfer.reading});
}

void Raft::OnInput(SnapshotChunkRead& input, Output& out) {
  Leader::Peer* peer = FindPeer(input.peer);
  if (peer == nullptr || peer->progress.state != Progress::State::kSnapshot) return;
  SnapshotTransfer& transfer = peer->progress.transfer;
  if (input.tag != transfer.reading) return;  // Late: it has begun anew or gone back since.
  transfer.reading = 0;
  if (input.gone) {
    peer->progress.BecomeSnapshot(now_);
    return ReadNextChunk(*peer, out);
  }
  CheckEq(input.offset, transfer.read_offset);
  transfer.snapshot = input.snapshot;
  transfer.read_offset += input.data.size();
  transfer.unacked_ends.push_back(transfer.read_offset);
  transfer.all_read = input.last;
  if (input.last)
    AddNote(NoteKind::kSnapshotSent, peer->id, input.snapshot, transfer.read_offset, out);
  SnapshotChunk chunk{.snapshot = input.snapshot,
                      .offset = input.offset,
                      .data = std::move(input.data),
                      .last = input.last,
                      .configuration = std::move(input.configuration)};
  Send(peer->id, std::move(chunk), PersistSeq(), out);
  ReadNextChunk(*peer, out);
}

void Raft::OnMessage(NodeId from, const SnapshotReply& reply, Output& out) {
  NoteContact(from);
  Leader::Peer* peer = FindPeer(from);
  if (peer == nullptr || peer->progress.state != Progress::State::kSnapshot) return;
  SnapshotTransfer& transfer = peer->progress.transfer;
  if (reply.snapshot != transfer.snapshot) return;
  if (reply.complete) {
    out.snapshot_closes.push_back(from);
    peer->progress.BecomeProbe(peer->progress.match.Next());
    return Acknowledge(*peer, std::max(reply.snapshot.index, peer->progress.match), out);
  }
  if (reply.next_offset > transfer.acked_offset) {
    transfer.acked_offset = reply.next_offset;
    transfer.heard = now_;
    transfer.resent = false;
    transfer.resending = false;
    while (!transfer.unacked_ends.empty() &&
           transfer.unacked_ends.front() <= transfer.acked_offset) {
      transfer.unacked_ends.pop_front();
    }
    // It holds more than we sent: another leader began. Equal positions have equal streams, so we
    // go on there; our window might never reach that far.
    if (transfer.acked_offset > transfer.read_offset) return ResendFromAcked(*peer, out);
    return ReadNextChunk(*peer, out);
  }
  // A part behind a gap arrived: the one at the gap is lost. Answered once an offset, so that
  // duplicates of this reply breed nothing; the timer covers the rest.
  const bool gap = reply.next_offset == transfer.acked_offset && !transfer.unacked_ends.empty();
  if (gap && !transfer.resent) {
    transfer.resent = true;
    return ResendFromAcked(*peer, out);
  }
  // It lost what it had staged: go on where it can. Only an answer to a resend says so; others are
  // stale.
  if (reply.next_offset < transfer.acked_offset && transfer.resending) {
    transfer.acked_offset = reply.next_offset;
    transfer.heard = now_;
    transfer.resending = false;
    ResendFromAcked(*peer, out);
  }
}

void Raft::ResendFromAcked(Leader::Peer& peer, Output& out) {
  SnapshotTransfer& transfer = peer.progress.transfer;
  transfer.read_offset = transfer.acked_offset;
  transfer.unacked_ends.clear();
  transfer.all_read = false;
  transfer.reading = 0;
  AddNote(NoteKind::kSnapshotResumed, peer.id, transfer.snapshot.value_or(LogPosition{}),
          transfer.acked_offset, out);
  ReadNextChunk(peer, out);
}

// Called at each heartbeat: sends again from the last acknowledged offset when nothing was heard
// for long.
void Raft::RestartStalledTransfer(Leader::Peer& peer, Output& out) {
  SnapshotTransfer& transfer = peer.progress.transfer;
  if (transfer.reading != 0 || now_ < transfer.heard + config_.election_min) return;
  transfer.heard = now_;
  transfer.resending = true;
  ResendFromAcked(peer, out);
}

// The follower.

void Raft::OnMessage(NodeId from, SnapshotChunk& chunk, Output& out) {
  HearLeader(from, out);
  if (chunk.snapshot.index <= commit_) {
    // Our own log covers it: everything up to there is the leader's, and durable after all that is
    // open.
    SnapshotReply reply{.snapshot = chunk.snapshot, .next_offset = 0, .complete = true};
    return Send(from, std::move(reply), AfterAll(), out);
  }
  if (room_ == Room::kNone) return;  // It will come again, as if it had been lost.
  // The leader's window bounds what can be useful; the rest are duplicates.
  if (snapshot_writes_pending_ >= 2 * config_.snapshot_chunks_max) return;
  ++snapshot_writes_pending_;
  out.snapshot_writes.push_back({chunk.snapshot, chunk.offset, std::move(chunk.data), chunk.last,
                                 std::move(chunk.configuration)});
}

void Raft::OnInput(const SnapshotChunkWritten& input, Output& out) {
  CheckLt(uint64_t{0}, snapshot_writes_pending_);
  --snapshot_writes_pending_;
  if (input.complete && input.applied.index > commit_) {
    InstallSnapshot(input.applied, input.configuration, out);
  }
  const NodeId to = leader();
  if (to == NodeId() || to == config_.self) return;
  SnapshotReply reply{
      .snapshot = input.snapshot, .next_offset = input.next_offset, .complete = input.complete};
  Send(to, std::move(reply), AfterAll(), out);
}

// The table is durably at `snapshot`. Raft §7: keep what follows it in the log if the log agrees
// with it, otherwise forget the whole log.
// So with the configurations: what the log says after it stays in force.
void Raft::InstallSnapshot(LogPosition snapshot, const Bytes& configuration, Output& out) {
  if (log_.Matches(snapshot)) {
    log_.CompactThrough(snapshot.index);
    durable_.Covered(snapshot.index);
  } else {
    Check(!is_leader());  // Its log holds all that is committed (Leader Completeness).
    log_.Reset(snapshot);
    configurations_.Reset(ConfigurationOf(configuration, config_.membership));
    durable_.Replaced(snapshot.index);
    batch_.append.clear();
    batch_.truncate_from = snapshot.index.Next();
  }
  MoveBatchBase(snapshot);
  commit_ = snapshot.index;
  configurations_.CommittedThrough(commit_);
  // A candidate in the group as it was, and nobody who votes in the group as it is.
  const bool campaigns = role() == Role::kPreCandidate || role() == Role::kCandidate;
  if (campaigns && !configurations_.MayVote(config_.self)) {
    BecomeFollower(hard_.term, NodeId(), out);
  }
  // Its log was completed by other means and it was elected while the last part was being written.
  if (is_leader()) std::get<Leader>(role_).uncommitted_bytes = log_.BytesAfter(commit_);
  AddNote(NoteKind::kBaseMoved, NodeId(), snapshot, 1, out);
  AddNote(NoteKind::kSnapshotInstalled, leader(), snapshot, configurations_.newest().id.value(),
          out);
  EndDoubtIfOver(out);
}

}  // namespace lockstep::raft
