// A small state machine that speaks text, its dumb twin, and shorthand for stores and jobs, for the
// tests of TableStore and Engine.
#ifndef LOCKSTEP_TESTS_UNIT_STORAGE_TABLE_TEST_SUPPORT_H_
#define LOCKSTEP_TESTS_UNIT_STORAGE_TABLE_TEST_SUPPORT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/rng.h"
#include "core/runtime/state_machine.h"
#include "core/runtime/storage_job.h"
#include "gtest/gtest.h"
#include "storage/table_store.h"

namespace lockstep::storage {

// Commands: "put KEY VALUE", "del KEY", "app KEY VALUE" (appends). The reply is the old value, or
// "-". Queries: "KEY", "*" (all pairs), "#" (the count of keys, which the machine keeps in memory).
class TextMachine final : public StateMachine {
 public:
  void Load(const TableReader& table) override {
    keys_ = 0;
    table.Scan("", [this](absl::string_view, absl::string_view) { return ++keys_ > 0; });
  }
  Bytes Apply(const Entry& entry, TableWriter& table) override {
    const std::vector<std::string> words =
        absl::StrSplit(entry.data.view(), absl::MaxSplits(' ', 2));
    if (words.size() < 2) return Bytes::Copy("?");
    std::string old;
    const bool found = table.Get(words[1], &old);
    if (words[0] == "del") {
      table.Delete(words[1]);
      keys_ -= found ? 1 : 0;
    } else {
      table.Put(words[1], words[0] == "app" && found ? old + words[2] : words[2]);
      keys_ += found ? 0 : 1;
    }
    return Bytes::Copy(found ? old : "-");
  }
  Bytes Query(const Bytes& query, LogPosition, const TableReader& table) const override {
    if (query.view() == "#") return Bytes::Copy(absl::StrCat(keys_));
    std::string text;
    if (query.view() != "*") return Bytes::Copy(table.Get(query.view(), &text) ? text : "-");
    table.Scan("", [&](absl::string_view key, absl::string_view value) {
      absl::StrAppend(&text, key, "=", value, ";");
      return true;
    });
    return Bytes::Copy(text);
  }

 private:
  int64_t keys_ = 0;
};

class TextMachines final : public MachineFactory {
 public:
  std::unique_ptr<StateMachine> Make(GroupId) const override {
    return std::make_unique<TextMachine>();
  }
};

// What a table must hold.
class Twin {
 public:
  std::string Apply(const std::string& command) {
    const std::vector<std::string> words = absl::StrSplit(command, absl::MaxSplits(' ', 2));
    const auto found = pairs_.find(words[1]);
    std::string old = found == pairs_.end() ? "-" : found->second;
    if (words[0] == "put") pairs_[words[1]] = words[2];
    if (words[0] == "app") pairs_[words[1]] += words[2];
    if (words[0] == "del") pairs_.erase(words[1]);
    return old;
  }
  std::string Print() const {
    std::string text;
    for (const auto& [key, value] : pairs_) absl::StrAppend(&text, key, "=", value, ";");
    return text;
  }
  size_t size() const { return pairs_.size(); }

 private:
  std::map<std::string, std::string> pairs_;
};

inline std::string RandomCommand(Rng& rng, uint64_t keys, uint64_t value_bytes_max) {
  const std::string key = absl::StrCat("k", rng.Below(keys));
  const uint64_t kind = rng.Below(8);
  if (kind == 0) return absl::StrCat("del ", key);
  const auto letter = static_cast<char>('a' + rng.Below(26));
  const std::string value(rng.Below(value_bytes_max + 1), letter);
  return absl::StrCat(kind < 3 ? "app " : "put ", key, " ", value);
}

// The log of a group: entry i + 1 has index i + 1. Every fifth is a no-op.
inline std::vector<Entry> RandomLog(Rng& rng, uint64_t count, uint64_t keys,
                                    uint64_t value_bytes_max) {
  std::vector<Entry> log;
  for (uint64_t i = 1; i <= count; ++i) {
    const Term term(1 + i / 10);
    if (i % 5 == 0) {
      log.push_back({Index(i), term, EntryKind::kNoop, Bytes()});
    } else {
      const std::string command = RandomCommand(rng, keys, value_bytes_max);
      log.push_back({Index(i), term, EntryKind::kCommand, Bytes::Copy(command)});
    }
  }
  return log;
}

// The twin of a table that holds the entries up to `index`.
inline Twin TwinAt(const std::vector<Entry>& log, Index index) {
  Twin twin;
  for (const Entry& entry : log) {
    if (entry.index > index) break;
    if (entry.kind == EntryKind::kCommand) twin.Apply(std::string(entry.data.view()));
  }
  return twin;
}

// The two groups of every store here.
inline Entry CommandAt(uint64_t index, const std::string& command) {
  return Entry{Index(index), Term(1), EntryKind::kCommand, Bytes::Copy(command)};
}

inline constexpr GroupId kGroup(7);
inline constexpr GroupId kOther(8);

// A small memtable, so that it is flushed often.
inline absl::StatusOr<std::unique_ptr<TableStore>> TryOpen(FileSystem& files,
                                                           BackgroundWork* background = nullptr) {
  static const TextMachines machines;
  TableStoreOptions options;
  options.directory = "node/table";
  options.groups = {kGroup, kOther};
  options.write_buffer_bytes = 64 << 10;
  options.background = background;
  return TableStore::Open(files, options, machines);
}

inline std::unique_ptr<TableStore> MustOpen(FileSystem& files) {
  auto store = TryOpen(files);
  EXPECT_TRUE(store.ok()) << store.status();
  return *std::move(store);
}

template <class Done, class Job>
Done MustRun(TableStore& store, const Job& job) {
  auto result = store.Run(job);
  EXPECT_TRUE(result.ok()) << result.status();
  return std::get<Done>(*std::move(result));
}

inline std::string Query(TableStore& store, const std::string& query, GroupId group = kGroup) {
  const QueryTable job{group, {{RequestId(1), Bytes::Copy(query)}}};
  return std::string(MustRun<QueryDone>(store, job).items[0].reply.view());
}

}  // namespace lockstep::storage

#endif  // LOCKSTEP_TESTS_UNIT_STORAGE_TABLE_TEST_SUPPORT_H_
