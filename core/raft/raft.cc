#include "core/raft/raft.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "core/base/check.h"
#include "core/raft/lease.h"

namespace lockstep::raft {

Raft::Raft(const Config& config, const ReplicaImage& image, Rng rng, Instant now)
    : config_(config),
      rng_(rng),
      now_(now),
      hard_(image.hard_state),
      log_(image.base),
      configurations_(ConfigurationOf(image.configuration, config.membership)) {
  CheckLt(Duration(0), config_.heartbeat);
  CheckLt(config_.heartbeat, config_.election_min);
  CheckLe(config_.election_min, config_.election_max);
  Check(ValidateLease(config_).ok(), "a lease that cannot be kept");
  for (const Entry& entry : image.entries) log_.Append(entry);
  // A crash between an installed snapshot and the log's new base leaves a table that is ahead of
  // the log, or beside it. The table is durable and committed, so the log gives way.
  if (image.applied.index > log_.base().index && !log_.Matches(image.applied)) {
    log_.Reset(image.applied);
    batch_.base = image.applied;
    batch_.truncate_from = image.applied.index.Next();
  }
  for (Index index = log_.first_index(); index <= log_.last_index(); index = index.Next()) {
    if (index > configurations_.newest().id) TakeConfiguration(log_.At(index));
  }
  if (log_.last_term() > hard_.term) {
    hard_ = HardState{log_.last_term(), NodeId(), hard_.doubt};
    batch_.hard_state = hard_;
    hard_state_in_ = batch_seq_;
  }
  if (DoubtIsOver()) EndDoubt();
  // An answer to a question of an earlier life must not pass for one to a question of this one.
  question_ = ReadSeq(rng_.Split("questions").Next() >> 16);
  commit_ = std::max(log_.base().index, image.applied.index);
  configurations_.CommittedThrough(commit_);
  durable_ = Durable(log_.last_index());
  leaderless_since_ = now_;
  ResetElectionTimer();
  Bind();  // Whatever it promised in its last life.
  // Nobody else could lead.
  const std::vector<NodeId>& voters = membership().voters();
  if (voters.size() == 1 && voters.front() == config_.self) election_at_ = now_;
  CheckInvariants();
}

NodeId Raft::leader() const {
  if (is_leader()) return config_.self;
  const Follower* follower = std::get_if<Follower>(&role_);
  return follower != nullptr ? follower->leader : NodeId();
}

void Raft::Step(Instant now, Input input, Output& out) {
  CheckLe(now_.time_since_epoch().count(), now.time_since_epoch().count());
  now_ = now;
  std::visit([&](auto& value) { OnInput(value, out); }, input);
  CheckInvariants();
}

void Raft::Flush(Instant now, Output& out) {
  now_ = now;
  if (is_leader()) AdvanceMembership(out);
  AskLeader(out);
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return;
  StartReadRound(out);
  for (Leader::Peer& peer : leader->peers) SendAppends(peer, out);
  TellTransferee(out);
  NoteLease(out);
  CheckInvariants();
}

LogBatch Raft::TakeBatch(PersistSeq* seq) {
  Check(HasBatch());
  durable_.Submitted(batch_seq_, log_.last_index());
  *seq = batch_seq_;
  batch_seq_ = batch_seq_.Next();
  return std::exchange(batch_, LogBatch{});
}

Instant Raft::wake_at() const {
  const Leader* leader = leader_state();
  return leader != nullptr ? leader->heartbeat_at : election_at_;
}

// Inputs.

void Raft::OnInput(const TimerFired& input, Output& out) {
  disk_stalled_ = input.disk_stalled;
  if (is_leader()) {
    if (now_ + input.early >= std::get<Leader>(role_).heartbeat_at) OnHeartbeatDue(out);
    return;
  }
  if (now_ >= election_at_) Campaign(out);
}

void Raft::OnInput(Received& input, Output& out) {
  if (!IsHeard(input.from, input.message)) return;
  if (!AdmitTerm(input.from, input.message, out)) return;
  if (InDoubt() && Abstain(input.from, input.message, out)) return;
  std::visit([&](auto& body) { OnMessage(input.from, body, out); }, input.message.body);
}

void Raft::OnInput(Propose& input, Output& out) {
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return out.refused.push_back({input.id, RefusedWhy::kNotLeader});
  if (leader->transfer.has_value())
    return out.refused.push_back({input.id, RefusedWhy::kTransferring});
  const std::optional<RefusedWhy> no_room = WhyNoRoom(input);
  if (no_room.has_value()) return out.refused.push_back({input.id, *no_room});
  Entry entry{log_.last_index().Next(), hard_.term, input.kind, std::move(input.command)};
  const uint64_t cost = CostOf(entry);
  const bool tail_full = leader->uncommitted_bytes > 0 &&
                         leader->uncommitted_bytes + cost > config_.uncommitted_bytes_max;
  const bool log_full = log_.size() > 0 && log_.bytes() + cost > config_.log_bytes_max;
  if (tail_full) return out.refused.push_back({input.id, RefusedWhy::kTailFull});
  if (log_full) {
    out.log_full = true;
    return out.refused.push_back({input.id, RefusedWhy::kLogFull});
  }
  leader->uncommitted_bytes += cost;
  out.accepted.push_back({input.id, LogPosition{entry.index, entry.term}});
  AppendEntry(std::move(entry), out);
}

void Raft::OnInput(const Persisted& input, Output& out) {
  durable_.Completed(input.through);
  if (role() == Role::kCandidate && AfterHardState() == PersistSeq()) {
    // A vote counts once it cannot be forgotten, the own one like any other.
    std::get<Candidate>(role_).ballots.Cast(config_.self, Vote::kGranted);
    CountVotes(out);
  }
  if (is_leader()) AdvanceCommit(out);
}

void Raft::OnInput(const PeerUnreachable& input, Output&) {
  if (!is_leader()) return DoubtLeader(input.peer);
  Leader::Peer* peer = FindPeer(input.peer);
  if (peer == nullptr || peer->progress.state != Progress::State::kReplicate) return;
  peer->progress.BecomeProbe(peer->progress.match.Next());
}

void Raft::OnInput(const Compact& input, Output& out) {
  CheckLe(input.through, commit_);
  const Index through = CompactionLimit(input.through);
  if (through <= log_.base().index) return;
  log_.CompactThrough(through);
  durable_.Covered(through);
  MoveBatchBase(log_.base());
  AddNote(NoteKind::kBaseMoved, NodeId(), log_.base(), 0, out);
}

// Questions are heard from anybody: a replica may not know yet that the sender is a member, or that
// it is one itself (thesis §4.1). What protects a group from those whom it removed is PreVote and
// stickiness. Answers count from members only, and from those whom this leader still writes to.
bool Raft::IsHeard(NodeId from, const Message& message) const {
  if (from == config_.self) return false;
  const GroupMember* member = configuration().Find(from);
  const bool another = member != nullptr && member->incarnation && message.incarnation &&
                       member->incarnation != message.incarnation;
  if (another) return false;  // It came back without its data: what it was, promised.
  const bool answer = std::holds_alternative<PreVoteReply>(message.body) ||
                      std::holds_alternative<VoteReply>(message.body) ||
                      std::holds_alternative<AppendAccepted>(message.body) ||
                      std::holds_alternative<AppendRejected>(message.body) ||
                      std::holds_alternative<HeartbeatReply>(message.body) ||
                      std::holds_alternative<SnapshotReply>(message.body) ||
                      std::holds_alternative<ReadIndexReply>(message.body);
  return !answer || membership().IsMember(from) || FindPeer(from) != nullptr;
}

// Terms (Raft §5.1).

bool Raft::AdmitTerm(NodeId from, const Message& message, Output& out) {
  // Pre-votes speak about a future term and change nobody's, so that a node which cannot win an
  // election cannot disturb one that leads (thesis §9.6).
  if (std::holds_alternative<PreVoteRequest>(message.body)) return true;
  if (const PreVoteReply* reply = std::get_if<PreVoteReply>(&message.body)) {
    if (!reply->granted && message.term > hard_.term) BecomeFollower(message.term, NodeId(), out);
    return true;
  }
  if (message.term > hard_.term) {
    const VoteRequest* vote = std::get_if<VoteRequest>(&message.body);
    if (vote != nullptr && !vote->transfer && IsSticky()) return false;  // thesis §4.2.3
    BecomeFollower(message.term, NodeId(), out);
    return true;
  }
  if (message.term == hard_.term) return true;
  // A stale leader must learn of the new term, or it would go on for ever where PreVote keeps terms
  // low.
  const bool from_leader = std::holds_alternative<AppendRequest>(message.body) ||
                           std::holds_alternative<Heartbeat>(message.body) ||
                           std::holds_alternative<SnapshotChunk>(message.body);
  if (from_leader) Send(from, HeartbeatReply{}, AfterHardState(), out);
  if (std::holds_alternative<VoteRequest>(message.body)) {
    Send(from, VoteReply{.granted = false}, AfterHardState(), out);
  }
  return false;
}

void Raft::SetHardState(HardState next, Output& out) {
  CheckLe(hard_.term, next.term);
  next.doubt = hard_.doubt;
  if (next == hard_) return;
  // At most one vote a term (Raft §5.2).
  if (next.term == hard_.term) CheckEq(hard_.vote, NodeId());
  hard_ = next;
  batch_.hard_state = hard_;
  hard_state_in_ = batch_seq_;
  AddNote(NoteKind::kHardState, hard_.vote, LogPosition{}, 0, out);
}

// Who has lost a part of its log may have promised to hold what a candidate lacks: it helps nobody
// to be elected, and does not stand itself. True: there is nothing more to do about the message.
bool Raft::Abstain(NodeId from, const Message& message, Output& out) {
  if (const PreVoteRequest* request = std::get_if<PreVoteRequest>(&message.body)) {
    Send(from, PreVoteReply{.next_term = request->next_term, .granted = false}, AfterHardState(),
         out);
    return true;
  }
  if (std::holds_alternative<VoteRequest>(message.body)) {
    Send(from, VoteReply{.granted = false}, AfterHardState(), out);
    return true;
  }
  return std::holds_alternative<TimeoutNow>(message.body);
}

// A replica in doubt has lost entries that it may have acknowledged to leaders of terms up to
// `doubt`. An entry of a later term came from a leader that was elected without its vote, so by
// others who had promised no less; that leader held all that was committed in those terms, and who
// holds its entry holds its whole log up to there (Log Matching). So the replica is as good as any
// other again (docs/decisions/0018).
void Raft::EndDoubt() {
  Check(DoubtIsOver());
  hard_.doubt = Term();
  batch_.hard_state = hard_;
  hard_state_in_ = batch_seq_;
}

void Raft::EndDoubtIfOver(Output& out) {
  if (!DoubtIsOver()) return;
  EndDoubt();
  AddNote(NoteKind::kTrusted, NodeId(), log_.last(), 0, out);
}

void Raft::BecomeFollower(Term term, NodeId leader, Output& out) {
  CheckLe(hard_.term, term);
  const bool was_leader = is_leader();
  if (was_leader) ReleaseLeadership(out);
  AbandonReads(out);
  if (term > hard_.term) SetHardState(HardState{term, NodeId()}, out);
  role_ = Follower{.leader = leader, .heard = now_};
  if (was_leader) ResetElectionTimer();
  ReportRole(out);
}

// A message that only this term's leader sends has arrived.
void Raft::HearLeader(NodeId leader, Output& out) {
  Check(!is_leader(), "two leaders in one term");  // Election Safety (Raft §5.2)
  Follower* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != leader) {
    if (follower != nullptr) CheckEq(follower->leader, NodeId());
    BecomeFollower(hard_.term, leader, out);
  } else {
    follower->heard = now_;
  }
  ResetElectionTimer();
  Bind();
}

