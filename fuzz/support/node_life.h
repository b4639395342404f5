// The storage of one node on a simulated disk, driven by a fuzz input as a node drives it, and
// everything that it was told: what must be there afterwards, and what may be.
#ifndef LOCKSTEP_FUZZ_SUPPORT_NODE_LIFE_H_
#define LOCKSTEP_FUZZ_SUPPORT_NODE_LIFE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "core/base/check.h"
#include "fuzz/support/input.h"
#include "fuzz/support/log_model.h"
#include "fuzz/support/pairs_machine.h"
#include "sim/disk/sim_file_system.h"
#include "storage/engine.h"
#include "storage/wal_format.h"

namespace lockstep::fuzz {

inline constexpr char kNodeDirectory[] = "d";

// A table after some entry.
struct TableModel {
  Term term;  // of the entry
  Pairs pairs;
  std::string configuration;
};

struct GroupTables {
  std::map<Index, TableModel> history{{Index(), TableModel()}};
  Index durable;  // a table with at least this is on the disk
  Index applied;  // the newest that ever was
  const TableModel& newest() const { return history.at(applied); }
};

// The logs after one commit, and where the newest segment ended then.
struct LogState {
  LogModel logs;
  std::string segment;
  uint64_t end = 0;
};

class NodeLife {
 public:
  NodeLife(sim::SimFileSystem& files, Input& input, const storage::EngineOptions& options)
      : files_(files), input_(input), options_(options) {
    LogModel logs;
    for (const GroupId group : options_.groups) logs[group] = GroupModel();
    log_states_.push_back({.logs = logs, .segment = {}});
    for (const GroupId group : options_.groups) tables_[group] = GroupTables();
  }

  // Opens what a power failure or nothing at all has left: nothing may be missing.
  void Boot() {
    const std::vector<ReplicaImage> images = Open();
    Check(engine_->repairs().empty(), "nothing was damaged");
    const bool survived = !Same(images, log_states_.back().logs);
    if (survived) {
      Check(Same(images, under_way_));
      log_states_.push_back({.logs = under_way_, .segment = {}});
    }
    NoteEnd();
    for (const ReplicaImage& image : images) TakeTable(image);
  }

  // One thing that a node does. An error: the disk is gone.
  absl::Status Step() {
    const GroupId group = options_.groups[input_.Below(options_.groups.size())];
    switch (input_.Below(8)) {
      case 0:
        return Forget(group);
      case 1:
        return CheckpointOf(group);
      case 2:
        return InstallSnapshot(group);
      case 3:
      case 4:
        return ApplySome(group);
      default:
        return Commit();
    }
  }

  void Stop() { engine_.reset(); }

  sim::SimFileSystem& files() { return files_; }
  const storage::EngineOptions& options() const { return options_; }
  const std::vector<LogState>& log_states() const { return log_states_; }
  const std::map<GroupId, GroupTables>& tables() const { return tables_; }

  absl::StatusOr<std::unique_ptr<storage::Engine>> TryOpen() {
    static const PairsMachines machines;
    return storage::Engine::Open(files_, options_, machines);
  }

 private:
  std::vector<ReplicaImage> Open() {
    auto engine = TryOpen();
    Check(engine.ok(), "it opens");
    engine_ = *std::move(engine);
    return engine_->TakeImages();
  }

  // The table is the state after a prefix of what was applied.
  void TakeTable(const ReplicaImage& image) {
    GroupTables& tables = tables_.at(image.group);
    CheckLe(tables.durable, image.applied.index);
    CheckLe(image.applied.index, tables.applied);
    const auto then = tables.history.find(image.applied.index);
    Check(then != tables.history.end());
    CheckEq(then->second.term, image.applied.term);
    Check(image.configuration.view() == then->second.configuration);
    Pairs found;
    Check(engine_->VisitTable(image.group, [&](absl::string_view key, absl::string_view value) {
      found[std::string(key)] = std::string(value);
      return true;
    }));
    Check(found == then->second.pairs);
    tables.durable = image.applied.index;
    positions_[image.group] = image.applied.index;
  }

  // Where the newest segment ends now.
  void NoteEnd() {
    LogState& state = log_states_.back();
    for (const std::string& path : files_.Files()) {
      if (absl::EndsWith(path, ".log")) state.segment = path;
    }
    state.end = files_.Content(state.segment)->size();
  }

  absl::Status CommitBatches(CommitLog commit) {
    commit.batches.erase(std::remove_if(commit.batches.begin(), commit.batches.end(),
                                        [](const LogBatch& batch) { return batch.empty(); }),
                         commit.batches.end());
    under_way_ = log_states_.back().logs;
    Apply(commit, &under_way_);
    const auto done = engine_->Run(commit);
    if (!done.ok()) return done.status();
    log_states_.push_back({.logs = under_way_, .segment = {}});
    NoteEnd();
    return absl::OkStatus();
  }

