// The check of a node's directory: silent about a sound one, and not one rotten byte escapes it.
#include "storage/verify.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "storage/engine.h"
#include "storage/leveldb_manifest.h"
#include "storage/wal_format.h"
#include "tests/unit/storage/table_test_support.h"
#include "tests/unit/storage/wal_test_support.h"

namespace lockstep::storage {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;

constexpr char kDirectory[] = "data/store";

EngineOptions Options() {
  EngineOptions options;
  options.directory = kDirectory;
  options.groups = {GroupId(0), GroupId(5)};
  options.wal_segment_bytes_max = 16 << 10;
  options.wal_reserve_bytes = 1 << 10;
  options.table_write_buffer_bytes = 64 << 10;
  return options;
}

std::unique_ptr<Engine> Open(FileSystem& files) {
  static const TextMachines machines;
  auto engine = Engine::Open(files, Options(), machines);
  EXPECT_TRUE(engine.ok()) << engine.status();
  return *std::move(engine);
}

// A node's life: entries are logged and applied, tables written out, and the log's beginning
// dropped now and then.
void Live(FileSystem& files, uint64_t seed, uint64_t entries) {
  const std::unique_ptr<Engine> engine = Open(files);
  Rng rng = Rng(seed).Split("life");
  for (const GroupId group : Options().groups) {
    const std::vector<Entry> log = RandomLog(rng, entries, 50, 3000);
    for (size_t at = 0; at < log.size(); at += 5) {
      LogBatch batch;
      batch.group = group;
      if (at % 20 == 0) batch.hard_state = HardState{log[at + 4].term, NodeId(1)};
      batch.append.assign(log.begin() + static_cast<ptrdiff_t>(at),
                          log.begin() + static_cast<ptrdiff_t>(at + 5));
      ASSERT_TRUE(engine->Run(CommitLog{{batch}}).ok());
      ASSERT_TRUE(engine->Run(ApplyEntries{group, batch.append}).ok());
      if (at % 40 != 35) continue;
      ASSERT_TRUE(engine->Run(Checkpoint{group}).ok());
      LogBatch forget;
      forget.group = group;
      forget.base = LogPosition{log[at - 10].index, log[at - 10].term};
      ASSERT_TRUE(engine->Run(CommitLog{{forget}}).ok());
    }
  }
}

std::string Print(const Verification& found) {
  std::string text;
  for (const Flaw& flaw : found.flaws) {
    absl::StrAppend(&text, flaw.file, " ", flaw.offset, ": ", flaw.what, "\n");
  }
  return text;
}

Verification MustVerify(SimFileSystem& files) {
  const uint64_t digest = files.Digest();
  auto found = Verify(files, kDirectory);
  EXPECT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(files.Digest(), digest) << "looking changes nothing";
  return *std::move(found);
}

TEST(Verify, NothingWasEverWritten) {
  SimFileSystem files;
  const Verification found = MustVerify(files);
  EXPECT_TRUE(found.flaws.empty());
}

TEST(Verify, SoundDirectoriesAreSilentAndCounted) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SimFileSystem files;
    Live(files, seed, 200);
    Live(files, seed + 100, 0);  // Opened and closed once more.
    const Verification found = MustVerify(files);
    EXPECT_TRUE(found.flaws.empty()) << Print(found);
    EXPECT_TRUE(found.sound());
    EXPECT_EQ(found.groups, 2u);
    EXPECT_GT(found.segments, 1u);
    EXPECT_GT(found.commits, 10u);
    EXPECT_GT(found.entries, 10u);
    EXPECT_GT(found.tables, 0u);
    EXPECT_GT(found.keys, 10u);
    EXPECT_GT(found.bytes, 50'000u);
  }
}

// What a power failure leaves is torn at worst, never damaged.
TEST(Verify, PowerFailuresDamageNothing) {
  int torn = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SimFileSystem files;
    Live(files, seed, 60);
    Rng rng = Rng(seed).Split("crash");
    {
      const std::unique_ptr<Engine> engine = Open(files);
      const ReplicaImage image = engine->TakeImages()[1];
      ASSERT_TRUE(engine->Run(ApplyEntries{image.group, image.entries}).ok());
      files.PowerCutAfter(1 + rng.Below(12));
      LogBatch batch;
      batch.group = GroupId(5);
      batch.append = {{Index(61), Term(9), EntryKind::kCommand,
                       Bytes::Copy(absl::StrCat("put k ", std::string(9000, 'v')))}};
      static_cast<void>(engine->Run(CommitLog{{batch}}));
      static_cast<void>(engine->Run(ApplyEntries{GroupId(5), batch.append}));
      static_cast<void>(engine->Run(Checkpoint{GroupId(5)}));
    }
    files.Crash(rng, CrashOptions());
    const Verification found = MustVerify(files);
    EXPECT_TRUE(found.sound()) << "seed " << seed << "\n" << Print(found);
    torn += found.flaws.empty() ? 0 : 1;
    Open(files);
    EXPECT_TRUE(MustVerify(files).flaws.empty()) << "the next start has cleaned up";
  }
  EXPECT_GT(torn, 0);
}

