// Shard groups without consensus: each is a machine with its table and a log index, and the test is
// its leader.
#ifndef LOCKSTEP_TESTS_UNIT_SHARDKV_GROUP_H_
#define LOCKSTEP_TESTS_UNIT_SHARDKV_GROUP_H_

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/placement.h"
#include "core/kv/command.h"
#include "core/shardkv/command.h"
#include "core/shardkv/shard_machine.h"
#include "tests/unit/kv/memory_table.h"

namespace lockstep::shardkv {

inline constexpr uint32_t kShards = 4;

// The first key of a shard with this name: "a0", "a1", ...
inline std::string KeyOf(uint32_t shard, const std::string& name = "a") {
  for (int i = 0;; ++i) {
    const std::string key = absl::StrCat(name, i);
    if (ShardOf(key, kShards).value() == shard) return key;
  }
}

class Group {
 public:
  explicit Group(uint64_t gid, const ShardOptions& options = {})
      : gid_(gid), options_(options), machine_(options) {
    machine_.Load(table_);
  }

  uint64_t gid() const { return gid_; }
  proto::ShardGroup Description() const {
    proto::ShardGroup group;
    group.set_gid(gid_);
    group.set_joined(1);
    group.add_members()->set_node(gid_ * 10);
    return group;
  }

  // As after a restart.
  void Reload() { machine_.Load(table_); }

  proto::Result Client(proto::Command command, uint32_t shard) {
    command.set_shard(shard);
    return Apply(command, EntryKind::kCommand);
  }
  proto::Result Internal(const proto::Command& command) {
    return Apply(command, EntryKind::kInternal);
  }
  proto::Result Apply(const proto::Command& command, EntryKind kind) {
    return ApplyBytes(kv::Encode(command), kind);
  }
  proto::Result ApplyBytes(Bytes bytes, EntryKind kind) {
    index_ = index_.Next();
    return kv::Replica::Parse(machine_.Apply(
        {.index = index_, .term = Term(1), .kind = kind, .data = std::move(bytes)}, table_));
  }
  // Entries that concern nobody here: the log grows.
  void Idle(uint64_t entries) { index_ = index_.Plus(entries); }

  proto::Result Read(proto::Query query, uint32_t shard = 0) const {
    query.set_shard(shard);
    return kv::Replica::Parse(machine_.Query(kv::Encode(query), {index_, Term(1)}, table_));
  }
  proto::Result Get(const std::string& key) const {
    return Read(kv::MakeGet(key), static_cast<uint32_t>(ShardOf(key, kShards).value()));
  }

  proto::ShardState StateOf(uint32_t shard, uint64_t since) const {
    const auto found = machine_.tenures().find({shard, since});
    return found == machine_.tenures().end() ? proto::SHARD_NONE : found->second.state;
  }
  const Tenure& At(uint32_t shard, uint64_t since) const {
    return machine_.tenures().at({shard, since});
  }
  // Keys in the table, other than those of the group itself.
  size_t Records() const {
    size_t records = 0;
    for (const auto& [key, value] : table_.pairs()) records += key[0] != 'g';
    return records;
  }
  const std::map<std::string, std::string>& dump() const { return table_.pairs(); }
  const ShardMachine& machine() const { return machine_; }
  Index index() const { return index_; }

 private:
  const uint64_t gid_;
  const ShardOptions options_;
  MemoryTable table_;
  ShardMachine machine_;
  Index index_;
};

// A client's session in one shard, wherever that is.
class Session {
 public:
  Session(Group& group, uint32_t shard) : shard_(shard) {
    id_ = SessionId(group.Client(kv::MakeRegisterSession(0), shard).session());
  }
  proto::Command Next(const proto::Command& command) {
    ++sequence_;
    return kv::InSession(command, id_, sequence_, sequence_);
  }
  proto::Result Do(Group& group, const proto::Command& command) {
    return group.Client(Next(command), shard_);
  }
  SessionId id() const { return id_; }

