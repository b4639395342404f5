// Elections: Raft §5.2 and §5.4.1, PreVote (thesis §9.6), stickiness to a live leader (thesis
// §4.2.3).
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace lockstep::raft {
namespace {

constexpr uint32_t kQuickCampaigns = 4;

}  // namespace

// The election timer ran out: nothing was heard of a leader for long.
void Raft::Campaign(Output& out) {
  // Its connections to the leader may have broken: it may live all the same, and lead by what it
  // was promised. Soon after that those who were told the same may agree.
  if (IsBound()) {
    election_at_ = bound_until_ + rng_.Between(config_.heartbeat / 20, config_.heartbeat / 2);
    return;
  }
  ArmCampaign();
  // Thesis §4.2.2: who is not in its own latest configuration still starts elections, as long as it
  // does not know that it is committed. It may be the only one whose log is long enough to win.
  if (!configurations_.MayVote(config_.self) || disk_stalled_ || InDoubt()) {
    // Nor does it send callers to a leader that it hears no more: that may lead them in circles.
    if (leader() != NodeId()) BecomeFollower(hard_.term, NodeId(), out);
    return;
  }
  BecomePreCandidate(out);
}

void Raft::BecomePreCandidate(Output& out) {
  AbandonReads(out);
  role_ = PreCandidate{};
  std::get<PreCandidate>(role_).ballots.Cast(config_.self, Vote::kGranted);
  ReportRole(out);
  for (NodeId voter : membership().voters()) {
    if (voter == config_.self) continue;
    Send(voter, PreVoteRequest{.next_term = hard_.term.Next(), .last = log_.last()},
         AfterHardState(), out);
  }
  CountPreVotes(out);
}

// Raft §5.2: "a follower increments its current term and transitions to candidate state. It then
// votes for itself and issues RequestVote RPCs in parallel."
void Raft::BecomeCandidate(bool transfer, Output& out) {
  Check(configurations_.MayVote(config_.self));
  Check(!is_leader());
  AbandonReads(out);
  SetHardState(HardState{hard_.term.Next(), config_.self}, out);
  role_ = Candidate{};  // The own vote is counted when it is durable: OnInput(Persisted).
  ArmCampaign();
  ReportRole(out);
  for (NodeId voter : membership().voters()) {
    if (voter == config_.self) continue;
    Send(voter, VoteRequest{.last = log_.last(), .transfer = transfer}, AfterHardState(), out);
  }
}

void Raft::BecomeLeader(Output& out) {
  CheckEq(AfterHardState(),
          PersistSeq());  // Its term and its own vote are durable: appends may go at once.
  Leader leader;
  leader.heartbeat_at = now_ + config_.heartbeat;
  leader.uncommitted_bytes = log_.BytesAfter(commit_);
  for (NodeId member : membership().members()) {
    if (member == config_.self) continue;
    Leader::Peer& peer = leader.peers.emplace_back(Leader::Peer{member, Progress{}});
    peer.progress.next = log_.last_index().Next();
    peer.progress.contact = now_;
    peer.progress.BeginRound(peer.progress.next, now_);  // through the no-op
  }
  role_ = std::move(leader);
  ReportRole(out);
  // Raft §8: a leader commits a no-op of its own term at once; only then does it know what is
  // committed.
  Entry noop{log_.last_index().Next(), hard_.term, EntryKind::kNoop, Bytes()};
  Leader& self = std::get<Leader>(role_);
  self.term_start = noop.index;
  self.uncommitted_bytes += CostOf(noop);
  AppendEntry(std::move(noop), out);
}

void Raft::CountPreVotes(Output& out) {
  const Ballots& ballots = std::get<PreCandidate>(role_).ballots;
  const VoteOutcome outcome = membership().Tally([&](NodeId voter) { return ballots.Of(voter); });
  if (outcome == VoteOutcome::kWon) BecomeCandidate(/*transfer=*/false, out);
  if (outcome == VoteOutcome::kLost) BecomeFollower(hard_.term, NodeId(), out);
}

void Raft::CountVotes(Output& out) {
  const Ballots& ballots = std::get<Candidate>(role_).ballots;
  const VoteOutcome outcome = membership().Tally([&](NodeId voter) { return ballots.Of(voter); });
  if (outcome == VoteOutcome::kWon) BecomeLeader(out);
  if (outcome == VoteOutcome::kLost) BecomeFollower(hard_.term, NodeId(), out);
}

// Does this node hear a live leader? Then it helps nobody to depose it.
bool Raft::IsSticky() const {
  if (is_leader() || IsBound()) return true;
  const Follower* follower = std::get_if<Follower>(&role_);
  return follower != nullptr && follower->leader != NodeId() &&
         now_ < follower->heard + config_.election_min;
}

// When to try again, if this comes to nothing. After the leader's connections broke, soon, a few
// times: the others may have learnt of it a little later, or have asked at the same moment.
void Raft::ArmCampaign() {
  const uint32_t quick = quick_campaigns_;
  ResetElectionTimer();
  if (quick == 0) return;
  quick_campaigns_ = quick - 1;
  election_at_ =
      std::min(election_at_, now_ + rng_.Between(config_.heartbeat / 4, config_.heartbeat));
}

// The connection to the leader broke: a process that dies says so in this way at once, long before
// its silence does. So ask for pre-votes soon, at a time of our own, and do not stand by it when
// others ask. No harm in a false alarm: a leader that others still hear keeps their votes, and its
// next message is heard here as before.
void Raft::DoubtLeader(NodeId peer) {
  Follower* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader == NodeId() || follower->leader != peer) return;
  follower->heard = now_ - config_.election_min;
  quick_campaigns_ = kQuickCampaigns;
  const Duration delay = rng_.Between(config_.heartbeat / 20, config_.heartbeat / 2);
  election_at_ = std::min(election_at_, now_ + delay);
}

