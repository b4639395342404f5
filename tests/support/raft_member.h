// One Raft replica with a disk and a table that are moved by hand: the smallest world for
// raft::Raft. The scripts and the random storm both use it.
#ifndef LOCKSTEP_TESTS_SUPPORT_RAFT_MEMBER_H_
#define LOCKSTEP_TESTS_SUPPORT_RAFT_MEMBER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/base/types.h"
#include "core/raft/raft.h"
#include "core/runtime/log.h"

namespace lockstep::test {

// Applies a batch as core/runtime/log.h says: hard state, base, truncation, append.
void ApplyBatch(const LogBatch& batch, ReplicaImage* image);

// The state machine: its state is the text of all entries that it applied, so that equal prefixes
// of the log have equal texts.
struct TextTable {
  LogPosition applied;
  std::string text;
  Bytes configuration = {};
  void Apply(const Entry& entry);
};

// What one turn brought out, in order.
struct TurnEffects {
  raft::Output output;
  std::vector<raft::Outgoing> released;  // held back until now, free to go
};

class Member {
 public:
  struct Write {
    PersistSeq seq;
    LogBatch batch;
  };
  using TableJob = std::variant<raft::SnapshotRead, raft::SnapshotWrite>;

  Member(const raft::Config& config, ReplicaImage image, uint64_t seed, Instant now);

  NodeId id() const { return config_.self; }
  const raft::Raft& raft() const { return *raft_; }
  bool up() const { return raft_.has_value(); }
  const ReplicaImage& disk() const { return disk_; }
  const TextTable& table() const { return table_; }
  LogPosition durable_applied() const { return durable_table_.applied; }
  const std::deque<Write>& writes() const { return writes_; }
  const std::deque<TableJob>& table_jobs() const { return table_jobs_; }

  // One turn: the inputs, then Flush. Committed entries are applied to the table.
  TurnEffects Turn(Instant now, std::vector<raft::Input> inputs);
  // Hands the open batch to the disk; nullptr: there is none.
  const Write* StartWrite();
  // The oldest write is durable, as its turn.
  TurnEffects FinishWrite(Instant now);
  // Executes the oldest job of the table, with its answer as its turn.
  TurnEffects RunTableJob(Instant now);
  // Makes the table durable and lets the log forget.
  TurnEffects Compact(Instant now, Index through);
  // The snapshots that it has open for others are lost.
  void ForgetSnapshots() { open_snapshots_.clear(); }

  // Power fails; the `keep` oldest writes under way are found on the disk afterwards.
  void Crash(uint64_t keep);
  void Boot(Instant now);

 private:
  raft::SnapshotChunkRead Run(const raft::SnapshotRead& read);
  raft::SnapshotChunkWritten Run(const raft::SnapshotWrite& write);

  raft::Config config_;
  uint64_t seed_;
  uint64_t boots_ = 0;
  std::optional<raft::Raft> raft_;

  ReplicaImage disk_;  // without `applied`: that is the durable table's
  std::deque<Write> writes_;
  std::vector<raft::Outgoing> held_;

  TextTable table_;
  TextTable durable_table_;
  TextTable staged_;  // a snapshot that arrives
  std::map<NodeId, TextTable> open_snapshots_;
  std::deque<TableJob> table_jobs_;
};

}  // namespace lockstep::test

#endif  // LOCKSTEP_TESTS_SUPPORT_RAFT_MEMBER_H_
