// One group of a sharded store as a replicated state machine: a key-value store for each shard that
// is here, and the hand-over of shards from group to group.
//
// What clients say (EntryKind::kCommand) goes to the store of the shard that it names, if the shard
// is served here as of that entry; otherwise the answer is WRONG_GROUP, and nothing has changed,
// neither data nor session. What the group says to itself (EntryKind::kInternal) moves shards
// through their states:
//
//   Reconfigure      -> SERVING (it never had an owner) or PULLING; SERVING -> FROZEN
//   InstallChunk     the next part arrives; the last one: PULLING -> SERVING_GC, or FROZEN if lost
//   meanwhile FinishHandover   SERVING_GC -> SERVING: the source knows DropShard        FROZEN ->
//   DROPPED: the destination has it SweepShard       deletes some of what was dropped; at the end
//   the tenure is gone
//
// Each of them is idempotent and names the configuration it belongs to, so late, repeated and
// reordered ones are harmless. Total, as any machine.
#ifndef LOCKSTEP_CORE_SHARDKV_SHARD_MACHINE_H_
#define LOCKSTEP_CORE_SHARDKV_SHARD_MACHINE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "core/proto/client.pb.h"
#include "core/runtime/state_machine.h"
#include "core/shardkv/options.h"
#include "core/shardkv/tenure.h"

namespace lockstep::shardkv {

class ShardMachine final : public StateMachine {
 public:
  explicit ShardMachine(const ShardOptions& options);

  void Load(const TableReader& table) override;
  // A proto::Result. For clients as kv::KvMachine, and WRONG_GROUP. For the group itself: OK with
  // what changed in Result.shards, or FAILED_PRECONDITION with nothing changed.
  Bytes Apply(const Entry& entry, TableWriter& table) override;
  Bytes Query(const Bytes& query, LogPosition applied, const TableReader& table) const override;

  // For tests.
  uint64_t num() const { return num_; }
  const absl::btree_map<TenureId, Tenure>& tenures() const { return tenures_; }

 private:
  // What one command of the group itself does. Filled as it goes.
  struct Step {
    Index index;
    TableWriter& table;
    proto::Result& result;
  };

  // shard_machine.cc: clients.
  void ApplyCommand(const proto::Command& command, Index index, TableWriter& table,
                    proto::Result* result);
  // Null: `result` says why not.
  const Tenure* Served(uint32_t shard, proto::Result* result) const;
  void Load(Tenure& tenure, const TableReader& table) const;
  void Serve(Tenure& tenure, const TableReader& table) const;
  void Save(const Tenure& tenure, TableWriter& table) const;
  void SaveCounts(const Tenure& tenure, TableWriter& table) const;

  // handover.cc
  void ApplyInternal(const proto::Command& command, Step& step);
  void Apply(const proto::Reconfigure& change, Step& step);
  void Apply(const proto::InstallChunk& chunk, Step& step);
  void Apply(const proto::DropShard& drop, Step& step);
  void Apply(const proto::SweepShard& sweep, Step& step);
  void Apply(const proto::FinishHandover& finish, Step& step);
  std::string WhyNot(const proto::Reconfigure& change) const;
  std::string WhyNot(const proto::InstallChunk& chunk) const;
  void Gain(const proto::GainedShard& gained, uint64_t num, Step& step);
  void Freeze(Tenure& tenure, Index version);
  void CompleteInstall(Tenure& tenure, const proto::ShardSummary& summary, Step& step);
  void Changed(const Tenure& tenure, Step& step) const;
  void EraseIfDone(const Tenure& tenure, Step& step);
  const Tenure* Newest(uint32_t shard) const;
  bool IsLive(uint32_t shard) const;
  const Tenure* Ended(uint32_t shard, uint64_t ended) const;
  proto::ShardStates Group() const;

  // shard_reads.cc
  void Answer(const proto::Query& query, Index applied, const TableReader& table,
              proto::Result* result) const;
  void ReadList(const proto::List& list, const TableReader& table, proto::Result* result) const;
  void ReadPart(const proto::ReadTenure& read, const TableReader& table,
                proto::Result* result) const;

  const ShardOptions options_;
  uint64_t num_ = 0;     // of the newest configuration applied
  uint32_t shards_ = 0;  // how many the cluster has; 0: not known yet
  bool member_ = false;  // of that configuration
  uint64_t joined_ = 0;  // since this one
  // Whom its leaders ask for configurations, by the newest that says so. Kept here because all
  // controllers may have been replaced while the next leader heard nothing.
  proto::Controllers controllers_;
  absl::btree_map<TenureId, Tenure> tenures_;
  proto::Command command_;  // scratch: parsing into it again reuses its memory
};

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_CORE_SHARDKV_SHARD_MACHINE_H_
