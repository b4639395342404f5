#include "fuzz/models/shard_groups.h"

#include <memory>
#include <utility>

#include "core/base/check.h"
#include "core/base/placement.h"
#include "core/kv/command.h"
#include "core/shardkv/agent.h"
#include "core/shardkv/contents.h"
#include "fuzz/models/kv_settings.h"
#include "fuzz/support/message_mutator.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kConfigurationsMax = 64;

uint64_t GidOf(size_t group) { return 101 + group; }
size_t Other(size_t group) { return 1 - group; }

shardkv::ShardOptions OptionsOf(const ShardScript& script) {
  shardkv::ShardOptions options;
  options.kv = OptionsOf(script.settings());
  options.sweep_records_max = SmallOr(script.sweep_records_max(), 2, 8);
  options.sweep_bytes_max = 64;
  return options;
}

TwinMachines::Make Maker(const shardkv::ShardOptions& options) {
  return [options] { return std::make_unique<shardkv::ShardMachine>(options); };
}

// The shard of a command's key; of one without a key, the one that it says.
void Aim(uint32_t shards, proto::Command* command) {
  if (command->has_batch() && command->batch().operations().empty()) return;
  const absl::string_view key = kv::KeyOf(*command);
  const uint64_t shard = key.empty() ? command->shard() % shards : ShardOf(key, shards).value();
  command->set_shard(static_cast<uint32_t>(shard));
}

}  // namespace

ShardGroups::ShardGroups(const ShardScript& script)
    : shards_(SmallOr(script.shards(), 2, 6)),
      options_(OptionsOf(script)),
      groups_{TwinMachines(Maker(options_)), TwinMachines(Maker(options_))} {}

void ShardGroups::Do(const ShardStep& step) {
  const size_t group = step.group() % groups_.size();
  if (step.has_machine()) Do(group, step.machine());
  if (step.has_configure()) Do(step.configure());
  if (step.has_advance()) Do(group, step.advance());
  if (step.has_carry()) Do(group, step.carry());
  if (step.has_settle()) Do(group, step.settle());
  CheckGroup(group);
  if (honest_) CheckOneServes();
}

void ShardGroups::Do(size_t group, const MachineStep& step) {
  TwinMachines& twins = groups_[group];
  if (step.has_command()) return Command(group, step.command());
  if (step.has_internal()) {
    return Entry(group, EntryKind::kInternal, step.internal().SerializeAsString());
  }
  if (step.has_raw()) return Entry(group, EntryKind::kCommand, step.raw());
  if (step.has_query()) (void)twins.Query(step.query().SerializeAsString());
  if (step.has_raw_query()) (void)twins.Query(step.raw_query());
  if (step.has_restart()) twins.Restart(step.restart().snapshot());
  if (step.what_case() != MachineStep::kAgain || !twins.has_entries()) return;
  const auto [kind, data] = twins.Earlier(step.again());
  Entry(group, kind, data);
}

void ShardGroups::Command(size_t group, proto::Command command) {
  Aim(shards_, &command);
  Store& store = StoreOf(command.shard() % shards_);
  command = store.sessions.Place(std::move(command), options_.kv.limits.session_window_max);
  Entry(group, EntryKind::kCommand, command.SerializeAsString());
}

void ShardGroups::Entry(size_t group, EntryKind kind, const std::string& data) {
  const proto::Result result = groups_[group].Apply(kind, data);
  proto::Command command;
  if (!command.ParseFromString(data)) return CheckEq(result.code(), proto::INVALID_ARGUMENT);
  if (kind == EntryKind::kCommand) return CheckReply(group, command, result);
  // It may be the leader's own, come late: those are harmless, so they may do nothing at all.
  if (result.code() == proto::OK && result.shards().tenures_size() > 0) honest_ = false;
  if (command.has_reconfigure() && result.code() == proto::OK) honest_ = false;
}

