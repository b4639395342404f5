// The whole storage of a node: log and tables together, on the simulated disk and on a real one.
#include "storage/engine.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "storage/posix_file_system.h"
#include "tests/unit/storage/table_test_support.h"

namespace lockstep::storage {
namespace {

using sim::CrashOptions;
using sim::SimFileSystem;

constexpr GroupId kGroups[] = {GroupId(0), GroupId(5)};  // 0 is a number like any other.

// Which groups the options name: both, or the first alone, with more to come.
enum class Named : uint8_t { kAll, kFirst };

EngineOptions Options(const std::string& directory, Named named = Named::kAll) {
  EngineOptions options;
  options.directory = directory;
  options.groups = {kGroups[0]};
  if (named == Named::kAll) options.groups.push_back(kGroups[1]);
  options.more_groups = named == Named::kFirst;
  options.wal_segment_bytes_max = 8 << 10;
  options.table_write_buffer_bytes = 64 << 10;
  return options;
}

absl::StatusOr<std::unique_ptr<Engine>> OpenEngine(FileSystem& files,
                                                   const std::string& directory = "data/node",
                                                   Named named = Named::kAll) {
  static const TextMachines machines;
  return Engine::Open(files, Options(directory, named), machines);
}

// What a node remembers in memory of one group, and its part of the protocol: commit, then apply,
// then checkpoint, then drop the log that the checkpoint covers.
struct Replica {
  GroupId group;
  std::vector<Entry> log;  // that will be written, from index 1
  Index logged;            // promised to be in the log
  Index applied;
  Index durable;  // promised to be in the table
  Index base;
  HardState hard_state;
};

class Node {
 public:
  Node(uint64_t seed, FileSystem& files, std::string directory = "data/node",
       Named named = Named::kAll)
      : files_(files),
        directory_(std::move(directory)),
        named_(named),
        rng_(Rng(seed).Split("node")) {
    Rng log_rng = Rng(seed).Split("log");
    for (GroupId group : kGroups) {
      replicas_.push_back({.group = group,
                           .log = RandomLog(log_rng, 60, 10, 2000),
                           .logged = {},
                           .applied = {},
                           .durable = {},
                           .base = {},
                           .hard_state = {}});
    }
  }

  // Opens the engine and checks what it finds against what was promised.
  absl::Status Boot() {
    auto engine = OpenEngine(files_, directory_, named_);
    if (!engine.ok()) return engine.status();
    engine_ = *std::move(engine);
    std::vector<ReplicaImage> images = engine_->TakeImages();
    // A group that has done nothing may not be known, and must not be missed.
    if (named_ == Named::kFirst && images.size() == 1) {
      images.emplace_back().group = kGroups[1];
    }
    EXPECT_EQ(images.size(), replicas_.size());
    for (size_t i = 0; i < replicas_.size(); ++i) CheckImage(images[i], replicas_[i]);
    return absl::OkStatus();
  }

  // Works until everything is applied, or until something fails.
  absl::Status Work() {
    while (true) {
      bool done = true;
      for (Replica& replica : replicas_) {
        if (absl::Status step = Step(replica); !step.ok()) return step;
        done = done && replica.applied.value() == replica.log.size();
      }
      if (done) return absl::OkStatus();
    }
  }

  void Close() { engine_ = nullptr; }

  void CheckTables() {
    for (const Replica& replica : replicas_) {
      const QueryTable job{replica.group, {{RequestId(1), Bytes::Copy("*")}}};
      const auto result = engine_->Run(job);
      ASSERT_TRUE(result.ok()) << result.status();
      const std::string twin = TwinAt(replica.log, replica.applied).Print();
      ASSERT_EQ(std::get<QueryDone>(*result).items[0].reply.view(), twin);
    }
  }

  uint64_t Digest() const {
    return HashChain(engine_->TableDigest(kGroups[0]), engine_->TableDigest(kGroups[1]));
  }

