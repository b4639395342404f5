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

// So many times as often the log is compacted while space is low: it makes room for what goes on.
constexpr uint64_t kSoonerWithoutSpace = 8;

raft::Config RaftOf(const NodeOptions& options, GroupId group) {
  raft::Config config = options.raft;
  const HostedGroup hosted = HostedGroupOf(options, group);
  if (hosted.membership.has_value()) config.membership = *hosted.membership;
  return config;
}

proto::Result ParseResult(const Bytes& bytes) {
  proto::Result result;
  Check(result.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
        "a state machine's answer is no result");
  return result;
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
    stale_queries_.emplace_back(id, std::move(query));
    return;
  }
  queries_.emplace(id, std::move(query));
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

void Replica::OnTableDone(ApplyDone& done) {
  applying_ = false;
  applied_ = done.applied;
  size_t entry = 0;
  for (ApplyResult& result : done.results) {
    if (out_.notes_wanted) {
      while (being_applied_[entry].index < result.index) ++entry;
      Record(Note{.kind = NoteKind::kApplied,
                  .group = group_,
                  .term = raft_.term(),
                  .peer = NodeId(),
                  .position = LogPosition{result.index, result.term},
                  .number = StableHash(result.reply.view()),
                  .entry = &being_applied_[entry],
                  .reply = &result.reply});
    }
    if (duty_ != nullptr && result.kind == EntryKind::kInternal) {
      duty_->OnApplied(host_.clock.Now(), ParseResult(result.reply));
    }
    // A later entry than the oldest proposal's: that one was answered when leadership was lost.
    if (proposals_.empty() || proposals_.front().position.index != result.index) continue;
    const Proposal proposal = proposals_.front();
    proposals_.pop_front();
    CheckEq(proposal.position.term, result.term);
    if (result.kind == EntryKind::kConfiguration) {
      Answer(proposal.id, ChangeBegunReply(raft_.configuration()), result.index);
      continue;
    }
    AnswerWith(proposal.id, result.reply, result.index);
  }
}

void Replica::AnswerWith(RequestId id, const Bytes& result, Index index) {
  if (IsDutyCall(id)) return duty_->OnResult(host_.clock.Now(), id, ParseResult(result));
  Answer(id, ReplyWithResult(result), index);
}

void Replica::OnTableDone(QueryDone& done) {
  for (QueryDone::Item& item : done.items) {
    --queries_under_way_;
    AnswerWith(item.id, item.reply, done.applied.index);
  }
}

void Replica::OnTableDone(CheckpointDone& done) {
  checkpointing_ = false;
  const uint64_t durable = done.durable.index.value();
  const bool too_big = raft_.log().bytes() >= checkpoint_bytes_;
  const uint64_t sooner = room_ == raft::Room::kAmple ? 1 : kSoonerWithoutSpace;
  const uint64_t kept = too_big ? 0 : options_.log_entries_kept / sooner;
  if (durable > kept) Step(raft::Compact{Index(durable - kept)});
  // When a follower's snapshot holds the log back, do not try again at every turn.
  const uint64_t entries_max = options_.log_entries_max / sooner;
  const uint64_t bytes_max = options_.log_bytes_max / sooner;
  checkpoint_entries_ =
      std::max(entries_max, raft_.log().size() + std::max(uint64_t{1}, entries_max / 4));
  // Beyond half of the memory for the log nothing holds it back, and a full log takes no entry that
  // could make the next checkpoint due.
  checkpoint_bytes_ = std::max(
      bytes_max, std::min(raft_.log().bytes() + bytes_max / 4, options_.raft.log_bytes_max / 2));
}

void Replica::OnTableDone(ReadSnapshotDone& done) {
  bulk_.Moved(host_.clock.Now(), done.data.size());
  Step(raft::SnapshotChunkRead{done.peer, done.snapshot, done.offset, std::move(done.data),
                               done.last, done.gone, done.tag, std::move(done.configuration)});
}

void Replica::OnTableDone(WriteSnapshotDone& done) {
  // When the log has come past it meanwhile, raft has nothing to install and notes nothing; the
  // table has moved all the same.
  const bool unnoted = applied_.index < done.applied.index && done.applied.index <= raft_.commit();
  if (out_.notes_wanted && unnoted) {
    // Behind what raft has to tell of this turn.
    out_.notes.push_back({.note = Note{.kind = NoteKind::kSnapshotInstalled,
                                       .group = group_,
                                       .term = raft_.term(),
                                       .peer = raft_.leader(),
                                       .position = done.applied,
                                       .number = raft_.configuration().id.value(),
                                       .entry = nullptr},
                          .entry = std::nullopt});
  }
  if (duty_ != nullptr && applied_ != done.applied) duty_->OnTableReplaced();
  applied_ = done.applied;
  Step(raft::SnapshotChunkWritten{done.snapshot, done.next_offset, done.complete, done.applied,
                                  std::move(done.configuration)});
  apply_submitted_ = std::max(apply_submitted_, applied_.index);
}

// The end of a turn.

void Replica::EndTurn() {
  ActOnDuty();
  raft_.Flush(host_.clock.Now(), out_);
  if (out_.notes_wanted) RecordNotes();
  outbox_.Release(raft_.completed());
  outbox_.Post(out_.send, raft_.completed());
  RouteProposals();
  RouteReads();
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
  batch.group = group_;
  return batch;
}

