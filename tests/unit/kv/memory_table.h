// A table in memory, and a machine that lives in one: the smallest world for a state machine.
#ifndef LOCKSTEP_TESTS_UNIT_KV_MEMORY_TABLE_H_
#define LOCKSTEP_TESTS_UNIT_KV_MEMORY_TABLE_H_

#include <map>
#include <string>
#include <utility>

#include "core/base/check.h"
#include "core/kv/command.h"
#include "core/kv/kv_machine.h"
#include "core/runtime/memory_table.h"

namespace lockstep::kv {

class Replica {
 public:
  explicit Replica(const KvOptions& options = {}) : options_(options), machine_(options) {
    machine_.Load(table_);
  }
  // As after a restart: what the machine knows comes from the table.
  void Reload() { machine_.Load(table_); }
  Bytes ApplyBytes(Bytes data) {
    index_ = index_.Next();
    return machine_.Apply({.index = index_, .term = Term(1), .data = std::move(data)}, table_);
  }
  proto::Result Apply(const proto::Command& command) { return Parse(ApplyBytes(Encode(command))); }
  proto::Result Query(const proto::Query& query) const {
    return Parse(machine_.Query(Encode(query), {index_, Term(1)}, table_));
  }
  proto::Result QueryBytes(const Bytes& query) const {
    return Parse(machine_.Query(query, {index_, Term(1)}, table_));
  }
  SessionId Register() { return SessionId(Apply(MakeRegisterSession(0)).session()); }

  static proto::Result Parse(const Bytes& bytes) {
    proto::Result result;
    Check(result.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    return result;
  }
  Index index() const { return index_; }
  const KvMachine& machine() const { return machine_; }
  const std::map<std::string, std::string>& dump() const { return table_.pairs(); }

 private:
  KvOptions options_;
  MemoryTable table_;
  KvMachine machine_;
  Index index_;
};

}  // namespace lockstep::kv

#endif  // LOCKSTEP_TESTS_UNIT_KV_MEMORY_TABLE_H_