 private:
  static void CheckImage(const ReplicaImage& image, Replica& replica) {
    EXPECT_EQ(image.group, replica.group);
    EXPECT_GE(image.hard_state.term, replica.hard_state.term);
    EXPECT_GE(image.base.index, replica.base);
    EXPECT_GE(image.applied.index, replica.durable);
    EXPECT_LE(image.base.index, image.applied.index);
    const Index last = image.base.index.Plus(image.entries.size());
    EXPECT_GE(last, replica.logged);
    EXPECT_GE(last, image.applied.index);
    for (size_t i = 0; i < image.entries.size(); ++i) {
      const Entry& written = replica.log[image.base.index.value() + i];
      ASSERT_EQ(image.entries[i].index, written.index);
      ASSERT_EQ(image.entries[i].term, written.term);
      ASSERT_EQ(image.entries[i].data, written.data);
    }
    if (image.applied.index) {
      EXPECT_EQ(image.applied.term, replica.log[image.applied.index.value() - 1].term);
    }
    replica.logged = last;
    replica.applied = image.applied.index;
    replica.durable = image.applied.index;
    replica.base = image.base.index;
    replica.hard_state = image.hard_state;
  }

  absl::Status Step(Replica& replica) {
    const uint64_t count = rng_.Between(1, 6);
    if (absl::Status logged = Append(replica, count); !logged.ok()) return logged;
    ApplyEntries apply{replica.group, {}};
    for (Index i = replica.applied.Next(); i <= replica.logged; i = i.Next()) {
      apply.entries.push_back(replica.log[i.value() - 1]);
    }
    const auto applied = engine_->Run(StorageJob(std::move(apply)));
    if (!applied.ok()) return applied.status();
    replica.applied = std::get<ApplyDone>(*applied).applied.index;
    if (rng_.Below(5) != 0) return absl::OkStatus();
    const auto durable = engine_->Run(Checkpoint{replica.group});
    if (!durable.ok()) return durable.status();
    return Trim(replica, std::get<CheckpointDone>(*durable).durable);
  }

  absl::Status Append(Replica& replica, uint64_t count) {
    LogBatch batch{replica.group, {}, {}, {}, {}};
    const uint64_t until = std::min<uint64_t>(replica.logged.value() + count, replica.log.size());
    for (uint64_t i = replica.logged.value(); i < until; ++i) {
      batch.append.push_back(replica.log[i]);
    }
    if (batch.append.empty()) return absl::OkStatus();
    batch.hard_state = HardState{batch.append.back().term, NodeId(1)};
    const HardState hard_state = *batch.hard_state;
    const auto result = engine_->Run(CommitLog{{std::move(batch)}});
    if (!result.ok()) return result.status();
    replica.logged = Index(until);
    replica.hard_state = hard_state;
    return absl::OkStatus();
  }

  absl::Status Trim(Replica& replica, LogPosition durable) {
    replica.durable = durable.index;
    if (durable.index == replica.base) return absl::OkStatus();
    LogBatch batch{replica.group, {}, durable, {}, {}};
    const auto result = engine_->Run(CommitLog{{std::move(batch)}});
    if (!result.ok()) return result.status();
    replica.base = durable.index;
    return absl::OkStatus();
  }

  FileSystem& files_;
  std::string directory_;
  Named named_;
  Rng rng_;
  std::vector<Replica> replicas_;
  std::unique_ptr<Engine> engine_;
};

TEST(Engine, RemembersAcrossBoots) {
  SimFileSystem disk;
  Node node(1, disk);
  ASSERT_TRUE(node.Boot().ok());
  ASSERT_TRUE(node.Work().ok());
  node.CheckTables();
  const uint64_t digest = node.Digest();
  node.Close();
  ASSERT_TRUE(node.Boot().ok());
  ASSERT_TRUE(node.Work().ok());  // Applies again what was not checkpointed.
  node.CheckTables();
  EXPECT_EQ(node.Digest(), digest);
}

TEST(Engine, APowerCutAtAnyOperationBreaksNoPromise) {
  uint64_t cuts = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    for (uint64_t cut = 1;; ++cut) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, " cut ", cut));
      SimFileSystem disk;
      Rng rng = Rng(seed).Split("crash", cut);
      Node node(seed, disk);
      disk.PowerCutAfter(cut);
      absl::Status status = node.Boot();
      if (status.ok()) status = node.Work();
      node.Close();
      const bool was_cut = !disk.powered();
      ASSERT_EQ(status.ok(), !was_cut) << status;
      disk.Crash(rng, seed == 1 ? CrashOptions::DropAll() : CrashOptions{});
      status = node.Boot();
      ASSERT_TRUE(status.ok()) << status;
      node.CheckTables();
      status = node.Work();
      ASSERT_TRUE(status.ok()) << status;
      node.CheckTables();
      if (testing::Test::HasFailure()) return;
      if (!was_cut) break;
      ++cuts;
    }
  }
  EXPECT_GT(cuts, 300u);
}