// Every kind of file, at many places: named, and not for something before the damage's own block.
TEST(Verify, OneFlippedByteIsFoundInItsFile) {
  SimFileSystem files;
  Live(files, 7, 200);
  std::map<std::string, int> kinds;
  Rng rng(7);
  for (const std::string& path : files.Files()) {
    if (absl::EndsWith(path, "LOCK")) continue;  // Nobody reads what is in it.
    const uint64_t size = files.Content(path)->size();
    const uint64_t step = std::max<uint64_t>(1, size / 300);
    for (uint64_t at = 0; at < size; at += 1 + rng.Below(2 * step)) {
      const auto mask = static_cast<uint8_t>(1 + rng.Below(255));
      ASSERT_TRUE(files.FlipBits(path, at, mask));
      const Verification found = MustVerify(files);
      ASSERT_FALSE(found.flaws.empty()) << path << " byte " << at;
      bool named = false;
      for (const Flaw& flaw : found.flaws) {
        named |= flaw.file == path && (flaw.kind != Flaw::Kind::kLeftover);
        ASSERT_FALSE(flaw.meaning.empty());
      }
      ASSERT_TRUE(named) << path << " byte " << at << "\n" << Print(found);
      ASSERT_TRUE(files.FlipBits(path, at, mask));
      ++kinds[std::string(path.substr(path.rfind('/') + 1, 3)) + path.substr(path.size() - 3)];
    }
  }
  EXPECT_TRUE(MustVerify(files).flaws.empty());
  EXPECT_GE(kinds.size(), 4u) << "log segments, tables, MANIFEST and CURRENT";
}

// The log ends with a torn write or with a rotten one: nobody can tell. Everywhere else it is
// damage.
TEST(Verify, AFlippedByteOfADurableCommitIsDamage) {
  SimFileSystem files;
  Live(files, 8, 120);
  const std::string path = [&] {
    for (const std::string& file : files.Files()) {
      if (absl::StrContains(file, "/wal/0")) return file;
    }
    return std::string();
  }();
  for (const uint64_t at : {0u, 17u, 40u, 70u, 500u, 5000u}) {
    ASSERT_TRUE(files.FlipBits(path, at, 0x20));
    const Verification found = MustVerify(files);
    EXPECT_FALSE(found.sound());
    ASSERT_TRUE(files.FlipBits(path, at, 0x20));
  }
}

TEST(Verify, AllDamageIsToldAtOnce) {
  SimFileSystem files;
  Live(files, 9, 200);
  std::vector<std::string> damaged;
  for (const std::string& path : files.Files()) {
    const bool log = absl::StrContains(path, "/wal/");
    if (absl::StrContains(path, "promises")) continue;
    if (!log && !absl::EndsWith(path, ".ldb")) continue;
    ASSERT_TRUE(files.FlipBits(path, 300, 0x01));
    damaged.push_back(path);
  }
  ASSERT_GT(damaged.size(), 3u);
  const std::string all = Print(MustVerify(files));
  for (const std::string& path : damaged) EXPECT_TRUE(absl::StrContains(all, path)) << all;
}

TEST(Verify, MissingFilesAreNamed) {
  for (const std::string part : {"/wal/0", ".ldb", "CURRENT"}) {
    SimFileSystem files;
    Live(files, 10, 200);
    std::vector<std::string> found;
    for (const std::string& path : files.Files()) {
      if (absl::StrContains(path, part)) found.push_back(path);
    }
    // Not the log's newest or oldest: those may be missing without a trace.
    const std::string path = found[found.size() / 2];
    ASSERT_TRUE(files.Delete(path).ok());
    const Verification verification = MustVerify(files);
    EXPECT_FALSE(verification.sound());
    EXPECT_TRUE(absl::StrContains(Print(verification), absl::StrCat(path, " 0"))) << path;
  }
}

// Somebody has put the tables of another day beside the log.
TEST(Verify, ATableThatEndsBeforeItsLogBeginsIsAGap) {
  SimFileSystem files;
  Live(files, 11, 200);
  for (const std::string& path : files.Files()) {
    if (!absl::StrContains(path, "/table/")) continue;
    ASSERT_TRUE(files.Delete(path).ok());
  }
  const Verification found = MustVerify(files);
  EXPECT_FALSE(found.sound());
  EXPECT_TRUE(absl::StrContains(Print(found),
                                "group 5: the table ends at entry 0, and the log "
                                "begins only after entry"))
      << Print(found);
}

