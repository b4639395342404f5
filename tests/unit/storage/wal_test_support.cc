#include "tests/unit/storage/wal_test_support.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/wal_format.h"

namespace lockstep::storage {
namespace {

void AppendLine(GroupId group, HardState hard_state, LogPosition base, std::string* text) {
  absl::StrAppend(text, "group ", group.value(), " term ", hard_state.term.value(), " vote ",
                  hard_state.vote.value(), " base ", base.index.value(), "/", base.term.value(),
                  "\n");
}

void AppendLine(const Entry& entry, std::string* text) {
  absl::StrAppend(text, "  ", entry.index.value(), "/", entry.term.value(), " ",
                  static_cast<int>(entry.kind), " ", entry.data.view(), "\n");
}

LogBatch RandomBatch(Rng& rng, const JobMix& mix, GroupId group, const DumbLog& log) {
  LogBatch batch;
  batch.group = group;
  DumbLog after = log;
  if (rng.Chance(mix.hard_state)) {
    const uint64_t step = rng.Below(2);
    const uint64_t vote = rng.Below(4);
    batch.hard_state = HardState{Term(log.hard_state.term.value() + step), NodeId(vote)};
  }
  const uint64_t first = log.base.index.value();
  const uint64_t last = log.last().value();
  if (rng.Chance(mix.reset)) {
    const uint64_t index = rng.Between(first, last + 10);
    batch.base = LogPosition{Index(index), Term(1000)};
  } else if (first < last && rng.Chance(mix.base)) {
    const uint64_t index = rng.Between(first + 1, last);
    batch.base = LogPosition{Index(index), log.entries.at(index).term};
  }
  after.Apply(batch);
  if (rng.Chance(mix.truncate)) {
    const uint64_t from = rng.Between(after.base.index.value() + 1, after.last().value() + 1);
    LogBatch cut;
    cut.truncate_from = batch.truncate_from = Index(from);
    after.Apply(cut);
  }
  const uint64_t count = rng.Below(mix.entries_max + 1);
  for (uint64_t i = 1; i <= count; ++i) {
    const uint64_t bytes = rng.Below(mix.data_bytes_max + 1);
    const uint64_t salt = rng.Below(26);
    const bool noop = rng.Chance({1, 8});
    Entry entry;
    entry.index = after.last().Plus(i);
    entry.term = Term(1 + log.hard_state.term.value());
    entry.kind = noop ? EntryKind::kNoop : EntryKind::kCommand;
    if (!noop) entry.data = Bytes::Copy(std::string(bytes, static_cast<char>('a' + salt)));
    batch.append.push_back(entry);
  }
  return batch;
}

}  // namespace

void DumbLog::Apply(const LogBatch& batch) {
  if (batch.hard_state.has_value()) hard_state = *batch.hard_state;
  if (batch.base.has_value()) {
    const auto held = entries.find(batch.base->index.value());
    const bool keep =
        *batch.base == base || (held != entries.end() && held->second.term == batch.base->term);
    entries.erase(entries.begin(),
                  keep ? entries.upper_bound(batch.base->index.value()) : entries.end());
    base = *batch.base;
  }
  if (batch.truncate_from.has_value()) {
    entries.erase(entries.lower_bound(batch.truncate_from->value()), entries.end());
  }
  for (const Entry& entry : batch.append) entries[entry.index.value()] = entry;
}

void ApplyJob(const CommitLog& job, DumbLogs* logs) {
  for (const LogBatch& batch : job.batches) logs->at(batch.group.value()).Apply(batch);
}

std::string Describe(const DumbLogs& logs) {
  std::string text;
  for (const auto& [group, log] : logs) {
    AppendLine(GroupId(group), log.hard_state, log.base, &text);
    for (const auto& [index, entry] : log.entries) AppendLine(entry, &text);
  }
  return text;
}

std::string Describe(const std::vector<ReplicaImage>& images) {
  std::string text;
  for (const ReplicaImage& image : images) {
    AppendLine(image.group, image.hard_state, image.base, &text);
    for (const Entry& entry : image.entries) AppendLine(entry, &text);
  }
  return text;
}

CommitLog RandomJob(Rng& rng, const JobMix& mix, const DumbLogs& logs) {
  CommitLog job;
  while (job.batches.empty()) {
    for (const auto& [group, log] : logs) {
      const bool idle = std::count(mix.idle.begin(), mix.idle.end(), GroupId(group)) > 0;
      if (idle || !rng.Chance({2, 3})) continue;
      LogBatch batch = RandomBatch(rng, mix, GroupId(group), log);
      if (!batch.empty()) job.batches.push_back(std::move(batch));
    }
  }
  return job;
}

WalRig::WalRig(FileSystem& files, std::string directory, WalOptions options)
    : files_(files), directory_(std::move(directory)), options_(std::move(options)) {
  for (const GroupId group : options_.groups) expected_[group.value()] = DumbLog();
}

absl::Status WalRig::Open() {
  wal_.reset();
  absl::StatusOr<std::unique_ptr<Wal>> wal = Wal::Open(files_, directory_, options_, &images_);
  if (!wal.ok()) return wal.status();
  wal_ = *std::move(wal);
  return absl::OkStatus();
}

absl::Status WalRig::Commit(const CommitLog& job) {
  const absl::Status status = wal_->Commit(job);
  if (status.ok()) ApplyJob(job, &expected_);
  return status;
}

std::vector<std::string> WalRig::Segments() const {
  std::vector<std::string> paths;
  const auto names = files_.List(directory_);
  EXPECT_TRUE(names.ok()) << names.status();
  for (const std::string& name : *names) {
    if (wal::ParseSegmentName(name).has_value()) paths.push_back(directory_ + "/" + name);
  }
  return paths;
}

namespace {

// Removes, when the test program ends, the directories that its tests were given.
class Litter {
 public:
  ~Litter() {
    for (const std::string& path : paths_) std::filesystem::remove_all(path);
  }
  void Add(const std::string& path) { paths_.push_back(path); }

 private:
  std::vector<std::string> paths_;
};

}  // namespace

std::string FreshDirectory(const std::string& name) {
  static Litter litter;
  const std::string path = absl::StrCat(testing::TempDir(), "lockstep_", name, "_", getpid());
  litter.Add(path);
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

std::string ReadAll(FileSystem& files, const std::string& path) {
  std::string bytes;
  auto file = files.Open(path, OpenMode::kRead);
  EXPECT_TRUE(file.ok()) << file.status();
  const auto size = (*file)->Size();
  EXPECT_TRUE((*file)->Read(0, static_cast<size_t>(*size), &bytes).ok());
  return bytes;
}

void WriteAll(FileSystem& files, const std::string& path, const std::string& bytes) {
  auto file = files.Open(path, OpenMode::kTruncate);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->Write(0, bytes).ok());
  ASSERT_TRUE((*file)->Sync().ok());
}

std::vector<GroupId> Groups(uint64_t count) {
  std::vector<GroupId> groups;
  for (uint64_t i = 1; i <= count; ++i) groups.push_back(GroupId(i));
  return groups;
}

}  // namespace lockstep::storage
