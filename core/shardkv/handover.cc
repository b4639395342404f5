// What a shard group says to itself: the way of a shard from group to group (docs/decisions/0011).
#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/shardkv/command.h"
#include "core/shardkv/shard_machine.h"
#include "core/shardkv/table_layout.h"

namespace lockstep::shardkv {
namespace {

void Refuse(std::string why, proto::Result& result) {
  result.set_code(proto::FAILED_PRECONDITION);
  result.set_message(std::move(why));
}

// No state of a correct group has a version beyond; it keeps the versions that follow far from
// overflow.
constexpr uint64_t kVersionMax = uint64_t{1} << 56;

template <class Repeated>
bool AscendingShards(const Repeated& list, uint32_t shards) {
  for (int i = 0; i < list.size(); ++i) {
    if (list[i].shard() >= shards) return false;
    if (i > 0 && list[i - 1].shard() >= list[i].shard()) return false;
  }
  return true;
}

}  // namespace

void ShardMachine::ApplyInternal(const proto::Command& command, Step& step) {
  switch (command.operation_case()) {
    case proto::Command::kReconfigure:
      return Apply(command.reconfigure(), step);
    case proto::Command::kInstallChunk:
      return Apply(command.install_chunk(), step);
    case proto::Command::kDropShard:
      return Apply(command.drop_shard(), step);
    case proto::Command::kSweepShard:
      return Apply(command.sweep_shard(), step);
    case proto::Command::kFinishHandover:
      return Apply(command.finish_handover(), step);
    default:
      return Refuse("a shard group does not say this to itself", step.result);
  }
}

proto::ShardStates ShardMachine::Group() const {
  proto::ShardStates group;
  group.set_num(num_);
  group.set_shards(shards_);
  group.set_member(member_);
  group.set_joined(joined_);
  if (controllers_.membership() != 0) *group.mutable_controllers() = controllers_;
  return group;
}

void ShardMachine::Changed(const Tenure& tenure, Step& step) const {
  Save(tenure, step.table);
  *step.result.mutable_shards()->add_tenures() = ToProto(tenure);
}

const Tenure* ShardMachine::Newest(uint32_t shard) const {
  const auto after = tenures_.lower_bound({shard + 1, 0});
  if (after == tenures_.begin()) return nullptr;
  const Tenure& newest = std::prev(after)->second;
  return newest.id.shard == shard ? &newest : nullptr;
}

bool ShardMachine::IsLive(uint32_t shard) const {
  const Tenure* newest = Newest(shard);
  return newest != nullptr && newest->until == 0;
}

// Null for 0, which no configuration has: a tenure that goes on has not ended there.
const Tenure* ShardMachine::Ended(uint32_t shard, uint64_t ended) const {
  if (ended == 0) return nullptr;
  for (auto at = tenures_.lower_bound({shard, 0}); at != tenures_.end(); ++at) {
    if (at->first.shard != shard) break;
    if (at->second.until == ended) return &at->second;
  }
  return nullptr;
}

// --- The next configuration

// Empty: it may be applied. Otherwise it is late, early, or a mistake, and changes nothing.
std::string ShardMachine::WhyNot(const proto::Reconfigure& change) const {
  const bool next = change.num() == num_ + 1;
  // Who was not a member has missed nothing that concerns it, and may begin where it joins.
  const bool joins = !member_ && change.member() && change.joined() == change.num();
  if (change.num() <= num_ || !(next || joins)) {
    return absl::StrCat("configuration ", change.num(), " does not follow ", num_);
  }
  if (change.shards() == 0 || change.shards() > kShardsMax ||
      (shards_ != 0 && change.shards() != shards_)) {
    return absl::StrCat("a cluster of ", change.shards(), " shards, not ", shards_);
  }
  if (!AscendingShards(change.gained(), change.shards()) ||
      !AscendingShards(change.lost(), change.shards())) {
    return "shards out of order, or out of range";
  }
  for (const proto::GainedShard& one : change.gained()) {
    if (IsLive(one.shard())) return absl::StrCat("shard ", one.shard(), " is here");
  }
  for (const proto::LostShard& one : change.lost()) {
    if (!IsLive(one.shard())) return absl::StrCat("shard ", one.shard(), " is not here");
  }
  return "";
}

void ShardMachine::Apply(const proto::Reconfigure& change, Step& step) {
  const std::string why_not = WhyNot(change);
  if (!why_not.empty()) return Refuse(why_not, step.result);
  num_ = change.num();
  shards_ = change.shards();
  member_ = change.member();
  if (member_) joined_ = change.joined();  // Otherwise: as what it was a member last.
  if (change.controllers().membership() > controllers_.membership()) {
    controllers_ = change.controllers();
  }
  const proto::ShardStates group = Group();
  step.table.Put(absl::string_view(&kGroupKind, 1), group.SerializeAsString());
  step.result.set_code(proto::OK);
  *step.result.mutable_shards() = group;
  for (const proto::LostShard& lost : change.lost()) {
    Tenure& tenure = tenures_.at(Newest(lost.shard())->id);
    tenure.until = change.num();
    tenure.destination = lost.destination();
    if (tenure.serves()) Freeze(tenure, tenure.VersionAt(step.index));
    Changed(tenure, step);
  }
  for (const proto::GainedShard& gained : change.gained()) Gain(gained, change.num(), step);
}

void ShardMachine::Gain(const proto::GainedShard& gained, uint64_t num, Step& step) {
  Tenure fresh;
  fresh.id = {gained.shard(), num};
  fresh.joined = joined_;
  fresh.source = gained.source();
  fresh.source_ended = gained.ended();
  fresh.state = fresh.source.gid() == 0 ? proto::SHARD_SERVING : proto::SHARD_PULLING;
  if (fresh.serves()) Serve(fresh, step.table);
  const auto [at, added] = tenures_.emplace(fresh.id, std::move(fresh));
  Check(added, "two tenures began at once");
  SaveCounts(at->second, step.table);
  Changed(at->second, step);
}

// From here on nothing of it changes: `version` is above that of all that was written.
void ShardMachine::Freeze(Tenure& tenure, Index version) {
  tenure.state = proto::SHARD_FROZEN;
  tenure.frozen_version = version.value();
  tenure.machine = nullptr;
}

// --- At the destination

// Empty: it may be installed. Nothing of a part is written before all of it is known to be right:
// what does not add up to what was frozen is never served, better no answer than a wrong one.
std::string ShardMachine::WhyNot(const proto::InstallChunk& chunk) const {
  const auto found = tenures_.find({chunk.shard(), chunk.num()});
  if (found == tenures_.end() || found->second.state != proto::SHARD_PULLING ||
      found->second.next_sequence != chunk.sequence()) {
    return "not the part that is waited for";
  }
  const Tenure& tenure = found->second;
  const proto::TenurePart& part = chunk.part();
  if (ChecksumOf(part) != part.checksum()) {
    return "the part is damaged: its checksum does not match";
  }
  Counts counts = tenure.counts;
  absl::string_view begin = tenure.resume;
  for (const proto::ShardRecord& record : part.records()) {
    const absl::string_view key = record.key();
    if (key < begin || (key == begin && &record != &part.records(0))) return "keys out of order";
    counts.Add(key, record.value());
    begin = key;
  }
  if (!part.has_summary()) {
    return part.resume() > begin ? "" : "the part does not say where the next one begins";
  }
  if (part.summary().version() > kVersionMax) {
    return absl::StrCat("version ", part.summary().version(), " is beyond any state's");
  }
  const Counts expected = {.keys = part.summary().keys(),
                           .bytes = part.summary().bytes(),
                           .content = part.summary().content()};
  if (counts == expected) return "";
  return absl::StrCat("of shard ", chunk.shard(), " ", counts.keys, " keys with ", counts.bytes,
                      " bytes arrived, not ", expected.keys, " with ", expected.bytes,
                      ", or not the same ones");
}

void ShardMachine::Apply(const proto::InstallChunk& chunk, Step& step) {
  const std::string why_not = WhyNot(chunk);
  if (!why_not.empty()) return Refuse(why_not, step.result);
  Tenure& tenure = tenures_.at({chunk.shard(), chunk.num()});
  ContentsWriter contents(step.table, tenure.prefix(), tenure.counts);
  for (const proto::ShardRecord& record : chunk.part().records()) {
    contents.Put(record.key(), record.value());
  }
  SaveCounts(tenure, step.table);
  step.result.set_code(proto::OK);
  ++tenure.next_sequence;
  tenure.resume = chunk.part().resume();
  if (chunk.part().has_summary()) CompleteInstall(tenure, chunk.part().summary(), step);
  Changed(tenure, step);
}

void ShardMachine::CompleteInstall(Tenure& tenure, const proto::ShardSummary& summary, Step& step) {
  const uint64_t above = summary.version() + 1;
  const uint64_t index = step.index.value();
  tenure.version_offset = above > index ? above - index : 0;
  tenure.resume.clear();
  tenure.state = proto::SHARD_SERVING_GC;
  if (tenure.until != 0) return Freeze(tenure, tenure.VersionAt(step.index));
  Serve(tenure, step.table);
}

void ShardMachine::Apply(const proto::FinishHandover& finish, Step& step) {
  const auto found = tenures_.find({finish.shard(), finish.num()});
  const bool owed = found != tenures_.end() && found->second.state != proto::SHARD_PULLING &&
                    found->second.source.gid() != 0;
  if (!owed) return Refuse("nobody need be told", step.result);
  Tenure& tenure = found->second;
  step.result.set_code(proto::OK);
  tenure.source.Clear();
  tenure.source_ended = 0;
  if (tenure.state == proto::SHARD_SERVING_GC) tenure.state = proto::SHARD_SERVING;
  Changed(tenure, step);
  EraseIfDone(tenure, step);
}

// --- At the source

void ShardMachine::Apply(const proto::DropShard& drop, Step& step) {
  if (drop.ended() == 0) return Refuse("no configuration has the number 0", step.result);
  const Tenure* ended = Ended(drop.shard(), drop.ended());
  if (ended == nullptr && num_ < drop.ended()) {
    return Refuse("that configuration is still to come here", step.result);
  }
  if (ended != nullptr && ended->state == proto::SHARD_PULLING) {
    return Refuse("it has not even arrived here", step.result);
  }
  step.result.set_code(proto::OK);
  if (ended == nullptr || ended->state == proto::SHARD_DROPPED) return;
  Tenure& tenure = tenures_.at(ended->id);
  Check(tenure.state == proto::SHARD_FROZEN);
  tenure.state = proto::SHARD_DROPPED;
  Changed(tenure, step);
  EraseIfDone(tenure, step);
}

void ShardMachine::Apply(const proto::SweepShard& sweep, Step& step) {
  const auto found = tenures_.find({sweep.shard(), sweep.since()});
  if (found == tenures_.end() || found->second.state != proto::SHARD_DROPPED) {
    return Refuse("there is nothing to be deleted", step.result);
  }
  Tenure& tenure = found->second;
  std::vector<std::string> keys;
  uint64_t bytes = 0;
  ContentsWriter contents(step.table, tenure.prefix(), tenure.counts);
  contents.Scan("", [&](absl::string_view key, absl::string_view value) {
    keys.emplace_back(key.data(), key.size());
    bytes += key.size() + value.size();
    return keys.size() < options_.sweep_records_max && bytes < options_.sweep_bytes_max;
  });
  for (const std::string& key : keys) contents.Delete(key);
  SaveCounts(tenure, step.table);
  step.result.set_code(proto::OK);
  Changed(tenure, step);
  EraseIfDone(tenure, step);
}

// A tenure is over when nothing of it is left, and nobody need be told that it had arrived.
void ShardMachine::EraseIfDone(const Tenure& tenure, Step& step) {
  if (tenure.state != proto::SHARD_DROPPED || tenure.source.gid() != 0) return;
  bool empty = true;
  ContentsReader(step.table, tenure.prefix()).Scan("", [&](absl::string_view, absl::string_view) {
    empty = false;
    return false;
  });
  // A damaged table may look empty: then the counts are not, and the read error, which the machine
  // does not see, stops the node after this entry.
  if (!empty || tenure.counts != Counts{}) return;
  step.table.Delete(TenureKey(kTenureKind, tenure.id.shard, tenure.id.since));
  step.table.Delete(TenureKey(kCountsKind, tenure.id.shard, tenure.id.since));
  step.result.mutable_shards()->mutable_tenures()->rbegin()->set_state(proto::SHARD_NONE);
  tenures_.erase(tenure.id);
}

}  // namespace lockstep::shardkv
