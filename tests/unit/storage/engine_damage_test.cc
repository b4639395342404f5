// Damage that a node finds in its own data: it never forgets a vote, it knows when its log lacks
// something, and it says so once, with file and offset.
#include <algorithm>
#include <map>
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
#include "storage/promises.h"
#include "tests/unit/storage/table_test_support.h"
#include "tests/unit/storage/wal_test_support.h"

namespace lockstep::storage {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;

constexpr GroupId kGroups[] = {GroupId(0), GroupId(5)};

EngineOptions Options() {
  EngineOptions options;
  options.directory = "d";
  options.groups = {kGroups[0], kGroups[1]};
  options.wal_segment_bytes_max = 8 << 10;
  options.table_write_buffer_bytes = 64 << 10;
  return options;
}

absl::StatusOr<std::unique_ptr<Engine>> Open(FileSystem& files,
                                             const EngineOptions& options = Options()) {
  static const TextMachines machines;
  return Engine::Open(files, options, machines);
}

// What a group has told others: it must not be forgotten.
struct Told {
  HardState hard_state;
  std::vector<Entry> log;  // from index 1
  Index base;
};
using Tale = std::map<GroupId, Told>;

// Works with the engine. The second group compacts its log, the first keeps all of it.
void Live(FileSystem& files, uint64_t seed, Tale* tale) {
  auto engine = *Open(files);
  Rng rng = Rng(seed).Split("life");
  for (const GroupId group : kGroups) {
    Told& told = (*tale)[group];
    told.log = RandomLog(rng, 100, 20, 400);
    for (size_t at = 0; at < 100; at += 10) {
      LogBatch batch;
      batch.group = group;
      batch.append.assign(told.log.begin() + static_cast<ptrdiff_t>(at),
                          told.log.begin() + static_cast<ptrdiff_t>(at + 10));
      // Terms rise beyond those of the entries, and the last of them only has a vote.
      batch.hard_state = HardState{Term(20 + at), NodeId(1 + at % 3)};
      told.hard_state = *batch.hard_state;
      ASSERT_TRUE(engine->Run(CommitLog{{batch}}).ok());
      ASSERT_TRUE(engine->Run(ApplyEntries{group, batch.append}).ok());
    }
    ASSERT_TRUE(engine->Run(Checkpoint{group}).ok());
    if (group == kGroups[0]) continue;
    LogBatch forget;
    forget.group = group;
    forget.base = LogPosition{told.log[59].index, told.log[59].term};
    told.base = Index(60);
    ASSERT_TRUE(engine->Run(CommitLog{{forget}}).ok());
  }
  // So that the frames above are followed by another one: they were durable.
  LogBatch end;
  end.group = kGroups[0];
  end.truncate_from = Index(100);
  end.append = {(*tale)[kGroups[0]].log.back()};
  ASSERT_TRUE(engine->Run(CommitLog{{end}}).ok());
}

// Whether everything that was told is there.
bool HoldsAll(const ReplicaImage& image, const Told& told) {
  const Index last = image.base.index.Plus(image.entries.size());
  return image.base.index <= told.base && last == Index(told.log.size());
}

// What must be true of anything that comes up, whatever has happened to the disk.
void ExpectHonest(const ReplicaImage& image, const Told& told) {
  if (image.hard_state.doubt == Term()) {
    // A log that was made anew begins in a new term, in which nothing is promised yet.
    if (image.hard_state.term > told.hard_state.term) {
      EXPECT_EQ(image.hard_state.vote, NodeId());
    } else {
      EXPECT_EQ(image.hard_state, told.hard_state);
    }
    EXPECT_TRUE(HoldsAll(image, told)) << "group " << image.group.value();
  } else {
    EXPECT_GE(image.hard_state.doubt, told.hard_state.term);
    EXPECT_GT(image.hard_state.term, image.hard_state.doubt);
    EXPECT_EQ(image.hard_state.vote, NodeId());
  }
  EXPECT_LE(image.base.index, image.applied.index);
  for (const Entry& entry : image.entries) {
    const Entry& written = told.log[entry.index.value() - 1];
    EXPECT_EQ(entry.term, written.term);
    EXPECT_EQ(entry.data.view(), written.data.view());
  }
}

std::string Kind(const std::string& path) {
  if (absl::EndsWith(path, ".ldb")) return "table";
  if (absl::StrContains(path, "MANIFEST")) return "manifest";
  if (absl::StrContains(path, "CURRENT")) return "current";
  if (absl::StrContains(path, "promises")) return "promises";
  return "log";
}

std::unique_ptr<SimFileSystem> Disk(uint64_t seed, Tale* tale) {
  auto files = std::make_unique<SimFileSystem>();
  Live(*files, seed, tale);
  return files;
}

// Reads all that a node can read.
absl::Status ReadEverything(Engine& engine) {
  for (const GroupId group : kGroups) {
    const auto result = engine.Run(QueryTable{group, {{RequestId(1), Bytes::Copy("*")}}});
    if (!result.ok()) return result.status();
  }
  return absl::OkStatus();
}

TEST(EngineDamage, OneByteOfAnyFileAtManyPlaces) {
  std::map<std::string, int> looked;
  std::map<std::string, int> repaired;
  Tale plan;
  const auto pattern = Disk(1, &plan);
  for (const std::string& path : pattern->Files()) {
    if (absl::EndsWith(path, "LOCK")) continue;
    const uint64_t size = pattern->Content(path)->size();
    for (int i = 0; i < 24; ++i) {
      Rng rng = Rng(static_cast<uint64_t>(i)).Split(path);
      const uint64_t at = rng.Below(size);
      SCOPED_TRACE(absl::StrCat(path, " byte ", at));
      Tale tale;
      const auto files = Disk(1, &tale);
      ASSERT_TRUE(files->FlipBits(path, at, static_cast<uint8_t>(1 + rng.Below(255))));
      ++looked[Kind(path)];
      auto engine = Open(*files);
      ASSERT_TRUE(engine.ok()) << engine.status();
      std::vector<Repair> repairs = (*engine)->repairs();
      if (repairs.empty()) {
        // What is not read at boot is found when it is.
        for (const ReplicaImage& image : (*engine)->TakeImages()) {
          ExpectHonest(image, tale.at(image.group));
        }
        const absl::Status read = ReadEverything(**engine);
        EXPECT_TRUE(read.ok() || absl::IsDataLoss(read)) << read;
        EXPECT_TRUE(read.ok() || absl::StrContains(read.message(), path)) << read;
        engine = absl::UnknownError("closed");
        engine = Open(*files);
        ASSERT_TRUE(engine.ok()) << engine.status();
        repairs = (*engine)->repairs();
        EXPECT_EQ(repairs.empty(), read.ok());
      }
      for (const Repair& repair : repairs) {
        // The end of a MANIFEST may be torn; that the tables lack something shows beside the log.
        const bool gap = absl::StrContains(repair.damage, "but the table ends at") &&
                         absl::StrContains(path, "MANIFEST");
        EXPECT_TRUE(gap || absl::StrContains(repair.damage, path)) << repair.damage;
        EXPECT_FALSE(repair.consequence.empty());
        ++repaired[Kind(path)];
      }
      const std::vector<ReplicaImage> images = (*engine)->TakeImages();
      for (const ReplicaImage& image : images) ExpectHonest(image, tale.at(image.group));
      EXPECT_TRUE(ReadEverything(**engine).ok());
      // It says so once, and doubts until it is told otherwise.
      engine = absl::UnknownError("closed");
      engine = Open(*files);
      ASSERT_TRUE(engine.ok()) << engine.status();
      EXPECT_TRUE((*engine)->repairs().empty());
      const std::vector<ReplicaImage> again = (*engine)->TakeImages();
      for (size_t k = 0; k < images.size(); ++k) {
        EXPECT_EQ(again[k].hard_state, images[k].hard_state);
        EXPECT_EQ(again[k].entries.size(), images[k].entries.size());
      }
    }
  }
  for (const char* kind : {"log", "table", "manifest", "current"}) {
    EXPECT_GT(repaired[kind], 0) << kind << " of " << looked[kind];
  }
  EXPECT_EQ(repaired["promises"], 0) << "the other copy has all";
}

// The repair itself is interrupted, at each of its steps, and again while it is made good.
TEST(EngineDamage, PowerFailsAtEveryStepOfARepair) {
  for (const std::string part : {"/wal/0", ".ldb"}) {
    for (uint64_t cut = 1; cut < 80; ++cut) {
      SCOPED_TRACE(absl::StrCat(part, " cut ", cut));
      Tale tale;
      const auto files = Disk(2, &tale);
      std::vector<std::string> candidates;
      for (const std::string& path : files->Files()) {
        if (absl::StrContains(path, part)) candidates.push_back(path);
      }
      ASSERT_TRUE(files->FlipBits(candidates.front(), 100, 0x08));
      Rng rng = Rng(cut).Split(part);
      bool done = false;
      for (int round = 0; round < 30 && !done; ++round) {
        files->PowerCutAfter(round == 0 ? cut : rng.Magnitude(1, 80));
        {
          auto engine = Open(*files);
          if (engine.ok()) static_cast<void>(ReadEverything(**engine));
          done = engine.ok() && ReadEverything(**engine).ok();
        }
        if (!done) files->Crash(rng, CrashOptions());
      }
      auto engine = Open(*files);
      for (int tries = 0; tries < 3 && !(engine.ok() && ReadEverything(**engine).ok()); ++tries) {
        engine = absl::UnknownError("closed");
        files->Crash(rng, CrashOptions());
        engine = Open(*files);
      }
      ASSERT_TRUE(engine.ok()) << engine.status();
      ASSERT_TRUE(ReadEverything(**engine).ok());
      for (const ReplicaImage& image : (*engine)->TakeImages()) {
        ExpectHonest(image, tale.at(image.group));
      }
    }
  }
}

// What the log still has from its beginning makes the table anew. The table may have been ahead of
// it, by a snapshot (shard seed 8108): only where nobody could have sent one nothing is in doubt.
class EngineTableDamage : public testing::TestWithParam<bool> {};

TEST_P(EngineTableDamage, ATableWhoseLogReachesBackIsReplayed) {
  const bool alone = GetParam();
  Tale tale;
  const auto files = Disk(3, &tale);
  EngineOptions options = Options();
  options.is_alone = [alone](GroupId group, const Bytes&) { return alone && group == kGroups[0]; };
  for (const std::string& path : files->Files()) {
    if (!absl::EndsWith(path, "CURRENT")) continue;
    ASSERT_TRUE(files->FlipBits(path, 3, 0xFF));
  }
  auto engine = *Open(*files, options);
  ASSERT_EQ(engine->repairs().size(), 1u);
  const std::vector<ReplicaImage> images = engine->TakeImages();
  EXPECT_EQ(images[0].hard_state.doubt == Term(), alone);
  EXPECT_GT(images[0].hard_state.term, tale[kGroups[0]].hard_state.term);
  EXPECT_EQ(images[0].entries.size(), 100u);
  EXPECT_EQ(images[0].applied, LogPosition{});
  EXPECT_NE(images[1].hard_state.doubt, Term());
  EXPECT_TRUE(images[1].entries.empty()) << "without its table it begins anew";
  ASSERT_TRUE(engine->Run(ApplyEntries{kGroups[0], images[0].entries}).ok());
  const auto result = engine->Run(QueryTable{kGroups[0], {{RequestId(1), Bytes::Copy("*")}}});
  EXPECT_EQ(std::get<QueryDone>(*result).items[0].reply.view(),
            TwinAt(tale[kGroups[0]].log, Index(100)).Print());
}

INSTANTIATE_TEST_SUITE_P(AloneOrNot, EngineTableDamage, testing::Bool());

// What lies in the log's directory, byte by byte.
std::map<std::string, std::string> LogFiles(const SimFileSystem& files) {
  std::map<std::string, std::string> log;
  for (const std::string& path : files.Files()) {
    if (absl::StrContains(path, "/wal/")) log[path] = files.Content(path)->bytes();
  }
  return log;
}

TEST(EngineDamage, AGroupThatIsAloneIsRefusedWithAdviceAndLosesNothing) {
  Tale tale;
  const auto files = Disk(4, &tale);
  const auto sound = Disk(4, &tale);
  const std::vector<ReplicaImage> expected = (*Open(*sound))->TakeImages();
  std::string damaged;
  for (const std::string& path : files->Files()) {
    if (absl::StrContains(path, "/wal/0") && damaged.empty()) damaged = path;
  }
  ASSERT_TRUE(files->FlipBits(damaged, 50, 1));
  EngineOptions options = Options();
  options.is_alone = [](GroupId group, const Bytes&) { return group == kGroups[1]; };
  const auto log = LogFiles(*files);
  const absl::Status status = Open(*files, options).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), damaged)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "group 5; this is a group's only replica"));
  EXPECT_TRUE(LogFiles(*files) == log) << "the log was touched";
  ASSERT_TRUE(files->FlipBits(damaged, 50, 1));  // back again
  auto engine = Open(*files, options);
  ASSERT_TRUE(engine.ok()) << engine.status();
  EXPECT_TRUE((*engine)->repairs().empty());
  const std::vector<ReplicaImage> images = (*engine)->TakeImages();
  ASSERT_EQ(images.size(), expected.size());
  for (size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(images[i].hard_state, expected[i].hard_state);
    EXPECT_EQ(images[i].base, expected[i].base);
    EXPECT_EQ(images[i].applied, expected[i].applied);
    EXPECT_EQ(images[i].entries.size(), expected[i].entries.size());
  }
}

