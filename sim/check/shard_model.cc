#include "sim/check/shard_model.h"

#include <algorithm>
#include <iterator>

#include "core/base/check.h"

namespace lockstep::sim {
namespace {

using shardkv::TenureId;

// The newest tenure of a shard; null: none.
std::pair<const TenureId, ModelTenure>* Newest(ModelGroup& group, uint32_t shard) {
  const auto after = group.tenures.lower_bound({shard + 1, 0});
  if (after == group.tenures.begin()) return nullptr;
  auto& newest = *std::prev(after);
  return newest.first.shard == shard ? &newest : nullptr;
}

bool Follows(const ModelGroup& group, const proto::Reconfigure& change) {
  const bool next = change.num() == group.num + 1;
  const bool joins = !group.member && change.member() && change.joined() == change.num();
  return change.num() > group.num && (next || joins);
}

}  // namespace

ModelStep ShardModel::OnCommitted(GroupId gid, const Entry& entry) {
  ModelStep step;
  groups_[gid].last = entry.index;
  if (entry.kind == EntryKind::kCommand) OnCommand(gid, entry);
  if (entry.kind != EntryKind::kInternal) return step;
  ++internal_entries_;
  proto::Command command;
  const int size = static_cast<int>(entry.data.size());
  Check(command.ParseFromArray(entry.data.data(), size), "an entry of the group is unreadable");
  ModelGroup& group = groups_[gid];
  if (command.has_reconfigure()) Apply(group, gid, command.reconfigure(), entry.index, &step);
  if (command.has_install_chunk()) Apply(group, command.install_chunk(), entry.index, &step);
  if (command.has_drop_shard()) Apply(group, command.drop_shard());
  if (command.has_finish_handover()) Apply(group, command.finish_handover());
  // A tenure that arrives after its end is frozen at once.
  if (step.arrived) {
    ModelTenure& tenure = group.tenures.at(step.tenure);
    if (tenure.until != 0) Freeze(gid, step.tenure, tenure, entry.index);
  }
  return step;
}

void ShardModel::OnCommand(GroupId gid, const Entry& entry) {
  bytes_written_ += entry.data.size();
  const CommandIdentity command = IdentifyCommand(entry);
  auto* newest = Newest(groups_[gid], command.shard);
  if (newest == nullptr || !newest->second.serves()) {
    ++refused_;
    return;
  }
  const auto [sessions, fresh] = sessions_.try_emplace(command.shard, sessions_max_);
  const Index version = entry.index.Plus(newest->second.version_offset);
  sessions->second.OnCommittedAt(version, command);
  if (command.sequence == 0 || sessions->second.FirstOf(command) != version) return;
  proto::Command body;
  if (!body.ParseFromArray(entry.data.data(), static_cast<int>(entry.data.size()))) return;
  contents_[command.shard].Execute(version, body);
}

void ShardModel::Apply(ModelGroup& group, GroupId gid, const proto::Reconfigure& change,
                       Index index, ModelStep* step) {
  if (!Follows(group, change)) return;
  group.num = change.num();
  group.member = change.member();
  group.joined = change.joined();
  step->reconfigured = change.num();
  for (const proto::LostShard& lost : change.lost()) {
    auto* newest = Newest(group, lost.shard());
    if (newest == nullptr || newest->second.until != 0) continue;  // The checker will see it.
    newest->second.until = change.num();
    if (newest->second.serves()) Freeze(gid, newest->first, newest->second, index);
  }
  for (const proto::GainedShard& gained : change.gained()) {
    ModelTenure fresh;
    fresh.source = {gained.shard(), GroupId(gained.source().gid()), gained.ended()};
    fresh.owes_news = gained.source().gid() != 0;
    fresh.state = fresh.owes_news ? proto::SHARD_PULLING : proto::SHARD_SERVING;
    group.tenures[{gained.shard(), change.num()}] = fresh;
  }
}

void ShardModel::Freeze(GroupId gid, TenureId id, ModelTenure& tenure, Index index) {
  tenure.state = proto::SHARD_FROZEN;
  tenure.frozen_version = index.value() + tenure.version_offset;
  frozen_[{id.shard, gid, tenure.until}] = tenure.frozen_version;
}

void ShardModel::Apply(ModelGroup& group, const proto::InstallChunk& chunk, Index index,
                       ModelStep* step) {
  const TenureId id{chunk.shard(), chunk.num()};
  const auto found = group.tenures.find(id);
  if (found == group.tenures.end() || found->second.state != proto::SHARD_PULLING) return;
  ModelTenure& tenure = found->second;
  if (tenure.next_sequence != chunk.sequence()) return;
  ++parts_;
  ++tenure.next_sequence;
  for (const proto::ShardRecord& record : chunk.part().records()) {
    tenure.installed.Add(record.key(), record.value());
  }
  if (!chunk.part().has_summary()) return;
  ++moves_;
  const uint64_t above = chunk.part().summary().version() + 1;
  tenure.version_offset = above > index.value() ? above - index.value() : 0;
  tenure.state = proto::SHARD_SERVING_GC;
  step->arrived = true;
  step->tenure = id;
  step->source = tenure.source;
  step->promised = chunk.part().summary();
}

void ShardModel::Apply(ModelGroup& group, const proto::DropShard& drop) {
  for (auto& [id, tenure] : group.tenures) {
    if (id.shard != drop.shard() || tenure.until != drop.ended()) continue;
    if (tenure.state == proto::SHARD_FROZEN) tenure.state = proto::SHARD_DROPPED;
  }
}

void ShardModel::Apply(ModelGroup& group, const proto::FinishHandover& finish) {
  const auto found = group.tenures.find({finish.shard(), finish.num()});
  if (found == group.tenures.end() || found->second.state == proto::SHARD_PULLING) return;
  ModelTenure& tenure = found->second;
  tenure.owes_news = false;
  if (tenure.state == proto::SHARD_SERVING_GC) tenure.state = proto::SHARD_SERVING;
}

std::vector<GroupId> ShardModel::Serving(uint32_t shard) const {
  std::vector<GroupId> serving;
  for (const auto& [gid, group] : groups_) {
    for (auto at = group.tenures.lower_bound({shard, 0});
         at != group.tenures.end() && at->first.shard == shard; ++at) {
      if (at->second.serves()) serving.push_back(gid);
    }
  }
  return serving;
}

uint64_t ShardModel::FrozenVersion(const TenureEnd& end) const {
  const auto found = frozen_.find(end);
  return found == frozen_.end() ? 0 : found->second;
}

Index ShardModel::NewestVersion(uint32_t shard) const {
  Index newest;
  for (const auto& [gid, group] : groups_) {
    for (auto at = group.tenures.lower_bound({shard, 0});
         at != group.tenures.end() && at->first.shard == shard; ++at) {
      const ModelTenure& tenure = at->second;
      const Index version =
          tenure.serves() ? group.last.Plus(tenure.version_offset) : Index(tenure.frozen_version);
      newest = std::max(newest, version);
    }
  }
  return newest;
}

const ContentsModel* ShardModel::ContentsOf(uint32_t shard) const {
  const auto found = contents_.find(shard);
  return found == contents_.end() ? nullptr : &found->second;
}

Index ShardModel::FirstOf(const CommandIdentity& command) const {
  const auto found = sessions_.find(command.shard);
  return found == sessions_.end() ? Index() : found->second.FirstOf(command);
}

uint64_t ShardModel::duplicates() const {
  uint64_t sum = 0;
  for (const auto& [shard, sessions] : sessions_) sum += sessions.duplicates();
  return sum;
}

}  // namespace lockstep::sim
