// Tells the checker of shards a story: what the controller and the groups commit, and what replicas
// say that they froze. Two shards; shard groups and nodes are plain numbers here.
#ifndef LOCKSTEP_TESTS_UNIT_SIM_CHECK_SHARD_STORY_H_
#define LOCKSTEP_TESTS_UNIT_SIM_CHECK_SHARD_STORY_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/placement.h"
#include "core/kv/command.h"
#include "core/runtime/memory_table.h"
#include "core/shardkv/agent.h"
#include "core/shardkv/table_layout.h"
#include "sim/check/shard_checker.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::sim {

using Records = std::vector<std::pair<std::string, std::string>>;

inline shardkv::Counts CountsOf(const Records& records) {
  shardkv::Counts counts;
  for (const auto& [key, value] : records) counts.Add(key, value);
  return counts;
}

class ShardStory {
 public:
  static constexpr uint32_t kShards = 2;
  using Edit = std::function<void(proto::Reconfigure&)>;

  // The session of the administrator is the first entry.
  ShardStory() { Administer(kv::MakeRegisterSession(0)); }

  // --- The controller

  ShardStory& Join(uint64_t gid) {
    return Administer(InSession(controller::JoinOf({gid}, kShards)));
  }
  ShardStory& Leave(uint64_t gid) {
    return Administer(InSession(controller::LeaveOf({gid}, /*force=*/true)));
  }

  // --- The groups' logs

  // The group commits that it comes to the configuration, as a right leader proposes it, after
  // `edit`.
  ShardStory& Come(uint64_t gid, uint64_t num, const Edit& edit = {}) {
    proto::ShardStates& state = states_[gid];
    const controller::Configuration* configuration = checker_.mirror().At(num);
    proto::Command command;
    if (configuration != nullptr) {
      const auto change =
          shardkv::ChangeFor(GroupId(gid), state, controller::ToProto(*configuration));
      EXPECT_TRUE(change.has_value()) << "group " << gid << ", configuration " << num;
      if (change.has_value()) *command.mutable_reconfigure() = *change;
    } else {
      command.mutable_reconfigure()->set_num(num);
    }
    if (edit) edit(*command.mutable_reconfigure());
    state.set_num(command.reconfigure().num());
    state.set_member(command.reconfigure().member());
    state.set_joined(command.reconfigure().joined());
    return Commit(gid, command, EntryKind::kInternal);
  }
  // One part of an arriving tenure; with `summary` the last one.
  ShardStory& Install(uint64_t gid, uint32_t shard, uint64_t num, uint64_t sequence,
                      const Records& records, const proto::ShardSummary* summary = nullptr) {
    proto::Command command;
    proto::InstallChunk& chunk = *command.mutable_install_chunk();
    chunk.set_shard(shard);
    chunk.set_num(num);
    chunk.set_sequence(sequence);
    for (const auto& [key, value] : records) {
      proto::ShardRecord& record = *chunk.mutable_part()->add_records();
      record.set_key(key);
      record.set_value(value);
    }
    if (summary != nullptr) *chunk.mutable_part()->mutable_summary() = *summary;
    return Commit(gid, command, EntryKind::kInternal);
  }
  // All of what group `source` lost in configuration `ended`, in one part, as it should be.
  ShardStory& Arrive(uint64_t gid, uint32_t shard, uint64_t num, uint64_t source, uint64_t ended,
                     const Records& records = {}) {
    const proto::ShardSummary summary = Summary(shard, source, ended, records);
    return Install(gid, shard, num, 1, records, &summary);
  }
  ShardStory& Drop(uint64_t gid, uint32_t shard, uint64_t ended) {
    proto::Command command;
    command.mutable_drop_shard()->set_shard(shard);
    command.mutable_drop_shard()->set_ended(ended);
    return Commit(gid, command, EntryKind::kInternal);
  }
  ShardStory& Finish(uint64_t gid, uint32_t shard, uint64_t num) {
    proto::Command command;
    command.mutable_finish_handover()->set_shard(shard);
    command.mutable_finish_handover()->set_num(num);
    return Commit(gid, command, EntryKind::kInternal);
  }
  // A client's command about the shard. Session 0 is registered.
  ShardStory& Client(uint64_t gid, uint32_t shard, uint64_t session, uint64_t sequence) {
    proto::Command command = kv::MakeRegisterSession(0);
    if (session != 0) {
      command = kv::InSession(kv::MakePut("key", "value"), SessionId(session), sequence, 1);
    }
    command.set_shard(shard);
    return Commit(gid, command, EntryKind::kCommand);
  }
  uint64_t index(uint64_t gid) { return indexes_[gid]; }