void Replica::RouteProposals() {
  // The entries of a term that we lead no more may still be committed by the next leader, or may
  // not.
  const Term lost = raft_.is_leader() ? raft_.term().Previous() : raft_.term();
  while (!proposals_.empty() && proposals_.front().position.term <= lost) {
    Answer(proposals_.front().id, LeadershipLostReply(), Index());
    proposals_.pop_front();
  }
  for (const raft::Accepted& accepted : out_.accepted) {
    if (accepted.position.term <= lost) {
      Answer(accepted.id, LeadershipLostReply(), Index());
      continue;
    }
    if (!proposals_.empty()) CheckLt(proposals_.back().position.index, accepted.position.index);
    proposals_.push_back({accepted.position, accepted.id});
  }
  for (const raft::Refused& refused : out_.refused) Refuse(refused.id, refused.why);
}

void Replica::RouteReads() {
  for (const raft::ReadReady& read : out_.reads) reads_.push_back({read.at, read.id});
}

void Replica::SubmitSnapshotJobs() {
  for (NodeId peer : out_.snapshot_closes) {
    std::erase_if(snapshot_reads_, [&](const auto& read) { return read.peer == peer; });
    host_.disk.Submit(CloseSnapshot{group_, peer});
  }
  // A newer one for the same peer is instead of what waits, at its place: Raft ignores late
  // answers.
  for (const raft::SnapshotRead& read : out_.snapshot_reads) {
    const auto waits = std::find_if(snapshot_reads_.begin(), snapshot_reads_.end(),
                                    [&](const auto& one) { return one.peer == read.peer; });
    waits != snapshot_reads_.end() ? static_cast<void>(*waits = read)
                                   : snapshot_reads_.push_back(read);
  }
  const Instant now = host_.clock.Now();
  while (!snapshot_reads_.empty() && bulk_.MayGoOn(now)) {
    const raft::SnapshotRead read = snapshot_reads_.front();
    snapshot_reads_.pop_front();
    SubmitTableJob(
        ReadSnapshot{group_, read.peer, read.snapshot, read.offset, read.bytes_max, read.tag});
  }
  for (raft::SnapshotWrite& write : out_.snapshot_writes) {
    SubmitTableJob(WriteSnapshot{group_, write.snapshot, write.offset, std::move(write.data),
                                 write.last, std::move(write.configuration)});
  }
}

void Replica::SubmitApply() {
  if (applying_ || raft_.commit() <= apply_submitted_) return;
  std::vector<Entry> entries =
      raft_.log().Slice(apply_submitted_.Next(), raft_.commit(), options_.apply_entries_max,
                        options_.apply_bytes_max);
  apply_submitted_ = entries.back().index;
  if (out_.notes_wanted) being_applied_ = entries;
  applying_ = true;
  SubmitTableJob(ApplyEntries{group_, std::move(entries)});
}

// Reads whose state has been applied, in one job behind what was applied before them. One job at a
// time: while it is under way the next grows, so that an overload makes jobs larger, not the queue
// longer.
void Replica::SubmitQueries() {
  if (queries_under_way_ > 0) return;
  QueryTable job{.group = group_, .items = {}};
  while (!reads_.empty() && reads_.front().at <= applied_.index) {
    const auto query = queries_.find(reads_.front().id);
    Check(query != queries_.end());
    job.items.push_back({query->first, std::move(query->second)});
    queries_.erase(query);
    reads_.pop_front();
  }
  for (auto* queries : {&stale_queries_, &duty_queries_}) {
    for (auto& [id, query] : *queries) job.items.push_back({id, std::move(query)});
    queries->clear();
  }
  if (job.items.empty()) return;
  queries_under_way_ += job.items.size();
  SubmitTableJob(std::move(job));
}

void Replica::SubmitCheckpoint() {
  const raft::RaftLog& log = raft_.log();
  // One large entry may lack room long before the next checkpoint is due by itself.
  if (out_.log_full) checkpoint_bytes_ = 0;
  const bool due = log.size() >= checkpoint_entries_ || log.bytes() >= checkpoint_bytes_;
  if (checkpointing_ || !due || applied_.index <= log.base().index) return;
  checkpointing_ = true;
  SubmitTableJob(Checkpoint{group_});
}

// Answers.

// Whatever the job is for: a snapshot that is never read keeps a follower out as surely as an entry
// that is never applied keeps a client waiting (simulation seed 2552).
void Replica::SubmitTableJob(StorageJob job) {
  if (table_jobs_ == 0) table_heard_ = host_.clock.Now();
  ++table_jobs_;
  host_.disk.Submit(std::move(job));
}

void Replica::NoteTableDone() {
  CheckLt(uint64_t{0}, table_jobs_);
  --table_jobs_;
  table_heard_ = host_.clock.Now();
}

// Of the table's jobs none has come back for several election time-outs: longer than a checkpoint
// may hold it up.
bool Replica::TableIsStalled() const {
  constexpr int kTimeouts = 4;
  return table_jobs_ > 0 &&
         host_.clock.Now() >= table_heard_ + kTimeouts * options_.raft.election_max;
}

}  // namespace lockstep::node
