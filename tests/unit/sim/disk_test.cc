// The simulated disk keeps the promises of storage/file_system.h, breaks everything else, and is
// deterministic.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "tests/unit/sim/disk_support.h"

namespace lockstep::sim {
namespace {

using storage::File;
using storage::OpenMode;

TEST(SimFileSystem, ReadsWhatWasWritten) {
  SimFileSystem disk;
  auto file = MustOpen(disk, "f");
  EXPECT_TRUE(file->Append("hello").ok());
  EXPECT_TRUE(file->Write(7, "w").ok());  // A gap reads as zeros.
  EXPECT_TRUE(file->Write(0, "J").ok());
  EXPECT_EQ(Contents(disk, "f"), std::string("Jello\0\0w", 8));
  EXPECT_TRUE(file->Truncate(3).ok());
  EXPECT_TRUE(file->Truncate(5).ok());
  EXPECT_EQ(Contents(disk, "f"), std::string("Jel\0\0", 5));
  std::string part;
  EXPECT_TRUE(file->Read(1, 2, &part).ok());
  EXPECT_EQ(part, "el");
  EXPECT_TRUE(file->Read(9, 2, &part).ok());
  EXPECT_EQ(part, "");
  EXPECT_EQ(*file->Size(), 5u);
  EXPECT_EQ(*disk.FileSize("f"), 5u);
  MustOpen(disk, "f", OpenMode::kTruncate);
  EXPECT_EQ(Contents(disk, "f"), "");
}

TEST(SimFileSystem, NamesBehaveAsPosix) {
  SimFileSystem disk;
  EXPECT_TRUE(absl::IsNotFound(disk.Open("a/f", OpenMode::kCreate).status()));
  EXPECT_TRUE(disk.CreateDirectory("a/b/c").ok());
  EXPECT_TRUE(disk.CreateDirectory("a/b").ok());
  EXPECT_TRUE(disk.Exists("a/b/"));
  EXPECT_TRUE(absl::IsNotFound(disk.Open("a/f", OpenMode::kRead).status()));
  EXPECT_TRUE(absl::IsNotFound(disk.Open("a/f", OpenMode::kReadWrite).status()));
  MustOpen(disk, "a/f");
  MustOpen(disk, "a/e")->Append("e").IgnoreError();
  EXPECT_EQ(*disk.List("a"), (std::vector<std::string>{"b", "e", "f"}));
  EXPECT_EQ(*disk.List("."), (std::vector<std::string>{"a"}));
  EXPECT_TRUE(disk.Rename("a/e", "a/f").ok());
  EXPECT_EQ(Contents(disk, "a/f"), "e");
  EXPECT_FALSE(disk.Exists("a/e"));
  EXPECT_TRUE(absl::IsNotFound(disk.Rename("a/e", "a/g")));
  EXPECT_TRUE(absl::IsNotFound(disk.Delete("a/e")));
  EXPECT_TRUE(absl::IsNotFound(disk.List("nowhere").status()));
  EXPECT_TRUE(absl::IsNotFound(disk.SyncDirectory("nowhere")));
  EXPECT_FALSE(disk.Delete("a").ok());
  auto open = MustOpen(disk, "a/f");
  EXPECT_TRUE(disk.Delete("a/f").ok());
  EXPECT_TRUE(open->Append("still here").ok());  // Open files outlive their names.
  EXPECT_FALSE(MustOpen(disk, "a/r")->Sync().code() == absl::StatusCode::kNotFound);
  EXPECT_FALSE(MustOpen(disk, "a/r", OpenMode::kRead)->Append("x").ok());
}

TEST(SimFileSystem, LocksExcludeUntilReleasedOrCrashed) {
  SimFileSystem disk;
  Rng rng(1);
  auto lock = disk.Lock("LOCK");
  ASSERT_TRUE(lock.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(disk.Lock("LOCK").status()));
  lock->reset();
  lock = disk.Lock("LOCK");
  ASSERT_TRUE(lock.ok());
  disk.Crash(rng, CrashOptions::KeepAll());
  auto after = disk.Lock("LOCK");
  EXPECT_TRUE(after.ok());
  lock->reset();  // A dead holder releases nothing.
  EXPECT_FALSE(disk.Lock("LOCK").ok());
}

TEST(SimFileSystem, DropAllLeavesExactlyWhatWasSynced) {
  SimFileSystem disk;
  Rng rng(1);
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  ASSERT_TRUE(file->Append("durable").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Write(0, "D").ok());
  ASSERT_TRUE(file->Truncate(3).ok());
  ASSERT_TRUE(file->Append("lost").ok());
  MustOpen(disk, "unsynced name")->Sync().IgnoreError();
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(Contents(disk, "f"), "durable");
  EXPECT_FALSE(disk.Exists("unsynced name"));
  EXPECT_TRUE(absl::IsUnavailable(file->Append("x")));
  std::string text;
  EXPECT_TRUE(absl::IsUnavailable(file->Read(0, 1, &text)));
}

TEST(SimFileSystem, KeepAllKeepsWhatWasWritten) {
  SimFileSystem disk;
  Rng rng(1);
  ASSERT_TRUE(disk.CreateDirectory("d").ok());
  ASSERT_TRUE(MustOpen(disk, "d/f")->Append("in the page cache").ok());
  disk.Crash(rng, CrashOptions::KeepAll());
  EXPECT_EQ(Contents(disk, "d/f"), "in the page cache");
}

// A rename is atomic: under every outcome the target is the old file or the new one.
TEST(SimFileSystem, ARenameHappensAsAWholeOrNotAtAll) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimFileSystem disk;
    Rng rng(seed);
    for (const auto& [name, text] : {std::pair("old", "old"), std::pair("temp", "new")}) {
      auto file = MustOpen(disk, name);
      ASSERT_TRUE(file->Append(text).ok());
      ASSERT_TRUE(file->Sync().ok());
    }
    ASSERT_TRUE(disk.SyncDirectory(".").ok());
    ASSERT_TRUE(disk.Rename("temp", "old").ok());
    disk.Crash(rng, CrashOptions{});
    const std::string state = absl::StrCat(Contents(disk, "old"), "/", Contents(disk, "temp"));
    seen.insert(state);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"new/(missing)", "old/new"}));
}

