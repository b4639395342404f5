// Tables against a plain map: applying, reopening, and a crash at every single operation of the
// disk.
#include "storage/table_store.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "tests/unit/storage/table_test_support.h"

namespace lockstep::storage {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;

TEST(TableStore, AppliesInOrderAndAnswersFromTheResult) {
  SimFileSystem disk;
  auto store = MustOpen(disk);
  const ApplyEntries job{kGroup,
                         {CommandAt(1, "put a 1"), CommandAt(2, "app a 2"), CommandAt(3, "del b"),
                          CommandAt(4, "put b x"), CommandAt(5, "del a"), CommandAt(6, "app a 3")}};
  const ApplyDone done = MustRun<ApplyDone>(*store, job);
  ASSERT_EQ(done.results.size(), 6u);
  const char* const replies[] = {"-", "1", "-", "-", "12", "-"};
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(done.results[i].reply.view(), replies[i]) << i;
  EXPECT_EQ(done.applied, (LogPosition{Index(6), Term(1)}));
  EXPECT_EQ(Query(*store, "*"), "a=3;b=x;");
  EXPECT_EQ(Query(*store, "*", kOther), "");
}

TEST(TableStore, SkipsWhatItHasApplied) {
  SimFileSystem disk;
  auto store = MustOpen(disk);
  MustRun<ApplyDone>(*store, ApplyEntries{kGroup, {CommandAt(1, "app a 1")}});
  const ApplyEntries again{kGroup, {CommandAt(1, "app a 1"), CommandAt(2, "app a 2")}};
  const ApplyDone done = MustRun<ApplyDone>(*store, again);
  ASSERT_EQ(done.results.size(), 1u);
  EXPECT_EQ(done.results[0].index, Index(2));
  EXPECT_EQ(Query(*store, "a"), "12");
}

TEST(TableStoreDeathTest, AGapIsOurMistake) {
  SimFileSystem disk;
  auto store = MustOpen(disk);
  EXPECT_DEATH(store->Run(ApplyEntries{kGroup, {CommandAt(2, "put a 1")}}).IgnoreError(), "2 == 1");
}

TEST(TableStore, ACheckpointIsWhatSurvives) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  MustRun<ApplyDone>(*store, ApplyEntries{kGroup, {CommandAt(1, "put a 1")}});
  const CheckpointDone done = MustRun<CheckpointDone>(*store, Checkpoint{kGroup});
  EXPECT_EQ(done.durable, (LogPosition{Index(1), Term(1)}));
  const uint64_t operations = disk.counters().operations;
  MustRun<CheckpointDone>(*store, Checkpoint{kGroup});  // Nothing new: costs nothing.
  EXPECT_EQ(disk.counters().operations, operations);
  MustRun<ApplyDone>(*store, ApplyEntries{kGroup, {CommandAt(2, "put b 2")}});
  disk.PowerCutAfter(0);
  store.reset();
  disk.Crash(rng, CrashOptions::DropAll());
  store = MustOpen(disk);
  EXPECT_EQ(store->applied(kGroup).index, Index(1));
  EXPECT_EQ(Query(*store, "*"), "a=1;");
  EXPECT_EQ(Query(*store, "#"), "1");  // The machine was loaded from the table.
}

// One machine, a random log, random jobs, against a map; closing now and then.
TEST(TableStore, EqualsItsTwin) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    SimFileSystem disk;
    auto store = MustOpen(disk);
    const std::vector<Entry> log = RandomLog(rng, 400, 20, 2000);
    Twin twin;
    size_t at = 0;
    while (at < log.size()) {
      ApplyEntries job{kGroup, {}};
      std::vector<std::string> replies;
      for (uint64_t left = rng.Between(1, 20); left > 0 && at < log.size(); --left, ++at) {
        job.entries.push_back(log[at]);
        const bool command = log[at].kind == EntryKind::kCommand;
        replies.push_back(command ? twin.Apply(std::string(log[at].data.view())) : "");
      }
      const ApplyDone done = MustRun<ApplyDone>(*store, job);
      ASSERT_EQ(done.results.size(), replies.size());
      for (size_t i = 0; i < replies.size(); ++i)
        ASSERT_EQ(done.results[i].reply.view(), replies[i]);
      ASSERT_EQ(Query(*store, "*"), twin.Print());
      if (rng.Below(10) != 0) continue;
      if (rng.Below(2) == 0) MustRun<CheckpointDone>(*store, Checkpoint{kGroup});
      store = nullptr;
      store = MustOpen(disk);
      at = store->applied(kGroup).index.value();
      twin = TwinAt(log, store->applied(kGroup).index);
      ASSERT_EQ(Query(*store, "*"), twin.Print());
      ASSERT_EQ(Query(*store, "#"), absl::StrCat(twin.size()));
    }
  }
}

