// Snapshots read and written part by part: how streams are cut, when they are gone, and bytes that
// are no stream. Whole transfers under faults are in table_store_transfer_test.cc.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "storage/table_store.h"
#include "tests/unit/storage/snapshot_test_support.h"

namespace lockstep::storage {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;

TEST(Snapshot, TheStreamDoesNotDependOnHowItIsCut) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  EXPECT_EQ(Stream(*store, 100), "");
  ApplyAll(*store, RandomLog(rng, 100, 30, 300), 100);
  const std::string whole = Stream(*store, 1 << 20);
  EXPECT_GT(whole.size(), 2000u);
  for (const uint64_t bytes_max : std::vector<uint64_t>{1, 7, 8, 9, 100, 4096}) {
    EXPECT_EQ(Stream(*store, bytes_max), whole) << bytes_max;
  }
  EXPECT_EQ(Stream(*store, whole.size()), whole);
}

TEST(Snapshot, AnyOffsetCanBeReadAgain) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  ApplyAll(*store, RandomLog(rng, 300, 200, 60000), 300);
  const std::string whole = Stream(*store, 1 << 20);
  ASSERT_GT(whole.size(), size_t{3} << 20);  // Some marks were set.
  const LogPosition snapshot = store->applied(kGroup);
  for (int i = 0; i < 300; ++i) {
    const uint64_t offset = rng.Below(whole.size() + 1);
    const uint64_t bytes_max = rng.Between(1, 100000);
    const ReadSnapshotDone part = Read(*store, snapshot, offset, bytes_max);
    ASSERT_FALSE(part.gone);
    ASSERT_EQ(part.data.view(), absl::string_view(whole).substr(offset, bytes_max));
    ASSERT_EQ(part.last, offset + bytes_max >= whole.size());
  }
  EXPECT_TRUE(Read(*store, snapshot, whole.size() + 1, 10).gone);
}

TEST(Snapshot, StaysAsItWasWhileTheTableGoesOn) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  const std::vector<Entry> log = RandomLog(rng, 2000, 100, 1000);
  ApplyAll(*store, log, 500);
  const std::string whole = Stream(*store, 1 << 20);
  const LogPosition snapshot = Read(*store, std::nullopt, 0, 1).snapshot;
  std::string stream;
  for (size_t applied = 500; stream.size() < whole.size();
       applied = std::min(applied + 50, log.size())) {
    ApplyAll(*store, log, applied);  // Flushes and compactions happen underneath.
    const ReadSnapshotDone part = Read(*store, snapshot, stream.size(), 3000);
    ASSERT_FALSE(part.gone);
    stream.append(part.data.data(), part.data.size());
    MustRun<CheckpointDone>(*store, Checkpoint{kGroup});
  }
  EXPECT_EQ(stream, whole);
}

Entry MembersAt(uint64_t index, const char* text) {
  return {Index(index), Term(1), EntryKind::kConfiguration, Bytes::Copy(text)};
}

// No machine sees it; it is part of the table all the same, as of its position.
TEST(Snapshot, TheConfigurationTravels) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  std::vector<Entry> log = RandomLog(rng, 20, 5, 10);
  log[3] = MembersAt(4, "first");
  log[9] = MembersAt(10, "second");
  ApplyAll(*store, log, 3);
  EXPECT_EQ(store->configuration(kGroup), Bytes());
  EXPECT_EQ(Read(*store, std::nullopt, 0, 1).configuration, Bytes());
  ApplyAll(*store, log, 8);
  const ReadSnapshotDone part = Read(*store, std::nullopt, 0, 1 << 20);
  ApplyAll(*store, log, 12);
  EXPECT_EQ(store->configuration(kGroup).view(), "second");
  EXPECT_EQ(part.configuration.view(), "first");
  EXPECT_EQ(Read(*store, part.snapshot, 0, 1 << 20).configuration.view(), "first");

  SimFileSystem other_disk;
  auto other = MustOpen(other_disk);
  EXPECT_EQ(Write(*other, part).configuration.view(), "first");
  EXPECT_EQ(other->configuration(kGroup).view(), "first");
  ApplyAll(*other, log, 12);
  EXPECT_EQ(other->Digest(kGroup), store->Digest(kGroup));
  // Late parts of what the table has come past change nothing.
  EXPECT_EQ(Write(*other, part).configuration.view(), "second");
  other.reset();  // without a checkpoint: what is durable is the installed snapshot
  other_disk.Crash(rng, CrashOptions::DropAll());
  other = MustOpen(other_disk);
  EXPECT_EQ(other->configuration(kGroup).view(),
            other->applied(kGroup).index < Index(10) ? "first" : "second");
}