// The log's last commit was durable, held a vote, and rots: its end looks torn, but the vote is
// known to be missing.
TEST(EngineDamage, ALostVoteIsNoTornEnd) {
  SimFileSystem files;
  {
    auto engine = *Open(files);
    LogBatch batch{kGroups[0], HardState{Term(7), NodeId(2)}, {}, {}, {}};
    ASSERT_TRUE(engine->Run(CommitLog{{batch}}).ok());
  }
  const std::string path = "d/wal/0000000000000001.log";
  const uint64_t size = *files.FileSize(path);
  ASSERT_TRUE(files.FlipBits(path, size - 3, 0x40));
  auto engine = *Open(files);
  ASSERT_EQ(engine->repairs().size(), 1u);
  EXPECT_TRUE(absl::StrContains(engine->repairs()[0].damage, "which held a vote or a term"))
      << engine->repairs()[0].damage;
  const std::vector<ReplicaImage> images = engine->TakeImages();
  EXPECT_EQ(images[0].hard_state, (HardState{Term(8), NodeId(), Term(7)}));
  EXPECT_EQ(images[1].hard_state, HardState()) << "it has never promised anything";
}

TEST(EngineDamage, WithoutTheVotesADamagedLogIsRefused) {
  Tale tale;
  const auto files = Disk(5, &tale);
  for (const char* name : kPromiseFiles) {
    ASSERT_TRUE(files->FlipBits(absl::StrCat("d/wal/", name), 40, 1));
  }
  std::vector<std::string> segments;
  for (const std::string& path : files->Files()) {
    if (absl::StrContains(path, "/wal/0")) segments.push_back(path);
  }
  for (const std::string& path : segments) ASSERT_TRUE(files->FlipBits(path, 60, 1));
  const absl::Status status = Open(*files).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "what this node has voted cannot be read"));
  for (const std::string& path : segments) ASSERT_TRUE(files->FlipBits(path, 60, 1));
  // A sound log knows by itself what was voted; only whether it was sound before, it does not know.
  {
    auto sound = *Open(*files);
    EXPECT_EQ(sound->repairs().size(), 1u);
    for (const ReplicaImage& image : sound->TakeImages()) {
      EXPECT_EQ(image.hard_state.doubt, tale.at(image.group).hard_state.term);
      EXPECT_TRUE(HoldsAll(image, tale.at(image.group)));
    }
  }
}