// Applies the rest of `log` with a checkpoint now and then and at the end, or until the power is
// gone. Returns the applied index that is promised to be durable.
Index Work(TableStore& store, const std::vector<Entry>& log) {
  Index durable = store.applied(kGroup).index;
  for (size_t begin = durable.value(); begin < log.size(); begin += 3) {
    ApplyEntries job{kGroup, {}};
    const size_t end = std::min(begin + 3, log.size());
    for (size_t i = begin; i < end; ++i) job.entries.push_back(log[i]);
    if (!store.Run(job).ok()) return durable;
    if (begin % 8 != 0 && end < log.size()) continue;
    const auto done = store.Run(Checkpoint{kGroup});
    if (!done.ok()) return durable;
    durable = std::get<CheckpointDone>(*done).durable.index;
  }
  return durable;
}

// The power goes at every mutating operation of opening and working, one after the other. What is
// then found is the table after a prefix of the log, at its exact position, not before what was
// promised; and the work can go on.
TEST(TableStore, ACrashAtAnyOperationLeavesAPrefix) {
  uint64_t crashes = 0;
  std::set<uint64_t> positions;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Rng rng(seed);
    const std::vector<Entry> log = RandomLog(rng, 120, 8, 6000);
    for (uint64_t cut = 1;; ++cut) {
      SimFileSystem disk;
      Index promised;
      disk.PowerCutAfter(cut);
      {
        auto store = TryOpen(disk);
        if (store.ok()) promised = Work(**store, log);
      }
      const bool was_cut = !disk.powered();
      const CrashOptions options = seed == 1   ? CrashOptions::DropAll()
                                   : seed == 2 ? CrashOptions::KeepAll()
                                               : CrashOptions{};
      disk.Crash(rng, options);
      auto store = TryOpen(disk);
      ASSERT_TRUE(store.ok()) << store.status() << " seed " << seed << " cut " << cut;
      const LogPosition applied = (*store)->applied(kGroup);
      ASSERT_GE(applied.index, promised) << "seed " << seed << " cut " << cut;
      if (applied.index) {
        ASSERT_EQ(applied.term, log[applied.index.value() - 1].term);
      }
      const Twin twin = TwinAt(log, applied.index);
      ASSERT_EQ(Query(**store, "*"), twin.Print()) << "seed " << seed << " cut " << cut;
      positions.insert(applied.index.value());
      ASSERT_EQ(Work(**store, log), Index(log.size()));
      ASSERT_EQ(Query(**store, "*"), TwinAt(log, Index(log.size())).Print());
      if (!was_cut) break;
      ++crashes;
    }
  }
  EXPECT_GT(crashes, 300u);
  EXPECT_GT(positions.size(), 10u);
}

// Keys this long make an edit of the MANIFEST span many sectors, more than the buffer of a table
// file. A power failure may tear it; it must not survive without the tables that it names, and what
// is left of it must not keep the store from opening.
TEST(TableStore, ATornManifestIsNoReasonNotToOpen) {
  CrashOptions torn = CrashOptions::DropAll();
  torn.files = {.keep = 1, .drop = 0, .prefix = 0, .pages = 1, .sectors = 2};
  torn.names = {.keep = 1, .drop = 1, .prefix = 0, .independent = 2};
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    for (uint64_t cut = 1;; ++cut) {
      SimFileSystem disk;
      Rng rng = Rng(seed).Split("crash", cut);
      Index promised;
      auto store = MustOpen(disk);
      disk.PowerCutAfter(cut);
      for (uint64_t i = 1; i <= 2; ++i) {
        const std::string command = absl::StrCat("put ", std::string(40000, 'k'), i, " v");
        if (!store->Run(ApplyEntries{kGroup, {CommandAt(i, command)}}).ok()) break;
        if (!store->Run(Checkpoint{kGroup}).ok()) break;
        promised = Index(i);
      }
      const bool was_cut = !disk.powered();
      store = nullptr;
      disk.Crash(rng, torn);
      auto again = TryOpen(disk);
      ASSERT_TRUE(again.ok()) << again.status() << " seed " << seed << " cut " << cut;
      ASSERT_GE((*again)->applied(kGroup).index, promised);
      ASSERT_EQ(Query(**again, "#"), absl::StrCat((*again)->applied(kGroup).index.value()));
      if (!was_cut) break;
    }
  }
}

TEST(TableStore, AnErrorIsFinal) {
  SimFileSystem disk;
  auto store = MustOpen(disk);
  MustRun<ApplyDone>(*store, ApplyEntries{kGroup, {CommandAt(1, "put a 1")}});
  disk.SetSyncsFail(true);
  EXPECT_TRUE(absl::IsInternal(store->Run(Checkpoint{kGroup}).status()));
  disk.SetSyncsFail(false);
  EXPECT_TRUE(absl::IsInternal(store->Run(Checkpoint{kGroup}).status()));
  EXPECT_TRUE(absl::IsInternal(store->Run(QueryTable{kGroup, {}}).status()));
  EXPECT_TRUE(absl::IsInternal(store->Run(CloseSnapshot{kGroup, NodeId(1)}).status()));
}

