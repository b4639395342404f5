// Whole transfers of a snapshot under everything that can happen to them: restarts on both sides,
// parts lost and repeated, writes meanwhile, and a crash at every operation of the disk.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
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

// The sender and the receiver of one transfer, with everything that can happen between two parts.
class Transfer {
 public:
  explicit Transfer(uint64_t seed) : rng_(seed) {
    const uint64_t value_bytes = rng_.Magnitude(1, 50000);
    log_ = RandomLog(rng_, 200, 40, value_bytes);
    sender_ = MustOpen(sender_disk_);
    receiver_ = MustOpen(receiver_disk_);
    ApplyAll(*sender_, log_, 150);
    MustRun<CheckpointDone>(*sender_, Checkpoint{kGroup});
    ApplyAll(*receiver_, log_, rng_.Below(100));
  }

  // One part, then perhaps a misfortune. True: the snapshot is installed.
  bool Step() {
    const ReadSnapshotDone part =
        Read(*sender_, snapshot_, snapshot_.has_value() ? offset_ : 0, rng_.Magnitude(1, 100000));
    if (part.gone) {
      snapshot_ = std::nullopt;
      return false;
    }
    snapshot_ = part.snapshot;
    const WriteSnapshotDone done = Write(*receiver_, part);
    EXPECT_EQ(done.snapshot, part.snapshot);
    if (done.complete) return true;
    offset_ = done.next_offset;
    if (offset_ == 0) snapshot_ = std::nullopt;
    Misfortune(part);
    return false;
  }

  void Check() {
    EXPECT_EQ(receiver_->applied(kGroup), *snapshot_);
    CheckTable();
    receiver_disk_.PowerCutAfter(0);
    receiver_ = nullptr;
    receiver_disk_.Crash(rng_, CrashOptions::DropAll());  // Installed means durable.
    receiver_ = MustOpen(receiver_disk_);
    EXPECT_EQ(receiver_->applied(kGroup), *snapshot_);
    CheckTable();
    for (int i = 0; i < 100; ++i) Query(*receiver_, "#");
    EXPECT_EQ(receiver_->CountGarbageKeys(), 0u);
    ApplyAll(*sender_, log_, 200);
    ApplyAll(*receiver_, log_, 200);
    EXPECT_EQ(sender_->Digest(kGroup), receiver_->Digest(kGroup));
  }

 private:
  void CheckTable() {
    const Twin twin = TwinAt(log_, snapshot_->index);
    EXPECT_EQ(Query(*receiver_, "*"), twin.Print());
    EXPECT_EQ(Query(*receiver_, "#"), absl::StrCat(twin.size()));
  }

  void Misfortune(const ReadSnapshotDone& part) {
    const uint64_t kind = rng_.Below(40);
    if (kind == 0) {  // The receiver restarts; what was staged and synced is still there.
      receiver_disk_.PowerCutAfter(0);
      receiver_ = nullptr;
      receiver_disk_.Crash(rng_, CrashOptions{});
      receiver_ = MustOpen(receiver_disk_);
    } else if (kind == 1) {
      sender_ = nullptr;
      sender_ = MustOpen(sender_disk_);
      ApplyAll(*sender_, log_, 150);
    } else if (kind < 5) {  // A part arrives again.
      EXPECT_EQ(Write(*receiver_, part).next_offset, offset_);
    } else if (kind < 8) {
      MustRun<CheckpointDone>(*receiver_, Checkpoint{kGroup});
    } else if (kind < 10) {  // The table goes on meanwhile.
      ApplyAll(*receiver_, log_,
               std::min<size_t>(receiver_->applied(kGroup).index.value() + 3, 140));
      ApplyAll(*sender_, log_, std::min<size_t>(sender_->applied(kGroup).index.value() + 3, 200));
    } else if (kind == 10) {  // A part is lost: the next one is ahead.
      ReadSnapshotDone ahead = part;
      ahead.offset = offset_ + 1;
      EXPECT_EQ(Write(*receiver_, ahead).next_offset, offset_);
    } else if (kind == 11 && rng_.Below(10) == 0) {  // A part of something else.
      const WriteSnapshot other{kGroup, {Index(149), Term(9)}, 0, Bytes::Copy("abc"), false};
      EXPECT_EQ(MustRun<WriteSnapshotDone>(*receiver_, other).next_offset, 3u);
    }
  }

