// Two machines that get the same entries: one lives on, the other one starts anew now and then,
// from its own table or from a snapshot. Their replies and their tables are equal, byte for byte.
// And what says that it changed nothing has written nothing.
#ifndef LOCKSTEP_FUZZ_MODELS_TWIN_MACHINES_H_
#define LOCKSTEP_FUZZ_MODELS_TWIN_MACHINES_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/proto/client.pb.h"
#include "core/runtime/memory_table.h"
#include "core/runtime/state_machine.h"

namespace lockstep::fuzz {

// Counts what is written.
class CountingTable final : public TableWriter {
 public:
  bool Get(absl::string_view key, std::string* value) const override {
    return table_.Get(key, value);
  }
  void Scan(absl::string_view start,
            absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit)
      const override {
    table_.Scan(start, visit);
  }
  void Put(absl::string_view key, absl::string_view value) override {
    ++writes_;
    table_.Put(key, value);
  }
  void Delete(absl::string_view key) override {
    ++writes_;
    table_.Delete(key);
  }

  uint64_t writes() const { return writes_; }
  const std::map<std::string, std::string>& pairs() const { return table_.pairs(); }
  void Replace(const CountingTable& other) { table_ = MemoryTable(other.table_.pairs()); }

 private:
  MemoryTable table_;
  uint64_t writes_ = 0;
};

class TwinMachines {
 public:
  using Make = std::function<std::unique_ptr<StateMachine>()>;

  explicit TwinMachines(Make make) : make_(std::move(make)) {
    steady_ = make_();
    steady_->Load(table_);
    Restart(/*snapshot=*/false);
  }

  // The index of the entry that Apply makes next.
  Index next() const { return Index(entries_.size() + 1); }

  proto::Result Apply(EntryKind kind, std::string data) {
    const Entry entry{next(), Term(1), kind, Bytes::Copy(data)};
    entries_.push_back({kind, std::move(data)});
    const uint64_t writes = table_.writes();
    const Bytes reply = steady_->Apply(entry, table_);
    CheckEq(reply, restarted_->Apply(entry, other_table_));
    proto::Result result = Parse(reply);
    const bool refused = result.replayed() || (result.index() == 0 && result.code() != proto::OK &&
                                               !result.has_shards());
    if (refused) CheckEq(table_.writes(), writes);
    return result;
  }

  // The bytes of so many entries ago, once more. REQUIRES: there were entries.
  std::pair<EntryKind, std::string> Earlier(uint64_t ago) const {
    Check(!entries_.empty());
    return entries_[entries_.size() - 1 - ago % entries_.size()];
  }
  bool has_entries() const { return !entries_.empty(); }

  proto::Result Query(absl::string_view query) const {
    const LogPosition applied{Index(entries_.size()), Term(1)};
    const Bytes reply = steady_->Query(Bytes::Copy(query), applied, table_);
    CheckEq(reply, restarted_->Query(Bytes::Copy(query), applied, other_table_));
    return Parse(reply);
  }

  void Restart(bool snapshot) {
    CheckTables();
    if (snapshot) other_table_.Replace(table_);
    restarted_ = make_();
    restarted_->Load(other_table_);
  }

  void CheckTables() const { Check(table_.pairs() == other_table_.pairs(), "tables differ"); }

  const StateMachine& machine() const { return *steady_; }
  const CountingTable& table() const { return table_; }

 private:
  static proto::Result Parse(const Bytes& reply) {
    proto::Result result;
    Check(result.ParseFromArray(reply.data(), static_cast<int>(reply.size())));
    Check(result.code() != proto::CODE_UNSPECIFIED, "an answer without a code");
    return result;
  }

  const Make make_;
  std::unique_ptr<StateMachine> steady_;
  std::unique_ptr<StateMachine> restarted_;
  CountingTable table_;
  CountingTable other_table_;
  std::vector<std::pair<EntryKind, std::string>> entries_;
};

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_MODELS_TWIN_MACHINES_H_
