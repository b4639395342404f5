#include "core/node/replica.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/kv/command.h"
#include "core/node/client_reply.h"
#include "core/node/door.h"

namespace lockstep::node {
namespace {

raft::Config RaftOf(const NodeOptions& options, GroupId group) {
  raft::Config config = options.raft;
  const HostedGroup hosted = HostedGroupOf(options, group);
  if (hosted.membership.has_value()) config.membership = *hosted.membership;
  return config;
}

}  // namespace

Replica::Replica(const NodeOptions& options, const ReplicaImage& image, Rng rng, const Host& host,
                 Courier& courier, const SpaceGauge& space, Pace& bulk)
    : group_(image.group),
      role_(RoleOf(options, image.group)),
      options_(options),
      host_(host),
      space_(space),
      bulk_(bulk),
      raft_(RaftOf(options, image.group), image, rng, host.clock.Now()),
      outbox_(image.group, host, courier),
      duty_(MakeDuty(options, image.group, rng.Split("duty"), courier, bulk)),
      applied_(image.applied),
      apply_submitted_(image.applied.index),
      checkpoint_entries_(options.log_entries_max),
      checkpoint_bytes_(options.log_bytes_max) {
  CheckLe(raft_.commit(), std::max(applied_.index, raft_.log().base().index));
  CheckLe(raft_.log().base().index,
          applied_.index);  // The log is dropped only where the table has it.
  out_.notes_wanted = host.journal.listening();
  if (out_.notes_wanted) NoteBoot(image);
}

// Events.

void Replica::Step(raft::Input input) { raft_.Step(host_.clock.Now(), std::move(input), out_); }

void Replica::OnMessage(NodeId from, raft::Message message) {
  Step(raft::Received{from, std::move(message)});
}

void Replica::OnMessage(NodeId from, const proto::NodeMessage& message) {
  if (duty_ != nullptr) duty_->OnMessage(host_.clock.Now(), from, message, standing());
}

void Replica::OnCommand(RequestId id, const proto::Command& command, Bytes encoded) {
  if (AtRequestLimit(id)) return;
  std::optional<proto::Result> refusal;
  if (duty_ != nullptr && raft_.is_leader()) refusal = duty_->RefuseEarly(command);
  if (refusal.has_value()) return Answer(id, ReplyWithResult(*refusal), Index());
  Step(raft::Propose{.id = id, .command = std::move(encoded), .adds_data = AddsData(command)});
}

void Replica::OnQuery(RequestId id, Bytes query, Freshness freshness) {
  if (AtRequestLimit(id)) return;
  if (freshness == Freshness::kAnyState) {
    stale_queries_.push_back({id, Query{std::move(query), host_.clock.Now()}});
    return;
  }
  queries_.emplace(id, Query{std::move(query), host_.clock.Now()});
  Step(raft::ReadBarrier{.id = id, .forward = freshness == Freshness::kForwarded});
}

void Replica::OnTransferLeadership(RequestId id, NodeId to) {
  if (!raft_.is_leader()) return Refuse(id, raft::RefusedWhy::kNotLeader);
  if (to != NodeId() && (to == options_.self || !raft_.membership().IsIncoming(to))) {
    return Answer(id, NoSuchVoterReply(to), Index());
  }
  Step(raft::TransferLeadership{to});
  Answer(id, OkReply(), Index());
}

bool Replica::HandOver(NodeId to) {
  if (!raft_.FollowsClosely(to)) return false;
  Step(raft::TransferLeadership{to});
  return true;
}

void Replica::OnChangeMembership(RequestId id, const proto::ChangeMembership& change) {
  if (AtRequestLimit(id)) return;
  raft::ChangeMembership input{.id = id, .expected = Index(change.expected()), .members = {}};
  for (const proto::WantedMember& member : change.members()) {
    input.members.push_back({.node = NodeId(member.node()),
                             .incarnation = IncarnationId(member.incarnation()),
                             .voter = !member.learner()});
  }
  const absl::Status valid = raft::Validate(input.members);
  if (!valid.ok()) return Answer(id, NoSuchGroupReply(valid), Index());
  Step(std::move(input));
}

void Replica::OnPeerLink(NodeId peer, bool up) {
  if (!up) Step(raft::PeerUnreachable{peer});
}

// What the log holds twice, in its files and in the table, is the first thing to go when space
// becomes scarce.
void Replica::OnRoom(raft::Room room) {
  if (room == room_) return;
  if (room > room_) checkpoint_bytes_ = 0;
  room_ = room;
  Step(raft::RoomChanged{room});
}

bool Replica::OnWake(bool log_stalled) {
  if (host_.clock.Now() < raft_.wake_at()) return false;
  const bool led = raft_.is_leader();
  Step(raft::TimerFired{.disk_stalled = log_stalled || TableIsStalled()});
  return led && raft_.is_leader();
}

void Replica::OnNearbyHeartbeat(bool log_stalled) {
  if (!raft_.is_leader()) return;
  Step(raft::TimerFired{.disk_stalled = log_stalled || TableIsStalled(),
                        .early = options_.raft.heartbeat / 2});
}

Instant Replica::wake_at() const {
  Instant at = raft_.wake_at();
  if (duty_ != nullptr) at = std::min(at, duty_->wake_at());
  if (!snapshot_reads_.empty()) at = std::min(at, bulk_.next());
  return at;
}

void Replica::OnControllers(const proto::Controllers& controllers) {
  if (duty_ != nullptr) duty_->OnControllers(controllers);
}

const proto::Controllers* Replica::controllers() const {
  return duty_ == nullptr ? nullptr : &duty_->controllers();
}

Standing Replica::standing() const {
  const raft::Leader* leader = raft_.leader_state();
  const raft::GroupConfiguration& newest = raft_.configuration();
  const bool settled = newest.phase == raft::ChangePhase::kSettled && newest.id != Index();
  return {.leads = leader != nullptr,
          .caught_up = leader != nullptr && leader->term_start <= applied_.index,
          .leader = raft_.leader(),
          .members = settled && raft_.configuration_is_committed() ? &newest : nullptr};
}

void Replica::OnPersisted(PersistSeq through) { Step(raft::Persisted{through}); }

// The end of a turn.

void Replica::EndTurn() {
  ActOnDuty();
  raft_.Flush(host_.clock.Now(), out_);
  if (out_.notes_wanted) RecordNotes();
  CountLeaders();
  outbox_.Release(raft_.completed());
  outbox_.Post(out_.send, raft_.completed());
  RouteProposals();
  RouteReads();
  NoteStages();
  SendAnswers();
  SubmitSnapshotJobs();
  SubmitApply();
  SubmitQueries();
  SubmitCheckpoint();
  out_.Clear();
}

void Replica::ActOnDuty() {
  if (duty_ == nullptr) return;
  DutyCalls calls;
  duty_->Act(host_.clock.Now(), standing(), &calls);
  for (auto& [id, command] : calls.proposals) {
    Step(raft::Propose{id, kv::Encode(command), EntryKind::kInternal});
  }
  for (auto& [id, query] : calls.queries) duty_queries_.emplace_back(id, kv::Encode(query));
}

LogBatch Replica::TakeBatch(PersistSeq* seq) {
  LogBatch batch = raft_.TakeBatch(seq);
  if (!proposals_.empty()) stage_times_.Submitted(raft_.log().last_index(), host_.clock.Now());
  batch.group = group_;
  return batch;
}

void Replica::CountLeaders() {
  for (const raft::RoleChange& change : out_.roles) counters_.Leads(change.leader);
}

void Replica::RouteProposals() {
  // The entries of a term that we lead no more may still be committed by the next leader, or may
  // not.
  const Term lost = raft_.is_leader() ? raft_.term().Previous() : raft_.term();
  while (!proposals_.empty() && proposals_.front().position.term <= lost) {
    ++counters_.proposals_failed;
    Answer(proposals_.front().id, LeadershipLostReply(), Index());
    proposals_.pop_front();
  }
  for (const raft::Accepted& accepted : out_.accepted) {
    if (accepted.position.term <= lost) {
      ++counters_.proposals_failed;
      Answer(accepted.id, LeadershipLostReply(), Index());
      continue;
    }
    if (!proposals_.empty()) CheckLt(proposals_.back().position.index, accepted.position.index);
    proposals_.push_back({accepted.position, accepted.id, host_.clock.Now()});
  }
  for (const raft::Refused& refused : out_.refused) Refuse(refused.id, refused.why);
}

void Replica::RouteReads() {
  for (const raft::ReadReady& read : out_.reads) reads_.push_back({read.at, read.id});
}

void Replica::NoteStages() {
  if (proposals_.empty()) return stage_times_.Clear();
  const Instant now = host_.clock.Now();
  stage_times_.Durable(raft_.durable(), now);
  stage_times_.Committed(raft_.commit(), now);
}

}  // namespace lockstep::node