  Rng rng_;
  std::vector<Entry> log_;
  SimFileSystem sender_disk_;
  SimFileSystem receiver_disk_;
  std::unique_ptr<TableStore> sender_;
  std::unique_ptr<TableStore> receiver_;
  std::optional<LogPosition> snapshot_;
  uint64_t offset_ = 0;
};

TEST(Snapshot, ArrivesWhateverHappens) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Transfer transfer(seed);
    int steps = 0;
    while (!transfer.Step()) ASSERT_LT(++steps, 2000000) << "seed " << seed;
    transfer.Check();
    if (testing::Test::HasFailure()) return;
  }
}

// A crash at every operation while a snapshot arrives: the old table at an exact position, or the
// new one; and the transfer can be finished.
TEST(Snapshot, ACrashAtAnyOperationLeavesTheOldTableOrTheNew) {
  Rng rng(1);
  const std::vector<Entry> log = RandomLog(rng, 80, 30, 3000);
  SimFileSystem sender_disk;
  auto sender = MustOpen(sender_disk);
  ApplyAll(*sender, log, 80);
  const std::string stream = Stream(*sender, 1 << 20);
  const LogPosition snapshot = sender->applied(kGroup);
  const auto send = [&](TableStore& store, uint64_t from) -> bool {
    uint64_t offset = from;
    for (int steps = 0; steps < 1000; ++steps) {
      const std::string part = stream.substr(offset, 1500);
      const bool last = offset + part.size() == stream.size();
      const auto done = store.Run(WriteSnapshot{kGroup, snapshot, offset, Bytes::Copy(part), last});
      if (!done.ok()) return false;
      const auto& result = std::get<WriteSnapshotDone>(*done);
      if (result.complete) return true;
      offset = result.next_offset;
      if (steps % 7 == 3 && !store.Run(Checkpoint{kGroup}).ok()) return false;
    }
    ADD_FAILURE() << "the transfer does not end";
    return false;
  };
  uint64_t resumed = 0;
  for (uint64_t cut = 1;; ++cut) {
    SimFileSystem disk;
    {
      auto store = MustOpen(disk);
      ApplyAll(*store, log, 30);
      MustRun<CheckpointDone>(*store, Checkpoint{kGroup});
      disk.PowerCutAfter(cut);
      const bool complete = send(*store, 0);
      if (complete) {
        ASSERT_EQ(store->applied(kGroup), snapshot);
      }
    }
    const bool was_cut = !disk.powered();
    disk.Crash(rng, cut % 3 == 0 ? CrashOptions::DropAll() : CrashOptions{});
    auto store = TryOpen(disk);
    ASSERT_TRUE(store.ok()) << store.status() << " cut " << cut;
    const LogPosition applied = (*store)->applied(kGroup);
    ASSERT_TRUE(applied == snapshot || applied.index == Index(30)) << applied.index;
    ASSERT_TRUE(was_cut || applied == snapshot);
    ASSERT_EQ(Query(**store, "*"), TwinAt(log, applied.index).Print());
    const WriteSnapshot probe{kGroup, snapshot, stream.size(), Bytes(), false};
    const uint64_t next = MustRun<WriteSnapshotDone>(**store, probe).next_offset;
    if (applied != snapshot && next > 0) ++resumed;
    ASSERT_TRUE(send(**store, applied == snapshot ? 0 : next));
    ASSERT_EQ((*store)->Digest(kGroup), sender->Digest(kGroup));
    for (int i = 0; i < 10; ++i) Query(**store, "#");
    ASSERT_EQ((*store)->CountGarbageKeys(), 0u);
    if (!was_cut) break;
  }
  EXPECT_GT(resumed, 10u);
}

}  // namespace
}  // namespace lockstep::storage
