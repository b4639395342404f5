// The life of a log: commits, reopening, segments, cleaning, errors.
#include "storage/wal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/disk/sim_file_system.h"
#include "storage/posix_file_system.h"
#include "tests/unit/storage/wal_test_support.h"

namespace lockstep::storage {
namespace {

Entry Command(uint64_t index, uint64_t term, const std::string& data) {
  return {.index = Index(index),
          .term = Term(term),
          .kind = EntryKind::kCommand,
          .data = Bytes::Copy(data)};
}

CommitLog Append(GroupId group, uint64_t index, const std::string& data) {
  LogBatch batch;
  batch.group = group;
  batch.append.push_back(Command(index, 1, data));
  CommitLog job;
  job.batches.push_back(std::move(batch));
  return job;
}

CommitLog MoveBase(GroupId group, uint64_t index, uint64_t term) {
  LogBatch batch;
  batch.group = group;
  batch.base = LogPosition{Index(index), Term(term)};
  CommitLog job;
  job.batches.push_back(std::move(batch));
  return job;
}

TEST(Wal, EmptyLogHasEmptyImages) {
  sim::SimFileSystem files;
  WalRig rig(files, "/node/wal", {.groups = Groups(2)});
  for (int boot = 0; boot < 3; ++boot) {
    ASSERT_TRUE(rig.Open().ok());
    EXPECT_EQ(rig.found(), "group 1 term 0 vote 0 base 0/0\ngroup 2 term 0 vote 0 base 0/0\n");
    EXPECT_EQ(rig.Segments().size(), 1u);
  }
}

TEST(Wal, OneCommitIsOneWriteAndOneSync) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(2)});
  ASSERT_TRUE(rig.Open().ok());
  CommitLog job = Append(GroupId(1), 1, "x");
  job.batches.push_back(Append(GroupId(2), 1, "y").batches[0]);
  const sim::DiskCounters before = files.counters();
  ASSERT_TRUE(rig.Commit(job).ok());
  EXPECT_EQ(files.counters().operations - before.operations, 2u);
  EXPECT_EQ(files.counters().syncs - before.syncs, 1u);

  ASSERT_TRUE(rig.Commit(CommitLog()).ok());
  EXPECT_EQ(files.counters().operations - before.operations, 2u) << "nothing to do costs nothing";
}

TEST(Wal, ImagesComeInTheOrderOfTheGroups) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = {GroupId(7), GroupId(3)}});
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Commit(Append(GroupId(3), 1, "three")).ok());
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_EQ(rig.images()[0].group, GroupId(7));
  EXPECT_EQ(rig.images()[1].group, GroupId(3));
  EXPECT_EQ(rig.images()[1].entries.at(0).data.view(), "three");
  EXPECT_EQ(rig.images()[1].applied, LogPosition());
}

TEST(Wal, BaseForgetsPrefixOrEverything) {
  struct Row {
    const char* name;
    LogPosition base;
    size_t left;
  };
  for (const Row& row : std::vector<Row>{{"held", {Index(3), Term(1)}, 2},
                                         {"the last one", {Index(5), Term(1)}, 0},
                                         {"of another term", {Index(3), Term(2)}, 0},
                                         {"beyond the end", {Index(9), Term(1)}, 0},
                                         {"where it is", {Index(0), Term(0)}, 5}}) {
    sim::SimFileSystem files;
    WalRig rig(files, "/wal", {.groups = Groups(1)});
    ASSERT_TRUE(rig.Open().ok());
    for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(rig.Commit(Append(GroupId(1), i, "x")).ok());
    ASSERT_TRUE(
        rig.Commit(MoveBase(GroupId(1), row.base.index.value(), row.base.term.value())).ok());
    ASSERT_TRUE(rig.Open().ok());
    EXPECT_EQ(rig.images()[0].base, row.base) << row.name;
    EXPECT_EQ(rig.images()[0].entries.size(), row.left) << row.name;
    EXPECT_EQ(rig.found(), Describe(rig.expected())) << row.name;
  }
}

// The dumb twin, on a real disk: whatever is committed is found again, through truncations, base
// moves, rotations, cleaning and reopening.
TEST(Wal, EqualsItsTwin) {
  PosixFileSystem files;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Rng rng = Rng(seed).Split("wal twin");
    const uint64_t groups = rng.Between(1, 4);
    const uint64_t segment_bytes = rng.Magnitude(1, 20000);
    WalRig rig(files, FreshDirectory(absl::StrCat("twin", seed)),
               {.groups = Groups(groups), .segment_bytes_max = segment_bytes});
    ASSERT_TRUE(rig.Open().ok());
    JobMix mix;
    for (int i = 0; i < 150; ++i) {
      if (i == 50 && groups > 1) mix.idle.push_back(GroupId(1));
      ASSERT_TRUE(rig.Commit(RandomJob(rng, mix, rig.expected())).ok());
      if (!rng.Chance({1, 10})) continue;
      const absl::Status status = rig.Open();
      ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status;
      ASSERT_EQ(rig.found(), Describe(rig.expected())) << "seed " << seed << " commit " << i;
    }
  }
}

