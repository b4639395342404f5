// The power goes, or the disk fails, at every call that a log makes.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "sim/disk/sim_file_system.h"
#include "storage/posix_file_system.h"
#include "storage/wal.h"
#include "tests/unit/storage/wal_test_support.h"

namespace lockstep::storage {
namespace {

struct Outcome {
  uint64_t commits = 0;
  uint64_t repaired = 0;  // reopenings that cut a torn end
  uint64_t kept = 0;      // commits in flight that survived
};

// Commits until the power goes at the `cut`th call, crashes, reopens (with further cuts while it
// does), and compares; `rounds` times on one disk.
void Storm(uint64_t seed, uint64_t cut, int rounds, Outcome* outcome) {
  Rng rng = Rng(seed).Split("storm");
  sim::SimFileSystem files;
  JobMix mix;
  mix.data_bytes_max = rng.Magnitude(1, 9000);
  const uint64_t groups = rng.Between(1, 4);
  const uint64_t segment_bytes = rng.Magnitude(1, 30000);
  const uint64_t reserve_bytes = rng.Chance({1, 2}) ? rng.Magnitude(1, 20000) : 0;
  WalRig rig(files, "/node/wal",
             {.groups = Groups(groups),
              .segment_bytes_max = segment_bytes,
              .reserve_bytes = reserve_bytes});
  ASSERT_TRUE(files.CreateDirectory("/node").ok());
  ASSERT_TRUE(files.SyncDirectory("/").ok());
  DumbLogs maybe = rig.expected();  // with the commit in flight
  for (int round = 0; round < rounds; ++round) {
    files.PowerCutAfter(cut);
    cut = rng.Magnitude(1, 60);
    absl::Status status = rig.Open();
    while (status.ok()) {
      maybe = rig.expected();
      const CommitLog job = RandomJob(rng, mix, rig.expected());
      ApplyJob(job, &maybe);
      status = rig.Commit(job);
      if (status.ok()) ++outcome->commits;
    }
    ASSERT_TRUE(absl::IsUnavailable(status)) << "seed " << seed << ": " << status;
    rig.Close();
    files.Crash(rng, sim::CrashOptions());

    status = rig.Open();
    ASSERT_TRUE(status.ok()) << "seed " << seed << " round " << round << ": " << status;
    outcome->repaired += rig.wal().size().torn_bytes > 0 ? 1u : 0u;
    const bool as_before = rig.found() == Describe(rig.expected());
    const bool as_after = rig.found() == Describe(maybe);
    ASSERT_TRUE(as_before || as_after) << "seed " << seed << " round " << round << "\nfound\n"
                                       << rig.found() << "before\n"
                                       << Describe(rig.expected()) << "after\n"
                                       << Describe(maybe);
    if (!as_before) ++outcome->kept;
    if (!as_before) rig.set_expected(maybe);
    maybe = rig.expected();
    // What recovery has shown is a promise: it must survive a power failure right now.
    rig.Close();
    files.Crash(rng, sim::CrashOptions());
    ASSERT_TRUE(rig.Open().ok());
    ASSERT_EQ(rig.found(), Describe(rig.expected())) << "seed " << seed << " round " << round;
  }
}

TEST(WalCrash, PowerFailsAtEveryCall) {
  Outcome outcome;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    for (uint64_t cut = 1; cut <= 150; ++cut) {
      Storm(seed, cut, 1, &outcome);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_GT(outcome.commits, 1000u);
  EXPECT_GT(outcome.kept, 50u);
  EXPECT_GT(outcome.repaired, 50u);
}

TEST(WalCrash, PowerFailsAgainAndAgain) {
  Outcome outcome;
  for (uint64_t seed = 1; seed <= 700; ++seed) {
    Rng rng = Rng(seed).Split("first cut");
    Storm(seed, rng.Magnitude(1, 300), 25, &outcome);
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(outcome.commits, 10000u);
  EXPECT_GT(outcome.kept, 1000u);
  EXPECT_GT(outcome.repaired, 1000u);
}

// A file system that does `allowed` more changes, half of the next write, and then nothing.
class FailingFiles final : public FileSystem {
 public:
  explicit FailingFiles(FileSystem& base) : base_(base) {}
  void FailAfter(uint64_t allowed) { left_ = allowed; }
  bool failed() const { return left_ == 0; }

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    if (mode == OpenMode::kTruncate && !Spend()) return Broken();
    absl::StatusOr<std::unique_ptr<File>> file = base_.Open(path, mode);
    if (!file.ok()) return file;
    return std::make_unique<FailingFile>(*this, *std::move(file));
  }
  bool Exists(const std::string& path) const override { return base_.Exists(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override {
    return base_.List(directory);
  }
  absl::StatusOr<uint64_t> FileSize(const std::string& path) const override {
    return base_.FileSize(path);
  }
  absl::Status Rename(const std::string& source, const std::string& target) override {
    return Spend() ? base_.Rename(source, target) : Broken();
  }
  absl::Status Delete(const std::string& path) override {
    return Spend() ? base_.Delete(path) : Broken();
  }
  absl::Status CreateDirectory(const std::string& path) override {
    return Spend() ? base_.CreateDirectory(path) : Broken();
  }
  absl::Status SyncDirectory(const std::string& path) override {
    return Spend() ? base_.SyncDirectory(path) : Broken();
  }
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const override {
    return base_.FreeBytes(path);
  }
  absl::StatusOr<std::unique_ptr<File>> Lock(const std::string& path) override {
    return base_.Lock(path);
  }

 private:
  class FailingFile final : public File {
   public:
    FailingFile(FailingFiles& files, std::unique_ptr<File> base)
        : files_(files), base_(std::move(base)) {}
    absl::Status Read(uint64_t offset, size_t bytes, std::string* out) const override {
      return base_->Read(offset, bytes, out);
    }
    absl::Status Write(uint64_t offset, absl::string_view data) override {
      if (files_.Spend()) return base_->Write(offset, data);
      if (!std::exchange(files_.half_done_, true)) {
        (void)base_->Write(offset, data.substr(0, data.size() / 2));
      }
      return Broken();
    }
    absl::Status Append(absl::string_view data) override {
      return files_.Spend() ? base_->Append(data) : Broken();
    }
    absl::Status Truncate(uint64_t size) override {
      return files_.Spend() ? base_->Truncate(size) : Broken();
    }
    absl::Status Reserve(uint64_t size) override {
      return files_.Spend() ? base_->Reserve(size) : Broken();
    }
    absl::Status Sync() override { return files_.Spend() ? base_->Sync() : Broken(); }
    absl::StatusOr<uint64_t> Size() const override { return base_->Size(); }

   private:
    FailingFiles& files_;
    const std::unique_ptr<File> base_;
  };

  static absl::Status Broken() { return absl::InternalError("the disk is broken"); }
  bool Spend() {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  FileSystem& base_;
  uint64_t left_ = UINT64_MAX;
  bool half_done_ = false;
};

// On a real disk: the process dies of a failed call, and its successor finds the log as it was
// before or after the commit in flight.
TEST(WalCrash, DiskFailsAtEveryCall) {
  PosixFileSystem real;
  for (uint64_t allowed = 0; allowed < 120; ++allowed) {
    Rng rng = Rng(allowed % 3).Split("failing");
    FailingFiles files(real);
    WalRig rig(files, FreshDirectory("failing") + "/wal",
               {.groups = Groups(3), .segment_bytes_max = 900});
    files.FailAfter(allowed);
    absl::Status status = rig.Open();
    DumbLogs maybe = rig.expected();
    while (status.ok()) {
      maybe = rig.expected();
      const CommitLog job = RandomJob(rng, JobMix(), rig.expected());
      ApplyJob(job, &maybe);
      status = rig.Commit(job);
      if (!status.ok()) {
        EXPECT_EQ(rig.wal().Commit(job), status);
      }
    }
    ASSERT_TRUE(absl::IsInternal(status)) << status;
    rig.Close();
    files.FailAfter(UINT64_MAX);
    status = rig.Open();
    ASSERT_TRUE(status.ok()) << "allowed " << allowed << ": " << status;
    EXPECT_TRUE(rig.found() == Describe(rig.expected()) || rig.found() == Describe(maybe))
        << "allowed " << allowed;
  }
}

}  // namespace
}  // namespace lockstep::storage