void Raft::ReportRole(Output& out) {
  static constexpr NoteKind kNotes[] = {NoteKind::kBecameFollower, NoteKind::kBecamePreCandidate,
                                        NoteKind::kBecameCandidate, NoteKind::kBecameLeader};
  if (leader() != NodeId()) leaderless_since_ = kNever;
  if (leader() == NodeId() && leaderless_since_ == kNever) leaderless_since_ = now_;
  out.roles.push_back({role(), hard_.term, leader()});
  const uint64_t members = is_leader() ? configuration().id.value() : 0;
  AddNote(kNotes[role_.index()], leader(), log_.last(), members, out);
}

void Raft::ReleaseLeadership(Output& out) {
  Leader& leader = std::get<Leader>(role_);
  for (const PendingRead& read : leader.reads)
    if (read.from == NodeId()) out.refused.push_back({read.id, RefusedWhy::kLeadershipLost});
  for (const Leader::Peer& peer : leader.peers) {
    if (peer.progress.state == Progress::State::kSnapshot) out.snapshot_closes.push_back(peer.id);
  }
}

void Raft::ResetElectionTimer() {
  quick_campaigns_ = 0;
  election_at_ = now_ + rng_.Between(config_.election_min, config_.election_max);
}

// Writing and sending.

PersistSeq Raft::AfterHardState() const {
  return hard_state_in_ > durable_.completed() ? hard_state_in_ : PersistSeq();
}