TEST(Wal, EqualsItsTwinForManySeeds) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Rng rng = Rng(seed).Split("wal twin in memory");
    sim::SimFileSystem files;
    const uint64_t groups = rng.Between(1, 5);
    const uint64_t segment_bytes = rng.Magnitude(1, 20000);
    WalRig rig(files, "/wal", {.groups = Groups(groups), .segment_bytes_max = segment_bytes});
    ASSERT_TRUE(rig.Open().ok());
    JobMix mix;
    mix.data_bytes_max = rng.Magnitude(1, 5000);
    for (int i = 0; i < 200; ++i) {
      if (i == 50 && groups > 1) mix.idle.push_back(GroupId(1));
      ASSERT_TRUE(rig.Commit(RandomJob(rng, mix, rig.expected())).ok());
      if (!rng.Chance({1, 10})) continue;
      const absl::Status status = rig.Open();
      ASSERT_TRUE(status.ok()) << "seed " << seed << ": " << status;
      ASSERT_EQ(rig.found(), Describe(rig.expected())) << "seed " << seed << " commit " << i;
    }
  }
}

TEST(Wal, DeadSegmentsAreDeleted) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(2), .segment_bytes_max = 1000});
  ASSERT_TRUE(rig.Open().ok());
  for (uint64_t i = 1; i <= 500; ++i) {
    ASSERT_TRUE(rig.Commit(Append(GroupId(1), i, std::string(100, 'x'))).ok());
    if (i % 10 == 0) {
      ASSERT_TRUE(rig.Commit(MoveBase(GroupId(1), i - 5, 1)).ok());
    }
    EXPECT_LE(rig.wal().size().segments, 4u);
    EXPECT_EQ(rig.wal().size().segments, rig.Segments().size());
  }
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_EQ(rig.found(), Describe(rig.expected()));
}

// A group that fell silent must not make the log of a busy one grow for ever.
TEST(Wal, IdleGroupDoesNotPinSegments) {
  sim::SimFileSystem files;
  const uint64_t segment_bytes = 20000;
  WalRig rig(files, "/wal", {.groups = Groups(3), .segment_bytes_max = segment_bytes});
  ASSERT_TRUE(rig.Open().ok());
  for (uint64_t i = 1; i <= 30; ++i) {
    ASSERT_TRUE(rig.Commit(Append(GroupId(2), i, std::string(1000, 'i'))).ok());
  }
  uint64_t segments_max = 0;
  for (uint64_t i = 1; i <= 5000; ++i) {
    ASSERT_TRUE(rig.Commit(Append(GroupId(1), i, std::string(500, 'b'))).ok());
    if (i % 10 == 0) {
      ASSERT_TRUE(rig.Commit(MoveBase(GroupId(1), i, 1)).ok());
    }
    const WalSize size = rig.wal().size();
    segments_max = std::max(segments_max, size.segments);
    EXPECT_LE(size.bytes, 2 * size.live_bytes + 5 * segment_bytes);
    if (i % 500 != 0) continue;
    ASSERT_TRUE(rig.Open().ok());
    ASSERT_EQ(rig.found(), Describe(rig.expected()));
  }
  EXPECT_LE(segments_max, 9u);
  EXPECT_GE(segments_max, 4u);
}

// Cleaning copies what it reads; what rotted meanwhile must not get a fresh checksum.
TEST(Wal, CleaningFindsRot) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(2), .segment_bytes_max = 2000});
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Commit(Append(GroupId(2), 1, std::string(500, 'i'))).ok());
  const std::string oldest = rig.Segments().front();
  const uint64_t size = *files.FileSize(oldest);
  ASSERT_TRUE(files.FlipBits(oldest, size - 100, 4));
  absl::Status status;
  for (uint64_t i = 1; status.ok() && i <= 1000; ++i) {
    status = rig.Commit(Append(GroupId(1), i, std::string(500, 'b')));
    if (status.ok()) status = rig.Commit(MoveBase(GroupId(1), i, 1));
  }
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find(oldest), absl::string_view::npos) << status;
}

TEST(Wal, ErrorIsSticky) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(1)});
  ASSERT_TRUE(rig.Open().ok());
  files.SetSyncsFail(true);
  const absl::Status first = rig.Commit(Append(GroupId(1), 1, "x"));
  ASSERT_FALSE(first.ok());
  files.SetSyncsFail(false);
  const uint64_t operations = files.counters().operations;
  EXPECT_EQ(rig.wal().Commit(Append(GroupId(1), 2, "y")), first);
  EXPECT_EQ(rig.wal().Commit(CommitLog()), first);
  EXPECT_EQ(files.counters().operations, operations);
}