  // As Raft does: a term is told before its entries are, and what was applied stays.
  LogBatch MakeNodeBatch(GroupId group) {
    GroupModel log = log_states_.back().logs.at(group);
    LogBatch batch;
    batch.group = group;
    const uint8_t what = input_.Byte();
    // Who was given a snapshot and stopped before its log said so.
    const Index applied = positions_[group];
    if (applied > log.last()) {
      batch.base = LogPosition{applied, tables_.at(group).history.at(applied).term};
    }
    const Term floor = std::max({log.hard_state.term, log.last_term(), Term(1),
                                 batch.base.has_value() ? batch.base->term : Term()});
    if ((what & 3) == 0 || log.hard_state.term < floor) {
      batch.hard_state = HardState{floor.Plus(what >> 2 & 1), NodeId(what >> 3 & 1)};
    }
    log.Apply(batch);
    const Index kept = std::max(log.base.index, tables_.at(group).applied);
    if ((what & 0x30) == 0x30 && log.last() > kept) {
      batch.truncate_from = kept.Plus(1 + input_.Below(log.last().Since(kept)));
      log.entries.erase(log.entries.lower_bound(*batch.truncate_from), log.entries.end());
    }
    MakeEntries(input_, log, (what >> 6) % 4, &batch);
    return batch;
  }

  absl::Status Commit() {
    CommitLog commit;
    const uint8_t who = input_.Byte();
    for (size_t i = 0; i < options_.groups.size(); ++i) {
      if ((who >> i & 1) != 0) commit.batches.push_back(MakeNodeBatch(options_.groups[i]));
    }
    return CommitBatches(std::move(commit));
  }

  absl::Status ApplySome(GroupId group) {
    const GroupModel& log = log_states_.back().logs.at(group);
    GroupTables& tables = tables_.at(group);
    Index& position = positions_[group];
    ApplyEntries job{group, {}};
    const uint64_t count = 1 + input_.Below(8);
    // Forgotten entries come with a snapshot; what came before is not asked for again.
    for (auto at = log.entries.upper_bound(position);
         at != log.entries.end() && job.entries.size() < count; ++at) {
      if (at->first != position.Plus(job.entries.size() + 1)) return absl::OkStatus();
      job.entries.push_back(at->second);
    }
    TableModel state = tables.history.at(position);
    for (const Entry& entry : job.entries) {
      state.term = entry.term;
      fuzz::Apply(entry, &state.pairs);
      if (entry.kind == EntryKind::kConfiguration) {
        state.configuration = std::string(entry.data.view());
      }
      position = entry.index;
      tables.history[position] = state;
    }
    tables.applied = std::max(tables.applied, position);
    return engine_->Run(job).status();
  }

  absl::Status CheckpointOf(GroupId group) {
    const auto done = engine_->Run(Checkpoint{group});
    if (!done.ok()) return done.status();
    Index& durable = tables_.at(group).durable;
    durable = std::max(durable, std::get<CheckpointDone>(*done).durable.index);
    return absl::OkStatus();
  }

  // Only what a durable table holds.
  absl::Status Forget(GroupId group) {
    const GroupModel& log = log_states_.back().logs.at(group);
    const Index limit = std::min(tables_.at(group).durable, log.last());
    if (limit <= log.base.index) return absl::OkStatus();
    const Index index = log.base.index.Plus(1 + input_.Below(limit.Since(log.base.index)));
    LogBatch batch;
    batch.group = group;
    batch.base = LogPosition{index, log.entries.at(index).term};
    return CommitBatches({{batch}});
  }

  // Of a leader that is ahead of everything here. The log follows with the group's next commit.
  absl::Status InstallSnapshot(GroupId group) {
    const GroupModel& log = log_states_.back().logs.at(group);
    GroupTables& tables = tables_.at(group);
    const Index index = std::max(log.last(), tables.applied).Plus(1 + input_.Below(4));
    // A position names one content, also when its transfer was broken off.
    const Term term =
        std::max({log.last_term(), tables.newest().term, log.hard_state.term}).Plus(++snapshots_);
    TableModel state{.term = term, .pairs = tables.newest().pairs, .configuration = "snapshot"};
    for (uint64_t i = input_.Below(6); i > 0; --i) {
      state.pairs[std::string(input_.Text(3)) + "."] = std::string(input_.Text(9));
    }
    const std::string stream = StreamOf(state.pairs);
    const uint64_t part_bytes = 1 + input_.Byte();
    tables.history[index] = state;
    const Index before = std::exchange(tables.applied, index);
    for (uint64_t at = 0;; at += part_bytes) {
      const bool last = at + part_bytes >= stream.size();
      const WriteSnapshot job{group, {index, term},
                              at,    Bytes::Copy(stream.substr(at, part_bytes)),
                              last,  Bytes::Copy(state.configuration)};
      const auto done = engine_->Run(job);
      if (!done.ok()) return done.status();
      if (last) {
        Check(std::get<WriteSnapshotDone>(*done).complete);
        break;
      }
      if (input_.Byte() < 0xF8) continue;
      tables.history.erase(index);  // The leader is gone.
      tables.applied = before;
      return absl::OkStatus();
    }
    tables.durable = positions_[group] = index;
    return absl::OkStatus();
  }

  sim::SimFileSystem& files_;
  Input& input_;
  const storage::EngineOptions options_;
  std::unique_ptr<storage::Engine> engine_;
  std::vector<LogState> log_states_;  // after each commit, oldest first
  LogModel under_way_;                // with the commit of which nobody knows
  std::map<GroupId, GroupTables> tables_;
  uint64_t snapshots_ = 0;
  std::map<GroupId, Index> positions_;  // of the tables as they are in memory
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_NODE_LIFE_H_