PersistSeq Raft::AfterAll() const {
  const PersistSeq newest = HasBatch() ? batch_seq_ : batch_seq_.Previous();
  return newest > durable_.completed() ? newest : PersistSeq();
}

void Raft::Send(NodeId to, Body body, PersistSeq after, Output& out) {
  out.send.push_back(
      Outgoing{to, Message{hard_.term, std::move(body), config_.incarnation}, after});
}

void Raft::AppendEntry(Entry entry, Output& out) {
  if (out.notes_wanted) {
    AddNote(NoteKind::kAppended, NodeId(), LogPosition{entry.index, entry.term}, 0, out);
    out.notes.back().entry = entry;
  }
  TakeConfiguration(entry);
  batch_.append.push_back(entry);
  log_.Append(std::move(entry));
}

void Raft::TruncateFrom(Index from, NodeId leader, Output& out) {
  CheckLt(commit_, from);  // Leader Completeness: what is committed is in every later leader's log.
  Check(!is_leader());     // Leader Append-Only.
  AddNote(NoteKind::kTruncated, leader, LogPosition{from, Term()}, 0, out);
  log_.TruncateFrom(from);
  configurations_.TruncateFrom(from);
  durable_.Truncated(from);
  while (!batch_.append.empty() && batch_.append.back().index >= from) batch_.append.pop_back();
  if (batch_.append.empty())
    batch_.truncate_from = std::min(batch_.truncate_from.value_or(from), from);
}