// What comes after a lost rename of the same name is lost too.
TEST(SimFileSystem, RenamesOfOneNameSurviveInOrder) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SimFileSystem disk;
    Rng rng(seed);
    for (const std::string name : {"old", "new"}) {
      auto file = MustOpen(disk, name);
      ASSERT_TRUE(file->Append(name).ok());
      ASSERT_TRUE(file->Sync().ok());
    }
    ASSERT_TRUE(disk.SyncDirectory(".").ok());
    ASSERT_TRUE(disk.Rename("new", "old").ok());
    ASSERT_TRUE(disk.Rename("old", "last").ok());
    disk.Crash(rng, CrashOptions{});
    std::string state;
    const std::vector<std::string> names = disk.List("").value();
    for (const std::string& name : names)
      absl::StrAppend(&state, name, "=", Contents(disk, name), " ");
    seen.insert(state);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"new=new old=old ", "old=new ", "last=new "}));
}

// The classic mistake: the new file's bytes are not synced before it replaces the old one.
TEST(SimFileSystem, ARenameDoesNotSyncTheBytes) {
  SimFileSystem disk;
  Rng rng(1);
  ASSERT_TRUE(MustOpen(disk, "temp")->Append("new").ok());
  ASSERT_TRUE(disk.Rename("temp", "target").ok());
  ASSERT_TRUE(disk.SyncDirectory(".").ok());
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(Contents(disk, "target"), "");
}