// One is enough, for a log that is damaged too.
TEST(EngineDamage, OneCopyOfTheVotesIsEnough) {
  Tale tale;
  const auto files = Disk(5, &tale);
  ASSERT_TRUE(files->FlipBits("d/wal/promises-1", 40, 1));
  for (const std::string& path : files->Files()) {
    if (!absl::StrContains(path, "/wal/0")) continue;
    ASSERT_TRUE(files->FlipBits(path, 60, 1));
  }
  auto engine = *Open(*files);
  EXPECT_EQ(engine->repairs().size(), 1u);
  for (const ReplicaImage& image : engine->TakeImages()) {
    EXPECT_EQ(image.hard_state.doubt, tale.at(image.group).hard_state.term);
  }
}

TEST(EngineDamage, DoubtsEndWithACommitThatSaysSo) {
  Tale tale;
  const auto files = Disk(6, &tale);
  for (const std::string& path : files->Files()) {
    if (!absl::StrContains(path, "/wal/0")) continue;
    ASSERT_TRUE(files->FlipBits(path, 60, 1));
  }
  {
    auto engine = *Open(*files);
    const ReplicaImage image = engine->TakeImages()[1];
    ASSERT_NE(image.hard_state.doubt, Term());
    LogBatch batch{kGroups[1], HardState{image.hard_state.term, NodeId()}, {}, {}, {}};
    ASSERT_TRUE(engine->Run(CommitLog{{batch}}).ok());
  }
  auto engine = *Open(*files);
  const std::vector<ReplicaImage> images = engine->TakeImages();
  EXPECT_NE(images[0].hard_state.doubt, Term());
  EXPECT_EQ(images[1].hard_state.doubt, Term());
}

}  // namespace
}  // namespace lockstep::storage