// The open batch moves the log's base. What it was going to append or to truncate at or before the
// base is void: a truncation there means that nothing on disk outlives the new base.
void Raft::MoveBatchBase(LogPosition base) {
  batch_.base = base;
  std::erase_if(batch_.append, [&](const Entry& entry) { return entry.index <= base.index; });
  if (batch_.truncate_from.has_value() && *batch_.truncate_from <= base.index) {
    batch_.truncate_from = base.index.Next();
  }
}

void Raft::CommitTo(Index index, Output& out) {
  if (index <= commit_) return;
  CheckLe(index, log_.last_index());
  commit_ = index;
  configurations_.CommittedThrough(index);
  AddNote(NoteKind::kCommitted, NodeId(), LogPosition{index, *log_.TermAt(index)}, 0, out);
}

void Raft::AddNote(NoteKind kind, NodeId peer, LogPosition position, uint64_t number,
                   Output& out) const {
  if (!out.notes_wanted) return;
  LoggedNote& logged = out.notes.emplace_back();
  logged.note = Note{.kind = kind,
                     .group = GroupId(),
                     .term = hard_.term,
                     .peer = peer,
                     .position = position,
                     .number = number,
                     .entry = nullptr};
}

void Raft::CheckInvariants() const {
  CheckLe(log_.base().index, commit_);
  CheckLe(commit_, log_.last_index());
  CheckLe(durable_.index(), log_.last_index());
  CheckLe(log_.last_term(), hard_.term);
  if (InDoubt()) CheckLt(hard_.doubt, hard_.term);
  if (InDoubt()) Check(role() == Role::kFollower);
  CheckLe(configuration().id, log_.last_index());
  const Leader* leader = leader_state();
  if (leader == nullptr) return;
  CheckLe(leader->term_start, log_.last_index());
  for (const Leader::Peer& peer : leader->peers) {
    CheckLt(peer.progress.match, peer.progress.next);
    CheckLe(peer.progress.match, log_.last_index());
    CheckLe(peer.progress.next, log_.last_index().Next());
  }
}

}  // namespace lockstep::raft
