// A replica and its table: the jobs that it hands over, and what comes of them.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/node/client_reply.h"
#include "core/node/replica.h"

namespace lockstep::node {
namespace {

// So many times as often the log is compacted while space is low: it makes room for what goes on.
constexpr uint64_t kSoonerWithoutSpace = 8;

proto::Result ParseResult(const Bytes& bytes) {
  proto::Result result;
  Check(result.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
        "a state machine's answer is no result");
  return result;
}

}  // namespace

// What is done.

void Replica::NoteTableDone() {
  CheckLt(uint64_t{0}, table_jobs_);
  --table_jobs_;
  table_heard_ = host_.clock.Now();
}

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
      const proto::Result internal = ParseResult(result.reply);
      counters_.Changed(host_.clock.Now(), internal.shards());
      duty_->OnApplied(host_.clock.Now(), internal);
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
    AnswerWith(proposal.id, result.reply, result.index,
               stage_times_.Applied(result.index, proposal.came, host_.clock.Now()));
  }
}

void Replica::AnswerWith(RequestId id, const Bytes& result, Index index, const Stages& stages) {
  if (IsDutyCall(id)) return duty_->OnResult(host_.clock.Now(), id, ParseResult(result));
  Answer(id, ReplyWithResult(result, stages), index);
}

void Replica::OnTableDone(QueryDone& done) {
  CheckEq(done.items.size(), queries_came_.size());
  const Duration read = host_.clock.Now() - queries_began_;
  for (size_t i = 0; i < done.items.size(); ++i) {
    --queries_under_way_;
    Stages stages;
    stages.barrier = queries_began_ - queries_came_[i];
    stages.read = read;
    AnswerWith(done.items[i].id, done.items[i].reply, done.applied.index, stages);
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
  counters_.snapshot_bytes_sent += done.data.size();
  if (done.last) ++counters_.snapshots_sent;
  if (done.gone) ++counters_.snapshots_aborted;
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
  if (done.complete) {
    ++counters_.snapshots_received;
    counters_.coming.clear();
  }
  if (duty_ != nullptr && applied_ != done.applied) duty_->OnTableReplaced();
  applied_ = done.applied;
  Step(raft::SnapshotChunkWritten{done.snapshot, done.next_offset, done.complete, done.applied,
                                  std::move(done.configuration)});
  apply_submitted_ = std::max(apply_submitted_, applied_.index);
}

// What is to be done: at the end of a turn.

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
    counters_.snapshot_bytes_received += write.data.size();
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
  queries_began_ = host_.clock.Now();
  queries_came_.clear();
  QueryTable job{.group = group_, .items = {}};
  while (!reads_.empty() && reads_.front().at <= applied_.index) {
    const auto query = queries_.find(reads_.front().id);
    Check(query != queries_.end());
    counters_.read_index.Add(queries_began_ - query->second.since);
    queries_came_.push_back(query->second.since);
    job.items.push_back({query->first, std::move(query->second.encoded)});
    queries_.erase(query);
    reads_.pop_front();
  }
  for (auto& [id, query] : stale_queries_) {
    queries_came_.push_back(query.since);
    job.items.push_back({id, std::move(query.encoded)});
  }
  stale_queries_.clear();
  for (auto& [id, query] : duty_queries_) job.items.push_back({id, std::move(query)});
  duty_queries_.clear();
  queries_came_.resize(job.items.size(), queries_began_);
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

// Whatever the job is for: a snapshot that is never read keeps a follower out as surely as an entry
// that is never applied keeps a client waiting (simulation seed 2552).
void Replica::SubmitTableJob(StorageJob job) {
  if (table_jobs_ == 0) table_heard_ = host_.clock.Now();
  ++table_jobs_;
  host_.disk.Submit(std::move(job));
}

// Of the table's jobs none has come back for several election time-outs: longer than a checkpoint
// may hold it up.
bool Replica::TableIsStalled() const {
  constexpr int kTimeouts = 4;
  return table_jobs_ > 0 &&
         host_.clock.Now() >= table_heard_ + kTimeouts * options_.raft.election_max;
}

}  // namespace lockstep::node