void CutPowerAgainAndAgain(Named named) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    SimFileSystem disk;
    Rng rng = Rng(seed).Split("crash");
    Node node(seed, disk, "data/node", named);
    for (int round = 0; round < 60; ++round) {
      disk.PowerCutAfter(rng.Magnitude(1, 100));
      absl::Status status = node.Boot();
      if (status.ok()) status = node.Work();
      node.Close();
      disk.Crash(rng, CrashOptions{});
      ASSERT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
      if (testing::Test::HasFailure()) return;
    }
    const absl::Status status = node.Boot();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(node.Work().ok());
    node.CheckTables();
  }
}

TEST(Engine, ManyPowerCutsInARow) { CutPowerAgainAndAgain(Named::kAll); }

TEST(Engine, AGroupThatIsNotNamedIsFoundAgainAfterPowerCuts) {
  CutPowerAgainAndAgain(Named::kFirst);
}

TEST(Engine, AGroupThatIsNamedNowhereIsRefusedUnlessMoreMayCome) {
  SimFileSystem disk;
  {
    Node node(1, disk);
    ASSERT_TRUE(node.Boot().ok());
    ASSERT_TRUE(node.Work().ok());
    node.Close();
  }
  static const TextMachines machines;
  EngineOptions options = Options("data/node", Named::kFirst);
  options.more_groups = false;
  EXPECT_TRUE(absl::IsFailedPrecondition(Engine::Open(disk, options, machines).status()));
  options.more_groups = true;
  auto engine = Engine::Open(disk, options, machines);
  ASSERT_TRUE(engine.ok()) << engine.status();
  const std::vector<ReplicaImage> images = (*engine)->TakeImages();
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[1].group, kGroups[1]);
  EXPECT_GT(images[1].applied.index, Index());
}

std::pair<uint64_t, sim::DiskCounters> RandomRun(uint64_t seed) {
  SimFileSystem disk;
  Rng rng = Rng(seed).Split("crash");
  Node node(seed, disk);
  for (int round = 0; round < 10; ++round) {
    disk.PowerCutAfter(rng.Below(200));
    absl::Status status = node.Boot();
    if (status.ok()) status = node.Work();
    node.Close();
    disk.Crash(rng, CrashOptions{});
  }
  EXPECT_TRUE(node.Boot().ok());
  return {HashChain(node.Digest(), disk.Digest()), disk.counters()};
}

TEST(Engine, SameSeedSameRun) {
  for (uint64_t seed = 1; seed <= 10; ++seed) EXPECT_EQ(RandomRun(seed), RandomRun(seed));
  EXPECT_NE(RandomRun(1), RandomRun(2));
}

TEST(Engine, ErrorsOfEitherLaneAreFinalForBoth) {
  SimFileSystem disk;
  auto engine = *OpenEngine(disk);
  disk.SetSyncsFail(true);
  const LogBatch batch{kGroups[0], HardState{Term(1), NodeId(1)}, {}, {}, {}};
  EXPECT_TRUE(absl::IsInternal(engine->Run(CommitLog{{batch}}).status()));
  disk.SetSyncsFail(false);
  EXPECT_TRUE(absl::IsInternal(engine->Run(QueryTable{kGroups[0], {}}).status()));
  EXPECT_TRUE(absl::IsInternal(engine->Run(CommitLog{{batch}}).status()));
}

TEST(Engine, OneProcessAtATime) {
  SimFileSystem disk;
  auto engine = *OpenEngine(disk);
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenEngine(disk).status()));
  engine = nullptr;
  EXPECT_TRUE(OpenEngine(disk).ok());
}

TEST(Engine, WorksOnARealDisk) {
  std::string directory = testing::TempDir() + "/engine_test_XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  PosixFileSystem files;
  uint64_t digest = 0;
  {
    Node node(3, files, directory + "/a/b");
    ASSERT_TRUE(node.Boot().ok());
    ASSERT_TRUE(node.Work().ok());
    node.CheckTables();
    EXPECT_FALSE(OpenEngine(files, directory + "/a/b").ok());  // Locked.
    node.Close();
    ASSERT_TRUE(node.Boot().ok());
    ASSERT_TRUE(node.Work().ok());
    node.CheckTables();
    digest = node.Digest();
  }
  SimFileSystem disk;
  Node twin(3, disk);
  ASSERT_TRUE(twin.Boot().ok());
  ASSERT_TRUE(twin.Work().ok());
  EXPECT_EQ(twin.Digest(), digest);
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace lockstep::storage