  // --- What replicas say

  // A replica of the group froze a tenure that held `records`.
  ShardStory& Froze(uint64_t node, uint64_t gid, uint32_t shard, uint64_t ended,
                    const Records& records) {
    proto::Result result;
    proto::ShardTenure& tenure = *result.mutable_shards()->add_tenures();
    tenure.set_shard(shard);
    tenure.set_until(ended);
    tenure.set_state(proto::SHARD_FROZEN);
    *tenure.mutable_summary() = Summary(shard, gid, ended, records);
    const Entry entry{
        .index = Index(1), .term = Term(1), .kind = EntryKind::kInternal, .data = Bytes()};
    const Bytes reply = kv::Encode(result);
    checker_.OnApplied(Instant(std::chrono::seconds(3)), NodeId(node),
                       Note{.kind = NoteKind::kApplied,
                            .group = GroupId(gid),
                            .term = Term(1),
                            .peer = NodeId(),
                            .position = {entry.index, entry.term},
                            .number = 0,
                            .entry = &entry,
                            .reply = &reply});
    return *this;
  }
  proto::ShardSummary Summary(uint32_t shard, uint64_t source, uint64_t ended,
                              const Records& records) const {
    const shardkv::Counts counts = CountsOf(records);
    proto::ShardSummary summary;
    summary.set_version(checker_.model().FrozenVersion({shard, GroupId(source), ended}));
    summary.set_keys(counts.keys);
    summary.set_bytes(counts.bytes);
    summary.set_content(counts.content);
    return summary;
  }

  // --- Tables

  // A tenure's records in `table`, with these counts.
  static void Fill(MemoryTable& table, uint32_t shard, uint64_t since, const Records& records,
                   const shardkv::Counts& counts) {
    for (const auto& [key, value] : records) {
      table.Put(shardkv::TenureKey(shardkv::kContentsKind, shard, since) + key, value);
    }
    table.Put(shardkv::TenureKey(shardkv::kTenureKind, shard, since), "a tenure");
    table.Put(shardkv::TenureKey(shardkv::kCountsKind, shard, since), counts.Encode());
    table.Put(absl::string_view(&shardkv::kGroupKind, 1), "the group");
  }
  std::string LeftOver(uint64_t gid, const MemoryTable& table) const {
    return checker_.LeftOver(GroupId(gid),
                             [&](ShardChecker::Visit visit) { table.Scan("", visit); });
  }
  ShardStory& CheckTable(uint64_t gid, const MemoryTable& table) {
    checker_.CheckTable(NodeId(7), GroupId(gid),
                        [&](ShardChecker::Visit visit) { table.Scan("", visit); });
    return *this;
  }

  // --- The verdict

  std::string property() const {
    return findings_.first().has_value() ? findings_.first()->property : std::string();
  }
  std::string evidence() const {
    return findings_.first().has_value() ? findings_.first()->evidence : std::string();
  }
  bool Says(const std::string& what) const { return evidence().find(what) != std::string::npos; }
  ShardChecker& checker() { return checker_; }
  const ShardModel& model() const { return checker_.model(); }

 private:
  proto::Command InSession(const proto::Command& command) {
    ++administered_;
    return kv::InSession(command, SessionId(1), administered_, administered_);
  }
  ShardStory& Administer(const proto::Command& command) {
    return Commit(kControllerGroup.value(), command, EntryKind::kCommand);
  }
  ShardStory& Commit(uint64_t gid, const proto::Command& command, EntryKind kind) {
    const Index index(++indexes_[gid]);
    checker_.OnCommitted(
        GroupId(gid), {.index = index, .term = Term(1), .kind = kind, .data = kv::Encode(command)});
    return *this;
  }

  Findings findings_;
  ShardChecker checker_{findings_, controller::ControllerOptions{}, /*sessions_max=*/2};
  std::map<uint64_t, uint64_t> indexes_;           // by gid: of the last entry
  std::map<uint64_t, proto::ShardStates> states_;  // by gid, without tenures
  uint64_t administered_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_TESTS_UNIT_SIM_CHECK_SHARD_STORY_H_
