#include "tests/support/raft_member.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace lockstep::test {

void ApplyBatch(const LogBatch& batch, ReplicaImage* image) {
  if (batch.hard_state.has_value()) image->hard_state = *batch.hard_state;
  std::vector<Entry>& entries = image->entries;
  const auto last = [&] { return image->base.index.Plus(entries.size()); };
  if (batch.base.has_value()) {
    CheckLe(image->base.index, batch.base->index);
    const uint64_t drop = batch.base->index.Since(image->base.index);
    const bool held = drop == 0
                          ? *batch.base == image->base
                          : drop <= entries.size() && entries[drop - 1].term == batch.base->term;
    const auto until = held ? entries.begin() + static_cast<std::ptrdiff_t>(drop) : entries.end();
    entries.erase(entries.begin(), until);
    image->base = *batch.base;
  }
  if (batch.truncate_from.has_value()) {
    CheckLt(image->base.index, *batch.truncate_from);
    CheckLe(*batch.truncate_from, last().Next());
    entries.resize(batch.truncate_from->Since(image->base.index) - 1);
  }
  for (const Entry& entry : batch.append) {
    CheckEq(entry.index, last().Next());
    entries.push_back(entry);
  }
}

void TextTable::Apply(const Entry& entry) {
  CheckEq(entry.index, applied.index.Next());
  const bool members = entry.kind == EntryKind::kConfiguration;
  absl::StrAppend(&text, entry.term.value(), ".", entry.index.value(), ":",
                  members ? "members" : std::string(entry.data.view()), ";");
  applied = LogPosition{entry.index, entry.term};
  if (entry.kind == EntryKind::kConfiguration) configuration = entry.data;
}

Member::Member(const raft::Config& config, ReplicaImage image, uint64_t seed, Instant now)
    : config_(config), seed_(seed), disk_(std::move(image)) {
  durable_table_.applied = disk_.applied;
  if (disk_.applied.index > Index()) {
    durable_table_.text = absl::StrCat("until ", disk_.applied.index.value(), ";");
  }
  Boot(now);
}

void Member::Boot(Instant now) {
  Check(!up());
  table_ = durable_table_;
  disk_.applied = durable_table_.applied;
  disk_.configuration = durable_table_.configuration;
  raft_.emplace(config_, disk_, Rng(seed_).Split("boot", boots_), now);
  ++boots_;
}

void Member::Crash(uint64_t keep) {
  Check(up());
  CheckLe(keep, uint64_t{writes_.size()});
  for (uint64_t i = 0; i < keep; ++i) ApplyBatch(writes_[i].batch, &disk_);
  writes_.clear();
  held_.clear();
  table_jobs_.clear();
  open_snapshots_.clear();
  staged_ = TextTable{};
  raft_.reset();
}

TurnEffects Member::Turn(Instant now, std::vector<raft::Input> inputs) {
  TurnEffects effects;
  raft::Output& output = effects.output;
  output.notes_wanted = true;
  for (raft::Input& input : inputs) raft_->Step(now, std::move(input), output);
  raft_->Flush(now, output);

  const PersistSeq durable = raft_->completed();
  std::vector<raft::Outgoing> held = std::exchange(held_, {});
  for (raft::Outgoing& outgoing : held) {
    (outgoing.after <= durable ? effects.released : held_).push_back(std::move(outgoing));
  }
  for (const raft::Outgoing& outgoing : output.send) {
    if (outgoing.after > durable) held_.push_back(outgoing);
  }
  for (NodeId peer : output.snapshot_closes) open_snapshots_.erase(peer);
  for (const raft::SnapshotRead& read : output.snapshot_reads) table_jobs_.push_back(read);
  for (const raft::SnapshotWrite& write : output.snapshot_writes) table_jobs_.push_back(write);
  while (table_.applied.index < raft_->commit())
    table_.Apply(raft_->log().At(table_.applied.index.Next()));
  return effects;
}

const Member::Write* Member::StartWrite() {
  if (!raft_->HasBatch()) return nullptr;
  Write& write = writes_.emplace_back();
  write.batch = raft_->TakeBatch(&write.seq);
  return &write;
}

TurnEffects Member::FinishWrite(Instant now) {
  Check(!writes_.empty());
  const Write write = std::move(writes_.front());
  writes_.pop_front();
  ApplyBatch(write.batch, &disk_);
  return Turn(now, {raft::Persisted{write.seq}});
}

TurnEffects Member::RunTableJob(Instant now) {
  Check(!table_jobs_.empty());
  const TableJob job = std::move(table_jobs_.front());
  table_jobs_.pop_front();
  if (const auto* read = std::get_if<raft::SnapshotRead>(&job); read != nullptr) {
    return Turn(now, {Run(*read)});
  }
  return Turn(now, {Run(std::get<raft::SnapshotWrite>(job))});
}

TurnEffects Member::Compact(Instant now, Index through) {
  CheckLe(through, table_.applied.index);
  durable_table_ = table_;
  return Turn(now, {raft::Compact{through}});
}

raft::SnapshotChunkRead Member::Run(const raft::SnapshotRead& read) {
  if (!read.snapshot.has_value()) open_snapshots_[read.peer] = table_;
  const LogPosition wanted = read.snapshot.value_or(table_.applied);
  raft::SnapshotChunkRead answer{.peer = read.peer,
                                 .snapshot = wanted,
                                 .offset = read.offset,
                                 .data = Bytes(),
                                 .last = false,
                                 .gone = false,
                                 .tag = read.tag};
  const auto open = open_snapshots_.find(read.peer);
  if (open == open_snapshots_.end() || open->second.applied != wanted) {
    answer.gone = true;
    return answer;
  }
  const std::string& text = open->second.text;
  CheckLe(read.offset, uint64_t{text.size()});
  answer.data = Bytes::Copy(absl::string_view(text).substr(read.offset, read.bytes_max));
  answer.last = read.offset + answer.data.size() == text.size();
  answer.configuration = open->second.configuration;
  return answer;
}

raft::SnapshotChunkWritten Member::Run(const raft::SnapshotWrite& write) {
  raft::SnapshotChunkWritten answer;
  answer.snapshot = write.snapshot;
  if (table_.applied.index >= write.snapshot.index) {
    answer.complete = true;
    // Before it says so it must be durable: the real table is synced here.
    durable_table_ = table_;
  } else {
    if (write.offset == 0 && staged_.applied != write.snapshot) {
      staged_ = TextTable{.applied = write.snapshot, .text = ""};
      staged_.configuration = write.configuration;
    }
    const bool next = staged_.applied == write.snapshot && staged_.text.size() == write.offset;
    if (next) absl::StrAppend(&staged_.text, write.data.view());
    if (staged_.applied == write.snapshot) answer.next_offset = staged_.text.size();
    if (next && write.last) {
      answer.complete = true;
      durable_table_ = table_ = std::exchange(staged_, TextTable{});
    }
  }
  answer.applied = table_.applied;
  answer.configuration = table_.configuration;
  return answer;
}

}  // namespace lockstep::test