TEST(TableStore, AFullDiskSaysSo) {
  SimFileSystem disk;
  auto store = MustOpen(disk);
  disk.SetCapacity(2000);
  absl::Status status;
  for (uint64_t i = 1; status.ok() && i < 200; ++i) {
    status = store->Run(ApplyEntries{kGroup, {CommandAt(i, "put a " + std::string(1000, 'x'))}})
                 .status();
    if (status.ok()) status = store->Run(Checkpoint{kGroup}).status();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  store.reset();
  disk.SetCapacity(SimFileSystem::kUnlimited);
  MustOpen(disk);
}

// "put K V" and "del K" do so; every entry answers with all pairs, as a scan from its number on
// shows them, and at most as many as it says: "put K V START MAX".
class ScanningMachine final : public StateMachine {
 public:
  void Load(const TableReader&) override {}
  Bytes Apply(const Entry& entry, TableWriter& table) override {
    const std::vector<std::string> words = absl::StrSplit(entry.data.view(), ' ');
    if (words[0] == "put") table.Put(words[1], words[2]);
    if (words[0] == "del") table.Delete(words[1]);
    std::string shown;
    uint64_t left = 0;
    Check(absl::SimpleAtoi(words[4], &left));
    table.Scan(words[3], [&](absl::string_view key, absl::string_view value) {
      absl::StrAppend(&shown, key, "=", value, ";");
      return --left > 0;
    });
    return Bytes::Copy(shown);
  }
  Bytes Query(const Bytes&, LogPosition, const TableReader&) const override { return Bytes(); }
};

class ScanningMachines final : public MachineFactory {
 public:
  std::unique_ptr<StateMachine> Make(GroupId) const override {
    return std::make_unique<ScanningMachine>();
  }
};

// An entry sees what entries before it wrote, in this job and in earlier ones, and what it has
// written itself.
TEST(TableStore, AScanWhileApplyingSeesAllThatWasWritten) {
  SimFileSystem disk;
  const ScanningMachines machines;
  TableStoreOptions options;
  options.directory = "node/table";
  options.groups = {kOther, kGroup};
  auto store = TableStore::Open(disk, options, machines);
  ASSERT_TRUE(store.ok()) << store.status();
  std::map<std::string, std::string> twin;
  Rng rng(1);
  uint64_t index = 0;
  for (int i = 0; i < 200; ++i) {
    ApplyEntries job{kGroup, {}};
    std::vector<std::string> expected;
    for (uint64_t left = rng.Between(uint64_t{1}, uint64_t{8}); left > 0; --left) {
      const std::string key = absl::StrCat("k", rng.Below(12));
      const std::string start = absl::StrCat("k", rng.Below(12));
      const uint64_t shown = rng.Between(uint64_t{1}, uint64_t{12});
      const bool put = rng.Chance({2, 3});
      ++index;
      job.entries.push_back(CommandAt(
          index, absl::StrCat(put ? "put " : "del ", key, " ", index, " ", start, " ", shown)));
      twin.erase(key);
      if (put) twin[key] = absl::StrCat(index);
      std::string& text = expected.emplace_back();
      uint64_t count = 0;
      for (auto at = twin.lower_bound(start); at != twin.end() && count < shown; ++at, ++count) {
        absl::StrAppend(&text, at->first, "=", at->second, ";");
      }
    }
    const ApplyDone done = MustRun<ApplyDone>(**store, job);
    ASSERT_EQ(done.results.size(), expected.size());
    for (size_t at = 0; at < expected.size(); ++at) {
      ASSERT_EQ(done.results[at].reply.view(), expected[at]) << "job " << i << ", entry " << at;
    }
  }
}

TEST(TableStore, DigestsAgreeExactlyWhenTablesDo) {
  SimFileSystem disks[2];
  auto first = MustOpen(disks[0]);
  auto second = MustOpen(disks[1]);
  EXPECT_EQ(first->Digest(kGroup), second->Digest(kGroup));
  const ApplyEntries together{kGroup, {CommandAt(1, "put a 1"), CommandAt(2, "put b 2")}};
  MustRun<ApplyDone>(*first, together);
  MustRun<ApplyDone>(*second, ApplyEntries{kGroup, {together.entries[0]}});
  EXPECT_NE(first->Digest(kGroup), second->Digest(kGroup));
  MustRun<ApplyDone>(*second, ApplyEntries{kGroup, {together.entries[1]}});
  MustRun<CheckpointDone>(*second, Checkpoint{kGroup});
  EXPECT_EQ(first->Digest(kGroup), second->Digest(kGroup));
  EXPECT_NE(first->Digest(kGroup), first->Digest(kOther));
}

}  // namespace
}  // namespace lockstep::storage
