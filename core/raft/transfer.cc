// Leadership transfer: thesis §3.10. The leader stops taking proposals, brings the follower up to
// date, tells it to start an election at once, and goes on as before if nothing has come of it
// after an election timeout.
#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {

void Raft::OnInput(const TransferLeadership& input, Output& out) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || leader->transfer.has_value()) return;
  const Leader::Peer* target = nullptr;
  for (const Leader::Peer& peer : leader->peers) {
    if (!config_.membership.IsVoter(peer.id)) continue;
    if (input.to == peer.id) target = &peer;
    const bool better = target == nullptr || peer.progress.match > target->progress.match;
    if (input.to == NodeId() && better) target = &peer;
  }
  if (target == nullptr) return;
  leader->transfer =
      Transfer{.to = target->id, .deadline = now_ + config_.election_min, .told = false};
  AddNote(NoteKind::kTransferStarted, target->id, log_.last(), 0, out);
}

// At the end of each turn: is the transferee ready?
void Raft::TellTransferee(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  if (!leader.transfer.has_value() || leader.transfer->told) return;
  const Leader::Peer* peer = FindPeer(leader.transfer->to);
  Check(peer != nullptr);
  if (peer->progress.match < log_.last_index()) return;
  leader.transfer->told = true;
  Send(peer->id, TimeoutNow{}, PersistSeq(), out);
}

void Raft::OnMessage(NodeId from, const TimeoutNow&, Output& out) {
  if (is_leader() || !config_.membership.IsVoter(config_.self)) return;
  const bool from_leader = leader() == from;
  if (!from_leader) return;  // Late: its sender leads no more, as far as we know.
  BecomeCandidate(/*transfer=*/true, out);
}

}  // namespace lockstep::raft
