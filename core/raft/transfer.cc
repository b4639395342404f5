// Leadership transfer: thesis §3.10. The leader stops taking proposals, brings the follower up to
// date, tells it to start an election at once, and goes on as before if nothing has come of it
// after an election timeout.
#include <cstdint>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

void Raft::OnInput(const TransferLeadership& input, Output& out) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->transfer.has_value()) return;
  const NodeId target = BestSuccessor(input.to);
  if (target != NodeId()) BeginTransfer(target, out);
}

void Raft::BeginTransfer(NodeId target, Output& out) {
  std::get<Leader>(role_).transfer =
      Transfer{.to = target, .deadline = now_ + config_.election_min, .told = false};
  AddNote(NoteKind::kTransferStarted, target, log_.last(), 0, out);
}

// Of those who vote now and will go on voting: `wanted`, or where that is nobody the most up to
// date. None: there is no such peer.
NodeId Raft::BestSuccessor(NodeId wanted) const {
  const Leader::Peer* best = nullptr;
  for (const Leader::Peer& peer : std::get<Leader>(role_).peers) {
    if (!membership().IsIncoming(peer.id)) continue;
    if (wanted == peer.id) return wanted;
    if (best == nullptr || peer.progress.match > best->progress.match) best = &peer;
  }
  return wanted == NodeId() && best != nullptr ? best->id : NodeId();
}

// It would take over without delay: it will go on voting, answers, keeps up, and has space.
bool Raft::FollowsClosely(const Leader::Peer& peer) const {
  const Progress& progress = peer.progress;
  return membership().IsIncoming(peer.id) && progress.state == Progress::State::kReplicate &&
         now_ < progress.contact + 2 * config_.heartbeat && progress.room == Room::kAmple;
}

bool Raft::FollowsClosely(NodeId node) const {
  const Leader* leader = leader_state();
  const Leader::Peer* peer = FindPeer(node);
  return peer != nullptr && !leader->transfer.has_value() && FollowsClosely(*peer);
}

// Of those who follow closely, the most up to date. nullptr: nobody does.
const Leader::Peer* Raft::CloseSuccessor() const {
  const Leader::Peer* best = nullptr;
  for (const Leader::Peer& peer : std::get<Leader>(role_).peers) {
    if (!FollowsClosely(peer)) continue;
    if (best == nullptr || peer.progress.match > best->progress.match) best = &peer;
  }
  return best;
}

// A leader whose disk is slow, though not stalled: heartbeat after heartbeat it has not made
// durable what was committed a heartbeat before, by the disks of others. Writes do not wait for its
// disk, but what it applies and reads does, and when one of the others fails, all will.
void Raft::HandOverForSlowDisk(Output& out) {
  constexpr uint32_t kLateMax = 10;  // beats, those in time counted off
  Leader& leader = std::get<Leader>(role_);
  const bool late = durable_.index() < leader.committed_at_beat;
  leader.committed_at_beat = commit_;
  if (late) {
    ++leader.late_beats;
  } else if (leader.late_beats > 0) {
    --leader.late_beats;
  }
  if (leader.late_beats < kLateMax || leader.transfer.has_value()) return;
  const Leader::Peer* best = CloseSuccessor();
  if (best == nullptr || best->progress.match <= durable_.index()) return;
  leader.late_beats = 0;
  BeginTransfer(best->id, out);
}

// At the end of each turn: is the transferee ready?
void Raft::TellTransferee(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  if (!leader.transfer.has_value() || leader.transfer->told) return;
  const Leader::Peer* peer = FindPeer(leader.transfer->to);
  if (peer == nullptr) return leader.transfer.reset();  // It was removed meanwhile.
  if (peer->progress.match < log_.last_index()) return;
  leader.transfer->told = true;
  GiveUpLease();
  Send(peer->id, TimeoutNow{}, PersistSeq(), out);
}

void Raft::OnMessage(NodeId from, const TimeoutNow&, Output& out) {
  if (is_leader() || !configurations_.MayVote(config_.self)) return;
  const bool from_leader = leader() == from;
  if (!from_leader) return;  // Late: its sender leads no more, as far as we know.
  BecomeCandidate(/*transfer=*/true, out);
}

}  // namespace lockstep::raft
