// What a commit costs: in processor time on a disk that keeps nothing (what the log itself costs),
// on the simulated disk (what a simulation pays), and on the real one.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/crc32c.h"
#include "sim/disk/sim_file_system.h"
#include "storage/posix_file_system.h"
#include "storage/wal.h"

namespace lockstep::storage {
namespace {

// Accepts everything, keeps nothing.
class NullFiles final : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> Open(const std::string&, OpenMode) override {
    return std::make_unique<NullFile>();
  }
  bool Exists(const std::string&) const override { return false; }
  absl::StatusOr<std::vector<std::string>> List(const std::string&) const override {
    return std::vector<std::string>();
  }
  absl::StatusOr<uint64_t> FileSize(const std::string&) const override { return 0; }
  absl::Status Rename(const std::string&, const std::string&) override { return absl::OkStatus(); }
  absl::Status Delete(const std::string&) override { return absl::OkStatus(); }
  absl::Status CreateDirectory(const std::string&) override { return absl::OkStatus(); }
  absl::Status SyncDirectory(const std::string&) override { return absl::OkStatus(); }
  absl::StatusOr<uint64_t> FreeBytes(const std::string&) const override { return 1 << 30; }
  absl::StatusOr<std::unique_ptr<File>> Lock(const std::string&) override {
    return std::make_unique<NullFile>();
  }

 private:
  class NullFile final : public File {
   public:
    absl::Status Read(uint64_t, size_t, std::string* out) const override {
      out->clear();
      return absl::OkStatus();
    }
    absl::Status Write(uint64_t, absl::string_view data) override {
      benchmark::DoNotOptimize(data.data());
      return absl::OkStatus();
    }
    absl::Status Append(absl::string_view) override { return absl::OkStatus(); }
    absl::Status Truncate(uint64_t) override { return absl::OkStatus(); }
    absl::Status Reserve(uint64_t) override { return absl::OkStatus(); }
    absl::Status Sync() override { return absl::OkStatus(); }
    absl::StatusOr<uint64_t> Size() const override { return 0; }
  };
};

// Commits one entry to each of `groups` groups, and drops what is older than 1000 entries.
void CommitLoop(benchmark::State& state, FileSystem& files, const std::string& directory,
                size_t groups, size_t data_bytes) {
  WalOptions options;
  for (uint64_t i = 1; i <= groups; ++i) options.groups.push_back(GroupId(i));
  std::vector<ReplicaImage> images;
  auto log = Wal::Open(files, directory, options, &images);
  Check(log.ok(), log.status().message());
  CommitLog job;
  for (const GroupId group : options.groups) {
    LogBatch batch;
    batch.group = group;
    batch.append.push_back({.index = Index(1),
                            .term = Term(1),
                            .kind = EntryKind::kCommand,
                            .data = Bytes::Copy(std::string(data_bytes, 'x'))});
    job.batches.push_back(std::move(batch));
  }
  for (auto unused : state) {
    const absl::Status status = (*log)->Commit(job);
    Check(status.ok(), status.message());
    for (LogBatch& batch : job.batches) {
      const Index index = batch.append[0].index;
      batch.base.reset();
      if (index.value() % 1000 == 0) batch.base = LogPosition{index, Term(1)};
      batch.append[0].index = index.Next();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(groups * data_bytes));
}

void BM_CommitNowhere(benchmark::State& state) {
  NullFiles files;
  CommitLoop(state, files, "/wal", static_cast<size_t>(state.range(0)),
             static_cast<size_t>(state.range(1)));
}
BENCHMARK(BM_CommitNowhere)
    ->ArgNames({"groups", "bytes"})
    ->Args({1, 16})
    ->Args({1, 256})
    ->Args({4, 256})
    ->Args({1, 4096})
    ->Args({1, 1 << 20});

void BM_CommitSimulated(benchmark::State& state) {
  sim::SimFileSystem files;
  CommitLoop(state, files, "/wal", static_cast<size_t>(state.range(0)),
             static_cast<size_t>(state.range(1)));
}
BENCHMARK(BM_CommitSimulated)
    ->ArgNames({"groups", "bytes"})
    ->Args({1, 16})
    ->Args({1, 256})
    ->Args({4, 256});

std::string TemporaryDirectory() {
  const char* base = std::getenv("TMPDIR");
  return absl::StrCat(base != nullptr ? base : "/tmp", "/lockstep_wal_bench_", ::getpid());
}

void BM_CommitReal(benchmark::State& state) {
  PosixFileSystem files;
  const std::string directory = TemporaryDirectory();
  CommitLoop(state, files, directory + "/wal", static_cast<size_t>(state.range(0)),
             static_cast<size_t>(state.range(1)));
  std::filesystem::remove_all(directory);
}
BENCHMARK(BM_CommitReal)
    ->ArgNames({"groups", "bytes"})
    ->Args({1, 256})
    ->Args({4, 256})
    ->Args({32, 256})
    ->Args({1, 1 << 20})
    ->UseRealTime();

void BM_Recover(benchmark::State& state) {
  sim::SimFileSystem files;
  WalOptions options{.groups = {GroupId(1)}};
  std::vector<ReplicaImage> images;
  const uint64_t entries = static_cast<uint64_t>(state.range(0));
  {
    auto log = Wal::Open(files, "/wal", options, &images);
    for (uint64_t i = 1; i <= entries; ++i) {
      LogBatch batch;
      batch.group = GroupId(1);
      batch.append.push_back({.index = Index(i),
                              .term = Term(1),
                              .kind = EntryKind::kCommand,
                              .data = Bytes::Copy(std::string(256, 'x'))});
      Check((*log)->Commit({.batches = {batch}}).ok());
    }
  }
  for (auto unused : state) {
    auto log = Wal::Open(files, "/wal", options, &images);
    CheckEq(images[0].entries.size(), entries);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(entries));
}
BENCHMARK(BM_Recover)->Arg(10)->Arg(100000)->Unit(benchmark::kMicrosecond);

void BM_Crc32c(benchmark::State& state) {
  const std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  for (auto unused : state) benchmark::DoNotOptimize(Crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Crc32c)->Arg(64)->Arg(4096)->Arg(1 << 20);

}  // namespace
}  // namespace lockstep::storage