TEST(SimFileSystem, ALostDirectoryTakesItsFilesAlong) {
  SimFileSystem disk;
  Rng rng(1);
  ASSERT_TRUE(disk.CreateDirectory("d").ok());
  auto file = MustOpen(disk, "d/f");
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(disk.SyncDirectory("d").ok());  // But not the directory that holds `d`.
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_FALSE(disk.Exists("d"));
  EXPECT_FALSE(disk.Exists("d/f"));
}

TEST(SimFileSystem, SyncingADirectoryBringsWhatItsNamesRestOn) {
  SimFileSystem disk;
  Rng rng(1);
  ASSERT_TRUE(disk.CreateDirectory("a").ok());
  ASSERT_TRUE(disk.CreateDirectory("b").ok());
  ASSERT_TRUE(disk.SyncDirectory(".").ok());
  MustOpen(disk, "a/f");
  MustOpen(disk, "a/other");
  ASSERT_TRUE(disk.Rename("a/f", "b/g").ok());
  ASSERT_TRUE(disk.SyncDirectory("b").ok());
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_TRUE(disk.Exists("b/g"));
  EXPECT_FALSE(disk.Exists("a/f"));
  EXPECT_FALSE(disk.Exists("a/other"));
}

TEST(SimFileSystem, UnsyncedNamesSurviveInAnyCombinationThatKeepsTheirOrder) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SimFileSystem disk;
    Rng rng(seed);
    MustOpen(disk, "a");
    MustOpen(disk, "b");
    ASSERT_TRUE(disk.Rename("a", "c").ok());
    disk.Crash(rng, CrashOptions{});
    seen.insert(absl::StrJoin(disk.List("").value(), ""));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"", "a", "ab", "b", "bc", "c"}));
}

TEST(SimFileSystem, ThePowerGoesInTheMiddleOfAWrite) {
  std::set<size_t> lengths;
  for (uint64_t before = 0; before < 40; ++before) {
    SimFileSystem disk;
    Rng rng(before);
    auto file = MustOpen(disk, "f");
    for (uint64_t i = 0; i < before; ++i) ASSERT_TRUE(file->Write(0, "x").ok());
    disk.PowerCutAfter(2);
    ASSERT_TRUE(file->Truncate(0).ok());
    EXPECT_TRUE(absl::IsUnavailable(file->Append("0123456789")));
    EXPECT_FALSE(disk.powered());
    EXPECT_TRUE(absl::IsUnavailable(file->Append("no effect")));
    EXPECT_TRUE(absl::IsUnavailable(file->Sync()));
    EXPECT_TRUE(absl::IsUnavailable(disk.Delete("f")));
    EXPECT_TRUE(absl::IsUnavailable(disk.Rename("f", "g")));
    EXPECT_TRUE(absl::IsUnavailable(disk.SyncDirectory("")));
    EXPECT_TRUE(absl::IsUnavailable(disk.CreateDirectory("d")));
    EXPECT_TRUE(absl::IsUnavailable(disk.Open("f", OpenMode::kRead).status()));
    EXPECT_TRUE(absl::IsUnavailable(disk.List("").status()));
    EXPECT_TRUE(absl::IsUnavailable(disk.Lock("L").status()));
    EXPECT_FALSE(disk.Exists("f"));
    disk.Crash(rng, CrashOptions::KeepAll());
    const std::string text = Contents(disk, "f");
    EXPECT_TRUE(absl::StartsWith("0123456789", text)) << text;
    lengths.insert(text.size());
    EXPECT_EQ(disk.counters().power_cuts, 1u);
  }
  EXPECT_GT(lengths.size(), 5u);
}

TEST(SimFileSystem, AnInterruptedSyncSyncsNothing) {
  SimFileSystem disk;
  Rng rng(1);
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  ASSERT_TRUE(file->Append("x").ok());
  disk.PowerCutAfter(1);
  EXPECT_FALSE(file->Sync().ok());
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(Contents(disk, "f"), "");
}

