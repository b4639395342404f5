// A controller that lives in a table in memory, administrators that speak to it through sessions,
// and what every configuration must satisfy.
#ifndef LOCKSTEP_TESTS_UNIT_CONTROLLER_REPLICA_H_
#define LOCKSTEP_TESTS_UNIT_CONTROLLER_REPLICA_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/controller/admin.h"
#include "core/controller/controller_machine.h"
#include "core/kv/command.h"
#include "tests/unit/kv/memory_table.h"

namespace lockstep::controller {

class Replica {
 public:
  explicit Replica(const ControllerOptions& options = {}) : options_(options), machine_(options) {
    machine_.Load(table_);
  }
  // Another replica that was sent a snapshot.
  Replica(const Replica& other)
      : options_(other.options_), table_(other.table_), machine_(options_), index_(other.index_) {
    machine_.Load(table_);
  }
  // As after a restart: what the machine knows comes from the table.
  void Reload() { machine_.Load(table_); }

  Bytes ApplyBytes(Bytes data, EntryKind kind = EntryKind::kCommand) {
    index_ = index_.Next();
    return machine_.Apply({.index = index_, .term = Term(1), .kind = kind, .data = std::move(data)},
                          table_);
  }
  // From a client; but what the controller says to itself comes from itself.
  proto::Result Apply(const proto::Command& command) {
    const EntryKind kind = IsInternal(command) ? EntryKind::kInternal : EntryKind::kCommand;
    return kv::Replica::Parse(ApplyBytes(kv::Encode(command), kind));
  }
  Bytes QueryBytes(const Bytes& query) const {
    return machine_.Query(query, {index_, Term(1)}, table_);
  }
  proto::Result Query(const proto::Query& query) const {
    return kv::Replica::Parse(QueryBytes(kv::Encode(query)));
  }
  // As a client gets it. REQUIRES: it is kept.
  Configuration Get(uint64_t num = 0) const {
    return FromProto(Query(MakeGetConfiguration(ConfigurationNum(num))).configuration()).value();
  }
  SessionId Register() { return SessionId(Apply(kv::MakeRegisterSession(0)).session()); }

  Index index() const { return index_; }
  const ControllerMachine& machine() const { return machine_; }
  const std::map<std::string, std::string>& dump() const { return table_.pairs(); }

 private:
  ControllerOptions options_;
  MemoryTable table_;
  ControllerMachine machine_;
  Index index_;
};

// One command at a time, in a session of its own.
class Admin {
 public:
  explicit Admin(Replica& replica) : replica_(replica), session_(replica.Register()) {}
  proto::Command Next(const proto::Command& command) {
    ++sequence_;
    return kv::InSession(command, session_, sequence_, sequence_);
  }
  proto::Result Do(const proto::Command& command) { return replica_.Apply(Next(command)); }

 private:
  Replica& replica_;
  SessionId session_;
  uint64_t sequence_ = 0;
};

inline Group MakeGroup(uint64_t gid, uint64_t members = 3) {
  Group group{.gid = GroupId(gid)};
  for (uint64_t i = 1; i <= members; ++i) {
    group.members.push_back(
        {.node = NodeId(10 * gid + i), .address = absl::StrCat("node", 10 * gid + i, ":7000")});
  }
  return group;
}

inline proto::Command JoinOf(const std::vector<uint64_t>& gids, uint32_t shards = 10) {
  std::vector<Group> groups;
  for (const uint64_t gid : gids) groups.push_back(MakeGroup(gid));
  return MakeJoin(groups, shards);
}

inline proto::Command LeaveOf(const std::vector<uint64_t>& gids, bool force = false) {
  std::vector<GroupId> ids;
  for (const uint64_t gid : gids) ids.push_back(GroupId(gid));
  return MakeLeave(ids, force);
}

inline std::vector<uint64_t> GidsOf(const Configuration& configuration) {
  std::vector<uint64_t> gids;
  for (const Group& group : configuration.groups) gids.push_back(group.gid.value());
  return gids;
}

inline std::vector<uint64_t> OwnersOf(const Configuration& configuration) {
  std::vector<uint64_t> owners;
  for (const GroupId owner : configuration.owners) owners.push_back(owner.value());
  return owners;
}

// "3:1->2": each handover.
inline std::string HandoversOf(const Configuration& configuration) {
  std::string text;
  for (const Handover& handover : configuration.handovers) {
    absl::StrAppend(&text, text.empty() ? "" : " ", handover.shard.value(), ":",
                    handover.from.value(), "->", handover.to.value());
  }
  return text;
}

// The definition, word by word: no shard that is not pinned could move from its group to one that
// has at least two fewer.
inline bool Balanced(const std::vector<GroupId>& owners, const std::vector<GroupId>& gids,
                     const std::vector<Pin>& pins) {
  std::map<GroupId, size_t> counts;
  for (const GroupId gid : gids) counts[gid] = 0;
  for (const GroupId owner : owners) {
    if (counts.count(owner) == 0) return gids.empty() && owner == GroupId();
    ++counts[owner];
  }
  size_t least = owners.size();
  for (const auto& [gid, count] : counts) least = std::min(least, count);
  for (size_t shard = 0; shard < owners.size(); ++shard) {
    const bool pinned = std::any_of(pins.begin(), pins.end(), [&](const Pin& pin) {
      return pin.shard == ShardId(shard) && counts.count(pin.gid) == 1;
    });
    if (!pinned && !gids.empty() && counts[owners[shard]] >= least + 2) return false;
  }
  return true;
}

inline bool Balanced(const Configuration& configuration) {
  std::vector<GroupId> gids;
  for (const Group& group : configuration.groups) gids.push_back(group.gid);
  return Balanced(configuration.owners, gids, configuration.pins);
}

}  // namespace lockstep::controller

#endif  // LOCKSTEP_TESTS_UNIT_CONTROLLER_REPLICA_H_
