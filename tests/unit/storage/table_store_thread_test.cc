// A table whose LevelDB works on a thread of its own, as in production: entries never wait for a
// compaction, and a checkpoint still tells what survives.
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "gtest/gtest.h"
#include "sim/disk/sim_file_system.h"
#include "storage/background_work.h"
#include "tests/unit/storage/table_test_support.h"

namespace lockstep::storage {
namespace {

// The simulated disk, which is one thread's, for two.
class SharedDisk final : public FileSystem {
 public:
  explicit SharedDisk(sim::SimFileSystem& disk) : disk_(disk) {}

  absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    const Guard guard(mutex_);
    auto file = disk_.Open(path, mode);
    if (!file.ok()) return file;
    return std::unique_ptr<File>(new SharedFile(mutex_, *std::move(file)));
  }
  bool Exists(const std::string& path) const override {
    const Guard guard(mutex_);
    return disk_.Exists(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override {
    const Guard guard(mutex_);
    return disk_.List(directory);
  }
  absl::StatusOr<uint64_t> FileSize(const std::string& path) const override {
    const Guard guard(mutex_);
    return disk_.FileSize(path);
  }
  absl::Status Rename(const std::string& source, const std::string& target) override {
    const Guard guard(mutex_);
    return disk_.Rename(source, target);
  }
  absl::Status Delete(const std::string& path) override {
    const Guard guard(mutex_);
    return disk_.Delete(path);
  }
  absl::Status CreateDirectory(const std::string& path) override {
    const Guard guard(mutex_);
    return disk_.CreateDirectory(path);
  }
  absl::Status SyncDirectory(const std::string& path) override {
    const Guard guard(mutex_);
    return disk_.SyncDirectory(path);
  }
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const override {
    const Guard guard(mutex_);
    return disk_.FreeBytes(path);
  }
  absl::StatusOr<std::unique_ptr<File>> Lock(const std::string& path) override {
    const Guard guard(mutex_);
    auto file = disk_.Lock(path);
    if (!file.ok()) return file;
    return std::unique_ptr<File>(new SharedFile(mutex_, *std::move(file)));
  }

 private:
  using Guard = std::lock_guard<std::mutex>;

  class SharedFile final : public File {
   public:
    SharedFile(std::mutex& mutex, std::unique_ptr<File> file)
        : mutex_(mutex), file_(std::move(file)) {}
    ~SharedFile() override {
      const Guard guard(mutex_);
      file_.reset();
    }
    absl::Status Read(uint64_t offset, size_t bytes, std::string* out) const override {
      const Guard guard(mutex_);
      return file_->Read(offset, bytes, out);
    }
    absl::Status Write(uint64_t offset, absl::string_view data) override {
      const Guard guard(mutex_);
      return file_->Write(offset, data);
    }
    absl::Status Append(absl::string_view data) override {
      const Guard guard(mutex_);
      return file_->Append(data);
    }
    absl::Status Truncate(uint64_t size) override {
      const Guard guard(mutex_);
      return file_->Truncate(size);
    }
    absl::Status Reserve(uint64_t size) override {
      const Guard guard(mutex_);
      return file_->Reserve(size);
    }
    absl::Status Sync() override {
      const Guard guard(mutex_);
      return file_->Sync();
    }
    absl::StatusOr<uint64_t> Size() const override {
      const Guard guard(mutex_);
      return file_->Size();
    }

   private:
    std::mutex& mutex_;
    std::unique_ptr<File> file_;
  };

  sim::SimFileSystem& disk_;
  mutable std::mutex mutex_;
};

std::unique_ptr<TableStore> MustOpen(FileSystem& files, BackgroundWork& background) {
  auto store = TryOpen(files, &background);
  EXPECT_TRUE(store.ok()) << store.status();
  return *std::move(store);
}

TEST(TableStoreOnAThread, EqualsItsTwin) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Rng rng(seed);
    sim::SimFileSystem disk;
    SharedDisk shared(disk);
    WorkThread background;
    auto store = MustOpen(shared, background);
    const std::vector<Entry> log = RandomLog(rng, 1000, 40, 4000);
    Twin twin;
    for (size_t at = 0; at < log.size(); ++at) {
      const ApplyDone done = MustRun<ApplyDone>(*store, ApplyEntries{kGroup, {log[at]}});
      if (log[at].kind == EntryKind::kCommand) {
        ASSERT_EQ(done.results[0].reply.view(), twin.Apply(std::string(log[at].data.view())));
      }
      if (rng.Below(50) != 0) continue;
      ASSERT_EQ(Query(*store, "*"), twin.Print());
      if (rng.Below(2) == 0) continue;
      MustRun<CheckpointDone>(*store, Checkpoint{kGroup});
      store = nullptr;
      store = MustOpen(shared, background);
      ASSERT_EQ(store->applied(kGroup).index, log[at].index) << "a checkpoint came before";
      ASSERT_EQ(Query(*store, "*"), twin.Print());
    }
  }
}

// The power goes at some operation of either thread. What was promised is there, and what is there
// is a prefix of the log.
TEST(TableStoreOnAThread, ACheckpointIsWhatSurvives) {
  uint64_t promises = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    const std::vector<Entry> log = RandomLog(rng, 300, 10, 6000);
    sim::SimFileSystem disk;
    Index promised;
    {
      SharedDisk shared(disk);
      WorkThread background;
      auto store = MustOpen(shared, background);
      disk.PowerCutAfter(rng.Between(1, 250));
      for (size_t at = 0; at < log.size(); ++at) {
        if (!store->Run(ApplyEntries{kGroup, {log[at]}}).ok()) break;
        if (rng.Below(20) != 0) continue;
        const auto done = store->Run(Checkpoint{kGroup});
        if (!done.ok()) break;
        promised = std::get<CheckpointDone>(*done).durable.index;
        ++promises;
      }
    }
    disk.Crash(rng, seed % 2 == 0 ? sim::CrashOptions::DropAll() : sim::CrashOptions{});
    auto store = TryOpen(disk);
    ASSERT_TRUE(store.ok()) << store.status() << " seed " << seed;
    const LogPosition applied = (*store)->applied(kGroup);
    ASSERT_GE(applied.index, promised) << "seed " << seed;
    ASSERT_EQ(Query(**store, "*"), TwinAt(log, applied.index).Print()) << "seed " << seed;
  }
  EXPECT_GT(promises, 100u);
}

}  // namespace
}  // namespace lockstep::storage
