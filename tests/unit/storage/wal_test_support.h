// Shared by the write-ahead log's tests: the dumbest possible log beside it, and random commits.
#ifndef LOCKSTEP_TESTS_UNIT_STORAGE_WAL_TEST_SUPPORT_H_
#define LOCKSTEP_TESTS_UNIT_STORAGE_WAL_TEST_SUPPORT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/runtime/log.h"
#include "core/runtime/storage_job.h"
#include "storage/file_system.h"
#include "storage/wal.h"

namespace lockstep::storage {

// One group's log as a map: LogBatch's comments, word for word.
struct DumbLog {
  HardState hard_state;
  LogPosition base;
  std::map<uint64_t, Entry> entries;

  Index last() const { return entries.empty() ? base.index : Index(entries.rbegin()->first); }
  void Apply(const LogBatch& batch);
};

// The dumb twin of a Wal.
using DumbLogs = std::map<uint64_t, DumbLog>;
void ApplyJob(const CommitLog& job, DumbLogs* logs);

// One line per group and entry, equal for equal logs.
std::string Describe(const DumbLogs& logs);
std::string Describe(const std::vector<ReplicaImage>& images);

// What random commits look like.
struct JobMix {
  uint64_t data_bytes_max = 60;
  uint64_t entries_max = 4;  // per group and commit
  Ratio hard_state{1, 3};
  Ratio base{1, 6};    // forgets a random prefix
  Ratio reset{1, 40};  // an installed snapshot replaces the log
  Ratio truncate{1, 8};
  std::vector<GroupId> idle;  // take part in no more commits
};

// A commit that continues `logs`, never empty.
CommitLog RandomJob(Rng& rng, const JobMix& mix, const DumbLogs& logs);

// A log and its twin on some file system.
class WalRig {
 public:
  WalRig(FileSystem& files, std::string directory, WalOptions options);

  // Opens or reopens.
  absl::Status Open();
  // Commits and, when that succeeds, remembers.
  absl::Status Commit(const CommitLog& job);
  void Close() { wal_.reset(); }

  Wal& wal() { return *wal_; }
  const DumbLogs& expected() const { return expected_; }
  void set_expected(DumbLogs logs) { expected_ = std::move(logs); }
  // What the last Open found.
  std::string found() const { return Describe(images_); }
  const std::vector<ReplicaImage>& images() const { return images_; }
  const std::string& directory() const { return directory_; }
  // Segment paths, oldest first.
  std::vector<std::string> Segments() const;

 private:
  FileSystem& files_;
  std::string directory_;
  WalOptions options_;
  std::unique_ptr<Wal> wal_;
  std::vector<ReplicaImage> images_;
  DumbLogs expected_;
};

// A fresh directory under the test's temporary one.
std::string FreshDirectory(const std::string& name);
std::string ReadAll(FileSystem& files, const std::string& path);
void WriteAll(FileSystem& files, const std::string& path, const std::string& bytes);
std::vector<GroupId> Groups(uint64_t count);

}  // namespace lockstep::storage

#endif  // LOCKSTEP_TESTS_UNIT_STORAGE_WAL_TEST_SUPPORT_H_
