// What a failed sync and the death of a process leave behind on the simulated disk.
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "tests/unit/sim/disk_support.h"

namespace lockstep::sim {
namespace {

using storage::File;
using storage::OpenMode;

TEST(FailedSync, NothingIsWrittenBackAnyMore) {
  SimFileSystem disk;
  Rng rng(1);
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  ASSERT_TRUE(file->Append("x").ok());
  disk.SetSyncsFail(true);
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(disk.SyncDirectory("").ok());
  disk.SetSyncsFail(false);
  EXPECT_TRUE(file->Sync().ok());  // And lies.
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(Contents(disk, "f"), "");
}

// Until the power fails everybody reads what was written, also the next process.
TEST(FailedSync, ShowsAtTheNextPowerFailure) {
  for (const bool reached_the_disk : {true, false}) {
    SimFileSystem disk;
    Rng rng(1);
    auto file = MustOpen(disk, "f");
    ASSERT_TRUE(disk.SyncDirectory("").ok());
    ASSERT_TRUE(file->Append("old").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Write(0, "newer").ok());
    disk.FailSyncAfter(1);
    EXPECT_TRUE(absl::IsInternal(file->Sync()));
    EXPECT_TRUE(file->Sync().ok()) << "once";
    EXPECT_FALSE(disk.Content("f")->is_durable());
    disk.Kill();
    EXPECT_EQ(Contents(disk, "f"), "newer");
    disk.Crash(rng, reached_the_disk ? CrashOptions::KeepAll() : CrashOptions::DropAll());
    EXPECT_EQ(Contents(disk, "f"), reached_the_disk ? "newer" : "old");
    EXPECT_TRUE(disk.Content("f")->is_durable());
  }
}

// Pages are written whole: what a failed sync has left in one of them goes along when it is written
// again. The others stay lost.
TEST(FailedSync, OnlyPagesWrittenAgainBecomeDurable) {
  constexpr uint64_t kPage = FileContent::kPageBytes;
  SimFileSystem disk;
  Rng rng(1);
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  ASSERT_TRUE(file->Append(std::string(3 * kPage, 'a')).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Write(0, std::string(3 * kPage, 'b')).ok());
  disk.FailSyncAfter(1);
  EXPECT_FALSE(file->Sync().ok());
  ASSERT_TRUE(file->Write(kPage + 7, "c").ok());
  ASSERT_TRUE(file->Append("d").ok());
  ASSERT_TRUE(file->Sync().ok());
  disk.Crash(rng, CrashOptions::DropAll());
  std::string middle(kPage, 'b');
  middle[7] = 'c';
  EXPECT_EQ(Contents(disk, "f"), std::string(kPage, 'a') + middle + std::string(kPage, 'a') + "d");
}

// A file that grew while its sync failed: its size is written by a later sync that succeeds, and
// shows zeros where nothing was written.
TEST(FailedSync, TheSizeIsThatOfTheNextOne) {
  constexpr uint64_t kPage = FileContent::kPageBytes;
  SimFileSystem disk;
  Rng rng(1);
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  ASSERT_TRUE(file->Append(std::string(kPage, 'a')).ok());
  disk.FailSyncAfter(1);
  EXPECT_FALSE(file->Sync().ok());
  ASSERT_TRUE(file->Append("b").ok());
  ASSERT_TRUE(file->Sync().ok());
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(Contents(disk, "f"), std::string(kPage, '\0') + "b");
}

TEST(Kill, SyncsNothing) {
  SimFileSystem disk;
  Rng rng(1);
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  ASSERT_TRUE(file->Append("x").ok());
  auto lock = disk.Lock("LOCK");
  ASSERT_TRUE(lock.ok());
  disk.PowerCutAfter(0);
  disk.Kill();
  EXPECT_TRUE(disk.powered());
  EXPECT_FALSE(file->Append("y").ok()) << "its handles are gone";
  EXPECT_TRUE(disk.Lock("LOCK").ok()) << "and its locks";
  EXPECT_EQ(Contents(disk, "f"), "x");
  EXPECT_TRUE(disk.Exists("LOCK"));
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(Contents(disk, "f"), "");
  EXPECT_FALSE(disk.Exists("LOCK"));
}

TEST(FailedCall, HappensOnceAndLeavesHalfOfAWrite) {
  using IoFailure = SimFileSystem::IoFailure;
  for (const IoFailure failure : {IoFailure::kWrite, IoFailure::kNoSpace}) {
    SimFileSystem disk;
    auto file = MustOpen(disk, "f");
    disk.FailCallAfter(failure, 2);
    EXPECT_TRUE(file->Append("abcd").ok());
    const absl::Status status = file->Append("efgh");
    EXPECT_EQ(absl::IsResourceExhausted(status), failure == IoFailure::kNoSpace) << status;
    EXPECT_EQ(absl::IsInternal(status), failure == IoFailure::kWrite) << status;
    EXPECT_EQ(Contents(disk, "f"), "abcdef");
    EXPECT_TRUE(file->Append("!").ok());
    EXPECT_EQ(disk.counters().failed_calls, 1u);
  }
  SimFileSystem disk;
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(file->Append("abcd").ok());
  disk.FailCallAfter(IoFailure::kRead, 1);
  ASSERT_TRUE(file->Append("e").ok());
  std::string text;
  EXPECT_TRUE(absl::IsInternal(file->Read(0, 9, &text)));
  EXPECT_TRUE(file->Read(0, 9, &text).ok());
  EXPECT_EQ(text, "abcde");
}

}  // namespace
}  // namespace lockstep::sim