TEST(Snapshot, IsGoneWhenClosedReplacedOrForgotten) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  const std::vector<Entry> log = RandomLog(rng, 20, 5, 10);
  ApplyAll(*store, log, 10);
  MustRun<CheckpointDone>(*store, Checkpoint{kGroup});
  const LogPosition snapshot = Read(*store, std::nullopt, 0, 1).snapshot;
  EXPECT_EQ(snapshot, store->applied(kGroup));
  EXPECT_FALSE(Read(*store, snapshot, 1, 1).gone);
  MustRun<std::monostate>(*store, CloseSnapshot{kGroup, kPeer});
  EXPECT_TRUE(Read(*store, snapshot, 1, 1).gone);
  MustRun<std::monostate>(*store, CloseSnapshot{kGroup, kPeer});  // Harmless.
  Read(*store, std::nullopt, 0, 1);
  ApplyAll(*store, log, 20);
  Read(*store, std::nullopt, 0, 1);
  EXPECT_TRUE(Read(*store, snapshot, 1, 1).gone);
  store = nullptr;
  store = MustOpen(disk);
  EXPECT_TRUE(Read(*store, snapshot, 1, 1).gone);
}

TEST(Snapshot, AReceiverThatRestartsGoesOnAtTheLastWholeRecord) {
  SimFileSystem disks[2];
  auto sender = MustOpen(disks[0]);
  auto receiver = MustOpen(disks[1]);
  ApplyEntries job{kGroup, {}};
  for (uint64_t i = 1; i <= 10; ++i) {
    const std::string command = absl::StrCat("put key", i, " ", std::string(1000, 'v'));
    job.entries.push_back({Index(i), Term(1), EntryKind::kCommand, Bytes::Copy(command)});
  }
  MustRun<ApplyDone>(*sender, job);
  const ReadSnapshotDone part = Read(*sender, std::nullopt, 0, 5500);
  EXPECT_EQ(Write(*receiver, part).next_offset, 5500u);
  MustRun<CheckpointDone>(*receiver, Checkpoint{kGroup});
  receiver = nullptr;
  receiver = MustOpen(disks[1]);
  // A record here is 8 + 4 + 1000 bytes; the first is key1, the second key10 with one more.
  const ReadSnapshotDone next = Read(*sender, part.snapshot, 5500, 1000);
  EXPECT_EQ(Write(*receiver, next).next_offset, 5u * 1012 + 1);
  const ReadSnapshotDone rest = Read(*sender, part.snapshot, 5 * 1012 + 1, 1 << 20);
  EXPECT_TRUE(Write(*receiver, rest).complete);
  EXPECT_EQ(receiver->Digest(kGroup), sender->Digest(kGroup));
}

TEST(Snapshot, PartsMayOverlap) {
  SimFileSystem disks[2];
  Rng rng(1);
  auto sender = MustOpen(disks[0]);
  auto receiver = MustOpen(disks[1]);
  ApplyAll(*sender, RandomLog(rng, 100, 30, 300), 100);
  const std::string stream = Stream(*sender, 1 << 20);
  uint64_t staged = 0;
  while (true) {
    const uint64_t offset = staged - std::min<uint64_t>(staged, rng.Below(200));
    const ReadSnapshotDone part = Read(*sender, sender->applied(kGroup), offset, 300);
    const WriteSnapshotDone done = Write(*receiver, part);
    if (done.complete) break;
    ASSERT_EQ(done.next_offset, std::max(staged, offset + 300));
    staged = done.next_offset;
  }
  EXPECT_EQ(receiver->Digest(kGroup), sender->Digest(kGroup));
}

TEST(Snapshot, AnEmptyTableHasAnEmptyStream) {
  SimFileSystem disks[2];
  auto sender = MustOpen(disks[0]);
  auto receiver = MustOpen(disks[1]);
  MustRun<ApplyDone>(
      *receiver,
      ApplyEntries{kGroup, {{Index(1), Term(1), EntryKind::kCommand, Bytes::Copy("put a 1")}}});
  ApplyEntries noops{kGroup, {}};
  for (uint64_t i = 1; i <= 3; ++i)
    noops.entries.push_back({Index(i), Term(2), EntryKind::kNoop, Bytes()});
  MustRun<ApplyDone>(*sender, noops);
  const ReadSnapshotDone part = Read(*sender, std::nullopt, 0, 100);
  EXPECT_TRUE(part.last);
  const WriteSnapshotDone done = Write(*receiver, part);
  EXPECT_TRUE(done.complete);
  EXPECT_EQ(done.applied, (LogPosition{Index(3), Term(2)}));
  EXPECT_EQ(Query(*receiver, "*"), "");
}

