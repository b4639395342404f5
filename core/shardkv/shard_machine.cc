#include "core/shardkv/shard_machine.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/kv/command.h"
#include "core/shardkv/command.h"
#include "core/shardkv/table_layout.h"

namespace lockstep::shardkv {
namespace {

// Entries above this are parsed into memory that is given back at once.
constexpr size_t kScratchBytesMax = size_t{1} << 20;

}  // namespace

ShardMachine::ShardMachine(const ShardOptions& options) : options_(options) {
  CheckLe(1u, options_.sweep_records_max);
}

// --- The table

void ShardMachine::Load(const TableReader& table) {
  tenures_.clear();
  std::string record;
  proto::ShardStates group;
  if (table.Get(absl::string_view(&kGroupKind, 1), &record)) {
    Check(group.ParseFromString(record), "group record: unreadable");
  }
  num_ = group.num();
  shards_ = group.shards();
  member_ = group.member();
  joined_ = group.joined();
  controllers_ = group.controllers();
  table.Scan(absl::string_view(&kTenureKind, 1),
             [&](absl::string_view key, absl::string_view value) {
               if (key.front() != kTenureKind) return false;
               proto::ShardTenure tenure;
               Check(tenure.ParseFromArray(value.data(), static_cast<int>(value.size())),
                     "tenure record: unreadable");
               Tenure loaded = FromProto(tenure);
               const TenureId id = loaded.id;
               tenures_.emplace_hint(tenures_.end(), id, std::move(loaded));
               return true;
             });
  for (auto& [id, tenure] : tenures_) Load(tenure, table);
}

void ShardMachine::Load(Tenure& tenure, const TableReader& table) const {
  std::string record;
  if (table.Get(TenureKey(kCountsKind, tenure.id.shard, tenure.id.since), &record)) {
    tenure.counts = Counts::Decode(record);
  }
  if (tenure.serves()) Serve(tenure, table);
}

void ShardMachine::Serve(Tenure& tenure, const TableReader& table) const {
  tenure.machine = std::make_unique<kv::KvMachine>(options_.kv);
  tenure.machine->Load(ContentsReader(table, tenure.prefix()));
}

void ShardMachine::Save(const Tenure& tenure, TableWriter& table) const {
  proto::ShardTenure record = ToProto(tenure);
  const uint64_t frozen_version = record.summary().version();
  record.clear_summary();  // The counts have a record of their own.
  if (frozen_version != 0) record.mutable_summary()->set_version(frozen_version);
  table.Put(TenureKey(kTenureKind, tenure.id.shard, tenure.id.since), record.SerializeAsString());
}

void ShardMachine::SaveCounts(const Tenure& tenure, TableWriter& table) const {
  table.Put(TenureKey(kCountsKind, tenure.id.shard, tenure.id.since), tenure.counts.Encode());
}

// --- Clients

Bytes ShardMachine::Apply(const Entry& entry, TableWriter& table) {
  Check(entry.kind != EntryKind::kNoop);
  proto::Result result;
  const bool readable =
      entry.data.size() <= size_t{INT32_MAX} &&
      command_.ParseFromArray(entry.data.data(), static_cast<int>(entry.data.size()));
  if (!readable) {
    result = kv::RefusalFor(absl::InvalidArgumentError(
        absl::StrCat("the entry of ", entry.data.size(), " bytes holds no command")));
  } else if (entry.kind == EntryKind::kInternal) {
    Step step{entry.index, table, result};
    ApplyInternal(command_, step);
  } else {
    ApplyCommand(command_, entry.index, table, &result);
  }
  if (entry.data.size() > kScratchBytesMax) {
    proto::Command empty;
    command_.Swap(&empty);
  }
  return kv::Encode(result);
}

void ShardMachine::ApplyCommand(const proto::Command& command, Index index, TableWriter& table,
                                proto::Result* result) {
  absl::Status valid = kv::ValidateCommand(command, options_.kv.limits);
  if (valid.ok()) valid = ValidatePlacement(command, shards_);
  if (!valid.ok()) {
    *result = kv::RefusalFor(valid);
    return;
  }
  if (Served(command.shard(), result) == nullptr) return;
  Tenure& tenure = tenures_.at(Newest(command.shard())->id);
  const Counts before = tenure.counts;
  ContentsWriter contents(table, tenure.prefix(), tenure.counts);
  tenure.machine->ApplyCommand(command, tenure.VersionAt(index), contents, result);
  if (tenure.counts != before) SaveCounts(tenure, table);
}

const Tenure* ShardMachine::Served(uint32_t shard, proto::Result* result) const {
  const Tenure* newest = Newest(shard);
  if (newest != nullptr && newest->serves()) return newest;
  const bool arrives =
      newest != nullptr && newest->state == proto::SHARD_PULLING && newest->until == 0;
  RefuseShard(shard, num_, arrives, result);
  return nullptr;
}

}  // namespace lockstep::shardkv