void ShardGroups::CheckReply(size_t group, const proto::Command& command, proto::Result result) {
  if (result.code() == proto::WRONG_GROUP) {
    for (const auto& [id, tenure] : Machine(group).tenures()) {
      if (id.shard == command.shard()) Check(!tenure.serves(), "refused, but it serves the shard");
    }
    return;
  }
  Store& store = StoreOf(command.shard());
  if (result.session() != 0) store.sessions.Registered(result.session());
  if (!honest_) return;
  const bool executed = result.index() != 0 && !result.replayed();
  if (executed) {
    CheckLt(store.version, result.index());
    store.version = result.index();
  }
  // Whose keys are of another shard is refused at the shards' own door.
  if (result.code() == proto::INVALID_ARGUMENT) return;
  result.clear_message();
  CheckEq(ToText(result), ToText(store.model.Apply(command, result.index())));
}

// --- Hand-overs

// Both groups are members for ever; the shards go to and fro.
void ShardGroups::Do(const Configure& configure) {
  if (configurations_.size() >= kConfigurationsMax) return;
  proto::Configuration next;
  next.set_num(configurations_.size() + 1);
  for (size_t group = 0; group < groups_.size(); ++group) {
    proto::ShardGroup* one = next.add_groups();
    one->set_gid(GidOf(group));
    one->set_joined(1);
    one->add_members()->set_node(1 + group);
  }
  for (uint32_t shard = 0; shard < shards_; ++shard) {
    const uint64_t owner = GidOf((configure.owners() >> shard) & 1);
    const uint64_t before =
        configurations_.empty() ? 0 : configurations_.back().owners(static_cast<int>(shard));
    next.add_owners(owner);
    if (owner == before) continue;
    proto::Handover* handover = next.add_handovers();
    handover->set_shard(shard);
    handover->set_from(before);
    handover->set_to(owner);
    if (before != 0) handover->set_ended(next.num());
  }
  configurations_.push_back(std::move(next));
}

proto::Result ShardGroups::Internal(size_t group, const proto::Command& command) {
  return groups_[group].Apply(EntryKind::kInternal, command.SerializeAsString());
}

void ShardGroups::Do(size_t group, const Advance&) {
  const proto::ShardStates states = States(group);
  if (states.num() >= configurations_.size()) return;
  const std::optional<proto::Reconfigure> change =
      shardkv::ChangeFor(GroupId(GidOf(group)), states, configurations_[states.num()]);
  Check(change.has_value());
  proto::Command command;
  *command.mutable_reconfigure() = *change;
  const proto::Result result = Internal(group, command);
  if (honest_) CheckEq(result.code(), proto::OK);
}

void ShardGroups::Do(size_t group, const Carry& carry) {
  const std::optional<proto::ShardTenure> arrives = Find(group, proto::SHARD_PULLING, {});
  if (!arrives.has_value()) return;
  proto::Query query;
  proto::ReadTenure& read = *query.mutable_read_tenure();
  read.set_shard(arrives->shard());
  read.set_ended(arrives->source_ended());
  read.set_resume(arrives->resume());
  read.set_bytes_max(carry.bytes_max() % 256);
  const proto::Result answer = groups_[Other(group)].Query(query.SerializeAsString());
  if (honest_) Check(answer.code() != proto::NOT_FOUND, "a shard is lost");
  if (!answer.has_part()) return;
  proto::Command command;
  proto::InstallChunk& install = *command.mutable_install_chunk();
  install.set_shard(arrives->shard());
  install.set_num(arrives->since());
  install.set_sequence(arrives->next_sequence());
  *install.mutable_part() = answer.part();
  const bool damaged = carry.damaged() && answer.part().records_size() > 0;
  if (damaged) install.mutable_part()->mutable_records()->rbegin()->mutable_value()->push_back('x');
  const proto::Result result = Internal(group, command);
  if (honest_) CheckEq(result.code(), damaged ? proto::FAILED_PRECONDITION : proto::OK);
  if (!carry.twice() || damaged) return;
  CheckEq(Internal(group, command).code(), proto::FAILED_PRECONDITION);
}