void Raft::OnMessage(NodeId from, const PreVoteRequest& request, Output& out) {
  // A learner answers too: it may have been promoted without knowing it yet.
  const bool granted =
      request.next_term > hard_.term && !IsSticky() && log_.IsAtLeastAsUpToDate(request.last);
  Send(from, PreVoteReply{.next_term = request.next_term, .granted = granted}, AfterHardState(),
       out);
}

void Raft::OnMessage(NodeId from, const PreVoteReply& reply, Output& out) {
  PreCandidate* candidate = std::get_if<PreCandidate>(&role_);
  if (candidate == nullptr || reply.next_term != hard_.term.Next()) return;
  candidate->ballots.Cast(from, reply.granted ? Vote::kGranted : Vote::kRefused);
  CountPreVotes(out);
}

void Raft::OnMessage(NodeId from, const VoteRequest& request, Output& out) {
  if (IsBound() && !request.transfer) {
    return Send(from, VoteReply{.granted = false}, AfterHardState(), out);
  }
  // Raft Fig. 2: "If votedFor is null or candidateId, and candidate's log is at least as up-to-date
  // as receiver's log, grant vote."
  const bool free = hard_.vote == from || (hard_.vote == NodeId() && leader() == NodeId());
  const bool granted = free && log_.IsAtLeastAsUpToDate(request.last);
  if (granted) {
    SetHardState(HardState{hard_.term, from}, out);
    ResetElectionTimer();
  }
  Send(from, VoteReply{.granted = granted}, AfterHardState(), out);
}

void Raft::OnMessage(NodeId from, const VoteReply& reply, Output& out) {
  Candidate* candidate = std::get_if<Candidate>(&role_);
  if (candidate == nullptr) return;
  candidate->ballots.Cast(from, reply.granted ? Vote::kGranted : Vote::kRefused);
  CountVotes(out);
}

}  // namespace lockstep::raft