// A failed fsync leaves pages that look clean and are not on the disk. Who reads them after a
// restart and believes them loses them with the power (Rebello et al., ATC 2020): so what is found
// is written and synced once more.
TEST(Wal, LastCommitFoundIsWrittenAgain) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(1)});
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Commit(Append(GroupId(1), 1, "durable")).ok());
  const uint64_t size = *files.FileSize(rig.Segments().front());
  files.SetSyncsFail(true);
  ASSERT_FALSE(rig.Commit(Append(GroupId(1), 2, "in flight")).ok());
  files.SetSyncsFail(false);
  const uint64_t frame_bytes = *files.FileSize(rig.Segments().front()) - size;

  const sim::DiskCounters before = files.counters();
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_EQ(rig.images()[0].entries.size(), 2u);
  EXPECT_EQ(files.counters().bytes_written - before.bytes_written, frame_bytes);
  EXPECT_EQ(files.counters().syncs - before.syncs, 1u);
}

TEST(Wal, DiskFullIsResourceExhausted) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(1)});
  ASSERT_TRUE(rig.Open().ok());
  files.SetCapacity(1000);
  absl::Status status;
  for (uint64_t i = 1; status.ok() && i < 100; ++i) {
    status = rig.Commit(Append(GroupId(1), i, "some data"));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  files.SetCapacity(sim::SimFileSystem::kUnlimited);
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_EQ(rig.found(), Describe(rig.expected()));
  EXPECT_GT(rig.wal().size().torn_bytes, 0u);
}

// What is written fits; what it wants beyond that is not needed yet.
TEST(Wal, AReserveThatHasNoRoomIsNoError) {
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(1), .reserve_bytes = uint64_t{1} << 20});
  files.LeaveFree(2000);
  ASSERT_TRUE(rig.Open().ok());
  for (uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(rig.Commit(Append(GroupId(1), i, std::string(100, 'x'))).ok()) << i;
  }
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_EQ(rig.found(), Describe(rig.expected()));
}

TEST(Wal, GroupsMayBeAddedButNotForgotten) {
  sim::SimFileSystem files;
  WalRig two(files, "/wal", {.groups = Groups(2), .segment_bytes_max = 200});
  ASSERT_TRUE(two.Open().ok());
  for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(two.Commit(Append(GroupId(2), i, "x")).ok());
  two.Close();

  WalRig three(files, "/wal", {.groups = Groups(3), .segment_bytes_max = 200});
  ASSERT_TRUE(three.Open().ok());
  for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(three.Commit(Append(GroupId(3), i, "y")).ok());
  ASSERT_TRUE(three.Open().ok());
  EXPECT_EQ(three.images()[1].entries.size(), 5u);
  EXPECT_EQ(three.images()[2].entries.size(), 5u);
  three.Close();

  const uint64_t digest = files.Digest();
  const absl::Status status = two.Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_NE(status.message().find("group 3"), absl::string_view::npos) << status;
  EXPECT_EQ(files.Digest(), digest);
}

TEST(Wal, BadOptionsAreRefused) {
  sim::SimFileSystem files;
  std::vector<ReplicaImage> images;
  for (const WalOptions& options : std::vector<WalOptions>{
           {.groups = {GroupId(1), GroupId(2), GroupId(1)}},
           {.groups = Groups(1), .segment_bytes_max = 0},
           {.groups = Groups(1), .segment_bytes_max = (uint64_t{1} << 30) + 1}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Wal::Open(files, "/wal", options, &images).status()));
  }
}

TEST(Wal, LargeEntriesAreKept) {
  PosixFileSystem files;
  WalRig rig(files, FreshDirectory("large"), {.groups = Groups(2)});
  ASSERT_TRUE(rig.Open().ok());
  std::string large(size_t{48} << 20, 'L');
  for (size_t i = 0; i < large.size(); i += 4096) large[i] = static_cast<char>(i >> 12);
  ASSERT_TRUE(rig.Commit(Append(GroupId(1), 1, large)).ok());
  ASSERT_TRUE(rig.Commit(Append(GroupId(2), 1, large)).ok());
  ASSERT_TRUE(rig.Commit(Append(GroupId(2), 2, "small")).ok());
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_EQ(rig.wal().size().segments, 2u);
  EXPECT_TRUE(rig.images()[0].entries.at(0).data.view() == large);
  EXPECT_TRUE(rig.images()[1].entries.at(0).data.view() == large);
  EXPECT_EQ(rig.images()[1].entries.at(1).data.view(), "small");
}

TEST(WalDeathTest, BatchesMustContinueTheirLog) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  sim::SimFileSystem files;
  WalRig rig(files, "/wal", {.groups = Groups(1)});
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Commit(Append(GroupId(1), 1, "x")).ok());
  EXPECT_DEATH((void)rig.wal().Commit(Append(GroupId(1), 3, "gap")), "check failed");
  EXPECT_DEATH((void)rig.wal().Commit(Append(GroupId(9), 1, "stranger")), "not one of the log");
}

}  // namespace
}  // namespace lockstep::storage