void ShardGroups::Do(size_t group, const Settle& settle) {
  proto::Command command;
  const uint32_t shard = settle.shard() % shards_;
  if (settle.what() == Settle::SWEEP) {
    const std::optional<proto::ShardTenure> dropped = Find(group, proto::SHARD_DROPPED, shard);
    if (!dropped.has_value()) return;
    command.mutable_sweep_shard()->set_shard(shard);
    command.mutable_sweep_shard()->set_since(dropped->since());
    CheckEq(Internal(group, command).code(), proto::OK);
    return;
  }
  // The destination tells the source; when that has answered, it is done.
  const proto::ShardStates states = States(group);
  for (const proto::ShardTenure& tenure : states.tenures()) {
    const bool owes = tenure.shard() == shard && tenure.source().gid() == GidOf(Other(group)) &&
                      tenure.state() != proto::SHARD_PULLING;
    if (!owes) continue;
    const bool told = told_.contains({shard, tenure.since()});
    if (settle.what() == Settle::DROP) {
      command.mutable_drop_shard()->set_shard(shard);
      command.mutable_drop_shard()->set_ended(tenure.source_ended());
      if (Internal(Other(group), command).code() == proto::OK)
        told_.insert({shard, tenure.since()});
    } else if (told) {
      command.mutable_finish_handover()->set_shard(shard);
      command.mutable_finish_handover()->set_num(tenure.since());
      CheckEq(Internal(group, command).code(), proto::OK);
    }
    CheckGroup(Other(group));
    return;
  }
}

proto::ShardStates ShardGroups::States(size_t group) const {
  proto::Query query;
  query.mutable_get_shards();
  return groups_[group].Query(query.SerializeAsString()).shards();
}

std::optional<proto::ShardTenure> ShardGroups::Find(size_t group, proto::ShardState state,
                                                    std::optional<uint32_t> shard) const {
  const proto::ShardStates states = States(group);
  for (const proto::ShardTenure& tenure : states.tenures()) {
    if (tenure.state() == state && tenure.shard() == shard.value_or(tenure.shard())) return tenure;
  }
  return std::nullopt;
}

// --- What holds

// The counts of each tenure are those of what lies in the table; the newest alone may serve.
void ShardGroups::CheckGroup(size_t group) const {
  const auto& tenures = Machine(group).tenures();
  for (auto at = tenures.begin(); at != tenures.end(); ++at) {
    const auto& [id, tenure] = *at;
    const bool newest = std::next(at) == tenures.end() || std::next(at)->first.shard != id.shard;
    if (!newest) Check(!tenure.serves(), "an old tenure serves");
    if (!newest) Check(tenure.until != 0, "an old tenure has no end");
    shardkv::Counts counts;
    shardkv::ContentsReader(groups_[group].table(), tenure.prefix())
        .Scan("", [&](absl::string_view key, absl::string_view value) {
          counts.Add(key, value);
          return true;
        });
    Check(counts == tenure.counts, "counts of a tenure");
  }
}

void ShardGroups::CheckOneServes() const {
  for (const auto& [id, tenure] : Machine(0).tenures()) {
    if (!tenure.serves()) continue;
    for (const auto& [other_id, other] : Machine(1).tenures()) {
      if (other_id.shard == id.shard) Check(!other.serves(), "both groups serve a shard");
    }
  }
}

void ShardGroups::End() const {
  for (size_t group = 0; group < groups_.size(); ++group) {
    groups_[group].CheckTables();
    if (!honest_) continue;
    for (const auto& [id, tenure] : Machine(group).tenures()) {
      if (!tenure.serves()) continue;
      std::map<std::string, std::string> pairs;
      shardkv::ContentsReader(groups_[group].table(), tenure.prefix())
          .Scan("", [&](absl::string_view key, absl::string_view value) {
            if (key.front() == 'd') pairs.emplace(key.substr(1), value);
            return true;
          });
      const auto store = stores_.find(id.shard);
      const std::map<std::string, std::string> nothing;
      Check(pairs == (store == stores_.end() ? nothing : store->second.model.pairs()),
            "a shard has other pairs");
    }
  }
}

}  // namespace lockstep::fuzz