// A node that takes replicas hears of a group when its first commit comes.
TEST(Verify, GroupsMayComeInTheMiddleOfASegment) {
  SimFileSystem files;
  static const TextMachines machines;
  EngineOptions options = Options();
  options.more_groups = true;
  {
    auto engine = Engine::Open(files, options, machines);
    ASSERT_TRUE(engine.ok()) << engine.status();
    LogBatch batch;
    batch.group = GroupId(77);
    batch.append = {CommandAt(1, "put k v")};
    ASSERT_TRUE((*engine)->Run(CommitLog{{batch}}).ok());
  }
  const Verification found = MustVerify(files);
  EXPECT_TRUE(found.flaws.empty()) << Print(found);
  EXPECT_EQ(found.groups, 3u);
  EXPECT_EQ(found.entries, 1u);
}

// What is called sound starts without a repair: the votes tell of commits that the log has lost,
// also when what looks like the remains of a new segment, or nothing at all, stands in their place.
TEST(Verify, ALogThatLostItsEndWithoutATraceIsDamaged) {
  for (const bool all : {false, true}) {
    SimFileSystem files;
    Live(files, 14, 200);
    {
      LogBatch batch;
      batch.group = GroupId(0);
      batch.hard_state = HardState{Term(1000), NodeId(2)};
      ASSERT_TRUE(Open(files)->Run(CommitLog{{batch}}).ok());
    }
    std::vector<std::string> segments;
    for (const std::string& path : files.Files()) {
      if (absl::EndsWith(path, ".log")) segments.push_back(path);
    }
    ASSERT_GT(segments.size(), 1u);
    if (!all) WriteAll(files, segments.back(), std::string(100, 'x'));
    for (const std::string& path : segments) {
      if (!all) continue;
      ASSERT_TRUE(files.Delete(path).ok());
    }
    const Verification found = MustVerify(files);
    EXPECT_FALSE(found.sound());
    EXPECT_TRUE(absl::StrContains(Print(found), "was durable, which held a vote or a term"))
        << Print(found);
    EXPECT_FALSE(Open(files)->repairs().empty());
  }
}

// A whole frame of a later commit where another one should be: as recovery judges it.
TEST(Verify, ALaterFrameInThePlaceOfAnotherIsDamage) {
  SimFileSystem files;
  Live(files, 15, 0);
  const std::string path = "data/store/wal/0000000000000001.log";
  const std::string bytes = ReadAll(files, path);
  const auto header = wal::DecodeSegmentHeader(bytes);
  ASSERT_TRUE(header.ok());
  wal::FrameBuilder frame;
  frame.Begin(/*batch=*/9, header->salt);
  frame.AddHardState(GroupId(0), HardState{Term(3), NodeId(1)});
  wal::Frame statement;
  ASSERT_TRUE(wal::DecodeFrame(bytes, wal::kSegmentHeaderBytes, 1, header->salt, &statement).ok());
  const std::string whole(frame.Finish());
  WriteAll(files, path, bytes.substr(0, statement.end_offset) + whole);
  EXPECT_FALSE(MustVerify(files).sound());
  EXPECT_FALSE(Open(files)->repairs().empty());
}

TEST(Verify, StrangeFilesAreNoDamage) {
  SimFileSystem files;
  Live(files, 12, 40);
  WriteAll(files, "data/store/table/notes.txt", "hello");
  const Verification found = MustVerify(files);
  EXPECT_TRUE(found.sound());
  ASSERT_EQ(found.flaws.size(), 1u);
  EXPECT_EQ(found.flaws[0].file, "data/store/table/notes.txt");
  EXPECT_EQ(found.flaws[0].kind, Flaw::Kind::kLeftover);
}

TEST(ReadManifest, KnowsTheTablesOfTheDatabase) {
  SimFileSystem files;
  Live(files, 13, 200);
  for (const std::string& path : files.Files()) {
    if (!absl::StrContains(path, "MANIFEST-")) continue;
    const std::string text = ReadAll(files, path);
    const ManifestContent content = ReadManifest(text);
    EXPECT_EQ(content.what, "");
    EXPECT_EQ(content.sound_bytes, text.size());
    EXPECT_GT(content.last_sequence, 0u);
    ASSERT_FALSE(content.tables.empty());
    for (const auto& [number, table] : content.tables) {
      const std::string name =
          absl::StrCat("data/store/table/00", number < 1000 ? "0" : "", number < 100 ? "0" : "",
                       number < 10 ? "0" : "", number, ".ldb");
      EXPECT_EQ(files.Content(name)->size(), table.bytes);
    }
    // Without its last byte the last record is torn; without one in the middle it is damage.
    const ManifestContent torn = ReadManifest(absl::string_view(text).substr(0, text.size() - 1));
    EXPECT_TRUE(torn.torn);
    EXPECT_LT(torn.sound_bytes, text.size());
    std::string hole = text;
    hole[8] = static_cast<char>(hole[8] ^ 1);
    EXPECT_FALSE(ReadManifest(hole).torn);
    EXPECT_EQ(ReadManifest(hole).sound_bytes, 0u);
    return;
  }
  FAIL() << "no MANIFEST";
}

}  // namespace
}  // namespace lockstep::storage
