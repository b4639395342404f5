// Two groups that hand the shards of one cluster to each other: what their leaders
// (shardkv/agent.h) and a controller would have them do, a step at a time and in any order. As long
// as nobody made commands up, each shard is one store (kv_model.h), wherever it is.
#ifndef LOCKSTEP_FUZZ_MODELS_SHARD_GROUPS_H_
#define LOCKSTEP_FUZZ_MODELS_SHARD_GROUPS_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/shardkv/shard_machine.h"
#include "fuzz/models/kv_model.h"
#include "fuzz/models/script_sessions.h"
#include "fuzz/models/twin_machines.h"
#include "fuzz/proto/machine_script.pb.h"

namespace lockstep::fuzz {

class ShardGroups {
 public:
  explicit ShardGroups(const ShardScript& script);

  void Do(const ShardStep& step);
  // Nothing was lost on any way.
  void End() const;

 private:
  struct Store {
    explicit Store(const kv::KvOptions& options) : model(options) {}
    KvModel model;
    ScriptSessions sessions;
    uint64_t version = 0;  // the newest
  };

  void Do(size_t group, const MachineStep& step);
  void Do(const Configure& configure);
  void Do(size_t group, const Advance& advance);
  void Do(size_t group, const Carry& carry);
  void Do(size_t group, const Settle& settle);

  void Command(size_t group, proto::Command command);
  void Entry(size_t group, EntryKind kind, const std::string& data);
  // What a group says to itself, as its leader does.
  proto::Result Internal(size_t group, const proto::Command& command);
  void CheckReply(size_t group, const proto::Command& command, proto::Result result);
  void CheckGroup(size_t group) const;
  void CheckOneServes() const;

  const shardkv::ShardMachine& Machine(size_t group) const {
    return static_cast<const shardkv::ShardMachine&>(groups_[group].machine());
  }
  proto::ShardStates States(size_t group) const;
  std::optional<proto::ShardTenure> Find(size_t group, proto::ShardState state,
                                         std::optional<uint32_t> shard) const;
  Store& StoreOf(uint32_t shard) { return stores_.try_emplace(shard, options_.kv).first->second; }

  const uint32_t shards_;
  const shardkv::ShardOptions options_;
  std::array<TwinMachines, 2> groups_;
  std::vector<proto::Configuration> configurations_;  // [i] is number i + 1
  std::map<uint32_t, Store> stores_;
  std::set<std::pair<uint32_t, uint64_t>> told_;  // tenures whose source knows that they arrived
  // Nothing was made up: what is gone, was given twice or does not fit is a mistake of the machine.
  bool honest_ = true;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_SHARD_GROUPS_H_