TEST(Snapshot, WhatTheTableHasIsCompleteAtOnceAndDurable) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  ApplyAll(*store, RandomLog(rng, 20, 5, 10), 20);
  const WriteSnapshot job{kGroup, {Index(15), Term(2)}, 0, Bytes::Copy("whatever"), false};
  const WriteSnapshotDone done = MustRun<WriteSnapshotDone>(*store, job);
  EXPECT_TRUE(done.complete);
  EXPECT_EQ(done.applied.index, Index(20));
  disk.PowerCutAfter(0);
  store = nullptr;
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(MustOpen(disk)->applied(kGroup).index, Index(20));
}

TEST(Snapshot, StreamsThatAreNoneAreRefused) {
  SimFileSystem disk;
  Rng rng(1);
  auto store = MustOpen(disk);
  const std::vector<Entry> log = RandomLog(rng, 10, 5, 10);
  ApplyAll(*store, log, 10);
  const std::string before = Query(*store, "*");
  const auto record = [](const std::string& key, const std::string& value) {
    std::string text;
    for (const size_t size : {key.size(), value.size()}) {
      for (int shift = 0; shift < 32; shift += 8)
        text.push_back(static_cast<char>(size >> shift & 0xFF));
    }
    return text + key + value;
  };
  const std::string bad[] = {
      std::string(8, '\xFF'),               // lengths beyond all bounds
      record("b", "1") + record("a", "2"),  // descending
      record("a", "1") + record("a", "2"),  // twice
      record("a", "1") + "tail",            // an end inside a record
  };
  for (const std::string& stream : bad) {
    for (const size_t cut : {size_t{1}, size_t{5}, stream.size()}) {
      const LogPosition snapshot{Index(20), Term(5)};
      WriteSnapshotDone done;
      for (size_t at = 0; at < stream.size(); at += cut) {
        const std::string part = stream.substr(at, cut);
        const bool last = at + cut >= stream.size();
        done = MustRun<WriteSnapshotDone>(
            *store, WriteSnapshot{kGroup, snapshot, at, Bytes::Copy(part), last});
        EXPECT_FALSE(done.complete);
      }
      EXPECT_EQ(done.next_offset, 0u);
    }
  }
  // Nothing is staged: a later part is refused, and the table is what it was.
  const WriteSnapshot later{kGroup, {Index(20), Term(5)}, 10, Bytes::Copy("x"), true};
  EXPECT_EQ(MustRun<WriteSnapshotDone>(*store, later).next_offset, 0u);
  EXPECT_EQ(Query(*store, "*"), before);
  for (int i = 0; i < 50; ++i) Query(*store, "#");
  EXPECT_EQ(store->CountGarbageKeys(), 0u);
}

TEST(Snapshot, RandomBytesHarmNothing) {
  Rng rng(1);
  for (int run = 0; run < 100; ++run) {
    SimFileSystem disk;
    auto store = MustOpen(disk);
    for (int i = 0; i < 60; ++i) {
      std::string bytes;
      for (uint64_t left = rng.Below(40); left > 0; --left) {
        const bool any = rng.Below(4) == 0;
        bytes.push_back(any ? static_cast<char>(rng.Below(256)) : '\0');
      }
      const LogPosition snapshot{Index(rng.Between(100, 102)), Term(1)};
      const uint64_t offset = rng.Below(3) == 0 ? 0 : rng.Below(60);
      const bool last = rng.Below(50) == 0;
      ASSERT_TRUE(
          store->Run(WriteSnapshot{kGroup, snapshot, offset, Bytes::Copy(bytes), last}).ok());
    }
    store = nullptr;
    store = MustOpen(disk);
    Query(*store, "*");
  }
}

// A dead generation is deleted in pieces, also when a restart comes between.
TEST(Snapshot, TheOldGenerationIsDeletedInPieces) {
  SimFileSystem disks[2];
  auto sender = MustOpen(disks[0]);
  auto receiver = MustOpen(disks[1]);
  ApplyEntries job{kGroup, {}};
  for (uint64_t i = 1; i <= 2000; ++i) {
    const std::string command = absl::StrCat("put ", i, " v");
    job.entries.push_back({Index(i), Term(1), EntryKind::kCommand, Bytes::Copy(command)});
  }
  MustRun<ApplyDone>(*receiver, job);
  job.entries.push_back({Index(2001), Term(1), EntryKind::kNoop, Bytes()});
  MustRun<ApplyDone>(*sender, job);
  EXPECT_TRUE(Write(*receiver, Read(*sender, std::nullopt, 0, 1 << 20)).complete);
  EXPECT_GT(receiver->CountGarbageKeys(), 1000u);
  Query(*receiver, "#");
  receiver = nullptr;
  receiver = MustOpen(disks[1]);
  EXPECT_GT(receiver->CountGarbageKeys(), 1000u);
  for (int i = 0; i < 10; ++i) Query(*receiver, "#");
  EXPECT_EQ(receiver->CountGarbageKeys(), 0u);
  EXPECT_EQ(receiver->Digest(kGroup), sender->Digest(kGroup));
}

}  // namespace
}  // namespace lockstep::storage