TEST(SimFileSystem, AReserveThatHasNoRoomChangesNothing) {
  SimFileSystem disk;
  auto file = MustOpen(disk, "f");
  EXPECT_TRUE(file->Append("1234").ok());
  EXPECT_FALSE(disk.limited());
  disk.LeaveFree(6);
  EXPECT_TRUE(disk.limited());
  EXPECT_EQ(*disk.FreeBytes("f"), 6u);
  EXPECT_TRUE(absl::IsResourceExhausted(file->Reserve(11)));
  EXPECT_EQ(Contents(disk, "f"), "1234");
  EXPECT_EQ(disk.counters().refused_full, 1u);
  EXPECT_TRUE(file->Reserve(10).ok());
  EXPECT_EQ(*disk.FreeBytes("f"), 0u);
  EXPECT_TRUE(file->Write(4, "567890").ok()) << "what is reserved may be written";
}

TEST(SimFileSystem, AFullDiskCutsWritesShort) {
  SimFileSystem disk;
  disk.SetCapacity(10);
  auto file = MustOpen(disk, "f");
  EXPECT_TRUE(file->Append("12345678").ok());
  EXPECT_EQ(*disk.FreeBytes("f"), 2u);
  EXPECT_TRUE(absl::IsResourceExhausted(file->Append("90ab")));
  EXPECT_EQ(Contents(disk, "f"), "1234567890");
  EXPECT_TRUE(file->Write(0, "overwriting needs no room").code() ==
              absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(file->Write(0, "over").ok());
  auto other = MustOpen(disk, "g");
  EXPECT_TRUE(absl::IsResourceExhausted(other->Append("x")));
  file.reset();
  EXPECT_TRUE(disk.Delete("f").ok());
  EXPECT_TRUE(other->Append("x").ok());
}

TEST(SimFileSystem, FlippedBitsStay) {
  SimFileSystem disk;
  Rng rng(1);
  auto file = MustOpen(disk, "f");
  ASSERT_TRUE(disk.SyncDirectory("").ok());
  ASSERT_TRUE(file->Append("abc").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->Write(1, "B").ok());
  EXPECT_TRUE(disk.FlipBits("f", 1, 1));
  EXPECT_FALSE(disk.FlipBits("f", 3, 1));
  EXPECT_FALSE(disk.FlipBits("g", 0, 1));
  EXPECT_EQ(Contents(disk, "f"), "aCc");
  disk.Crash(rng, CrashOptions::DropAll());
  EXPECT_EQ(Contents(disk, "f"), "acc");
}

std::pair<uint64_t, DiskCounters> RandomRun(uint64_t seed) {
  SimFileSystem disk;
  Rng rng(seed);
  for (int step = 0; step < 500; ++step) {
    const std::string name = absl::StrCat("f", rng.Below(5));
    const uint64_t action = rng.Below(8);
    if (action == 0) disk.Delete(name).IgnoreError();
    if (action == 1) disk.Rename(name, absl::StrCat("f", rng.Below(5))).IgnoreError();
    if (action == 2) disk.SyncDirectory("").IgnoreError();
    if (action == 3 && rng.Below(8) == 0) disk.Crash(rng, CrashOptions{});
    if (action > 3) {
      auto file = disk.Open(name, OpenMode::kCreate);
      (*file)->Write(rng.Below(9000), std::string(rng.Below(5000), 'x')).IgnoreError();
      if (action == 7) (*file)->Sync().IgnoreError();
    }
  }
  return {disk.Digest(), disk.counters()};
}

TEST(SimFileSystem, SameSeedSameRun) {
  for (uint64_t seed = 1; seed <= 30; ++seed) EXPECT_EQ(RandomRun(seed), RandomRun(seed));
  EXPECT_NE(RandomRun(1), RandomRun(2));
}

}  // namespace
}  // namespace lockstep::sim
