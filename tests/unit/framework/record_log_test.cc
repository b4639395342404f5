// Records, the disk below them, and what survives a crash.
#include "core/runtime/record_log.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/disk/sim_file_system.h"
#include "sim/framework/log_storage.h"

namespace lockstep {
namespace {

// Keeps the jobs until the test executes them.
class HandCrankedDisk final : public Disk {
 public:
  Ticket Submit(StorageJob job) override {
    jobs.push_back(std::move(job));
    return Ticket(jobs.size());
  }
  std::vector<StorageJob> jobs;
};

ReplicaImage Empty() {
  ReplicaImage image;
  image.group = GroupId(1);
  return image;
}

TEST(RecordLog, OneWriteAtATimeAndTheRestTogether) {
  HandCrankedDisk disk;
  RecordLog log(Empty());
  log.Commit(disk);
  EXPECT_TRUE(disk.jobs.empty()) << "there is nothing to write";
  EXPECT_EQ(log.Append(Bytes::Copy("a")), Index(1));
  log.Commit(disk);
  log.Append(Bytes::Copy("b"));
  log.Append(Bytes::Copy("c"));
  log.Commit(disk);
  ASSERT_EQ(disk.jobs.size(), 1u) << "a write is under way";
  EXPECT_EQ(log.durable(), Index(0));
  EXPECT_EQ(log.last(), Index(3));
  log.OnStored();
  EXPECT_EQ(log.durable(), Index(1)) << "b and c were not part of that write";
  log.Commit(disk);
  ASSERT_EQ(disk.jobs.size(), 2u);
  const LogBatch& batch = std::get<CommitLog>(disk.jobs[1]).batches.at(0);
  ASSERT_EQ(batch.append.size(), 2u);
  EXPECT_EQ(batch.append[0].index, Index(2));
  EXPECT_EQ(batch.append[1].data.view(), "c");
  log.OnStored();
  EXPECT_EQ(log.durable(), log.last());
}

TEST(RecordLog, WhatIsDurableIsThereAfterAPowerFailure) {
  sim::SimFileSystem files;
  Rng rng(1);
  HandCrankedDisk disk;
  for (uint64_t life = 0; life < 20; ++life) {
    absl::StatusOr<sim::LogStorage> storage = sim::OpenLogStorage(files);
    ASSERT_TRUE(storage.ok()) << storage.status();
    RecordLog log(storage->recovered);
    EXPECT_EQ(log.last(), Index(life));
    EXPECT_EQ(log.durable(), log.last());
    for (uint64_t i = 1; i <= life; ++i) {
      EXPECT_EQ(log.at(Index(i)).view(), absl::StrCat("record ", i));
    }
    log.Append(Bytes::Copy(absl::StrCat("record ", life + 1)));
    log.Commit(disk);
    ASSERT_TRUE(storage->runner->Run(disk.jobs.back()).ok());
    log.OnStored();
    log.Append(Bytes::Copy("never written"));
    storage->runner.reset();
    files.Crash(rng, sim::CrashOptions::DropAll());
  }
}

TEST(RecordLogDeathTest, RefusesWhatWasNotWritten) {
  RecordLog log(Empty());
  EXPECT_DEATH(log.OnStored(), "check failed");
  EXPECT_DEATH(log.at(Index(1)), "check failed");
}

}  // namespace
}  // namespace lockstep