 private:
  uint32_t shard_;
  SessionId id_;
  uint64_t sequence_ = 0;
};

// What the next configuration means for one group.
class Change {
 public:
  explicit Change(uint64_t num, bool member = true) {
    proto::Reconfigure& change = *command_.mutable_reconfigure();
    change.set_num(num);
    change.set_shards(kShards);
    change.set_member(member);
    change.set_joined(member ? 1 : 0);
  }
  Change& Joined(uint64_t num) {
    command_.mutable_reconfigure()->set_joined(num);
    return *this;
  }
  Change& Begins(uint32_t shard) {
    command_.mutable_reconfigure()->add_gained()->set_shard(shard);
    return *this;
  }
  Change& Gains(uint32_t shard, const Group& source, uint64_t ended = 0) {
    proto::GainedShard& gained = *command_.mutable_reconfigure()->add_gained();
    gained.set_shard(shard);
    *gained.mutable_source() = source.Description();
    gained.set_ended(ended != 0 ? ended : command_.reconfigure().num());
    return *this;
  }
  Change& Loses(uint32_t shard, const Group& destination) {
    proto::LostShard& lost = *command_.mutable_reconfigure()->add_lost();
    lost.set_shard(shard);
    *lost.mutable_destination() = destination.Description();
    return *this;
  }
  proto::Result In(Group& group) const { return group.Internal(command_); }

 private:
  proto::Command command_;
};

inline proto::Result ReadPart(const Group& source, uint32_t shard, uint64_t ended,
                              const std::string& resume, uint32_t bytes_max) {
  proto::Query query;
  proto::ReadTenure& read = *query.mutable_read_tenure();
  read.set_shard(shard);
  read.set_ended(ended);
  read.set_resume(resume);
  read.set_bytes_max(bytes_max);
  return source.Read(query);
}

inline proto::Command MakeInstall(uint32_t shard, uint64_t num, uint64_t sequence,
                                  const proto::TenurePart& part) {
  proto::Command command;
  proto::InstallChunk& chunk = *command.mutable_install_chunk();
  chunk.set_shard(shard);
  chunk.set_num(num);
  chunk.set_sequence(sequence);
  *chunk.mutable_part() = part;
  return command;
}

inline proto::Command MakeDrop(uint32_t shard, uint64_t ended) {
  proto::Command command;
  command.mutable_drop_shard()->set_shard(shard);
  command.mutable_drop_shard()->set_ended(ended);
  return command;
}

inline proto::Command MakeSweep(uint32_t shard, uint64_t since) {
  proto::Command command;
  command.mutable_sweep_shard()->set_shard(shard);
  command.mutable_sweep_shard()->set_since(since);
  return command;
}

inline proto::Command MakeFinish(uint32_t shard, uint64_t num) {
  proto::Command command;
  command.mutable_finish_handover()->set_shard(shard);
  command.mutable_finish_handover()->set_num(num);
  return command;
}

// Fetches what is still missing of a tenure, part by part. The number of parts.
inline int Pull(const Group& source, Group& target, uint32_t shard, uint64_t num, uint64_t ended,
                uint32_t bytes_max = 1 << 20) {
  int parts = 0;
  while (target.StateOf(shard, num) == proto::SHARD_PULLING) {
    const Tenure& tenure = target.At(shard, num);
    const proto::Result read = ReadPart(source, shard, ended, tenure.resume, bytes_max);
    EXPECT_EQ(read.code(), proto::OK) << read.message();
    if (read.code() != proto::OK) return parts;
    const uint64_t sequence = tenure.next_sequence;
    EXPECT_EQ(target.Internal(MakeInstall(shard, num, sequence, read.part())).code(), proto::OK);
    ++parts;
  }
  return parts;
}

// The rest of a hand-over after Pull.
inline void Settle(Group& source, Group& target, uint32_t shard, uint64_t num, uint64_t ended) {
  EXPECT_EQ(source.Internal(MakeDrop(shard, ended)).code(), proto::OK);
  EXPECT_EQ(target.Internal(MakeFinish(shard, num)).code(), proto::OK);
  for (const auto& [id, tenure] : source.machine().tenures()) {
    if (id.shard != shard || tenure.until != ended) continue;
    const TenureId dropped = id;
    while (source.Internal(MakeSweep(dropped.shard, dropped.since)).code() == proto::OK) {
      if (source.StateOf(dropped.shard, dropped.since) == proto::SHARD_NONE) break;
    }
    break;
  }
}

}  // namespace lockstep::shardkv

#endif  // LOCKSTEP_TESTS_UNIT_SHARDKV_GROUP_H_
