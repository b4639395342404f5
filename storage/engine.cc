#include "storage/engine.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "storage/directories.h"
#include "storage/engine_boot.h"
#include "storage/promises.h"
#include "storage/table_store.h"
#include "storage/wal.h"

namespace lockstep::storage {
bool HoldsPromises(const FileSystem& files, const std::string& directory) {
  return std::any_of(kPromiseFiles.begin(), kPromiseFiles.end(), [&](const char* name) {
    return files.Exists(absl::StrCat(directory, "/wal/", name));
  });
}

Engine::Engine() = default;

Engine::~Engine() = default;

absl::StatusOr<std::unique_ptr<Engine>> Engine::Open(FileSystem& files,
                                                     const EngineOptions& options,
                                                     const MachineFactory& machines) {
  absl::Status made = MakeDurableDirectory(files, options.directory);
  if (!made.ok()) return made;
  std::unique_ptr<Engine> engine(new Engine());
  auto lock = files.Lock(options.directory + "/LOCK");
  if (!lock.ok()) return lock.status();
  engine->lock_ = *std::move(lock);

  absl::StatusOr<Booted> booted = BootEngine(files, options, machines);
  if (!booted.ok()) return booted.status();
  engine->files_ = &files;
  engine->directory_ = options.directory;
  engine->more_groups_ = options.more_groups;
  engine->wal_ = std::move(booted->wal);
  engine->tables_ = std::move(booted->tables);
  engine->images_ = std::move(booted->images);
  engine->repairs_ = std::move(booted->repairs);
  return engine;
}

std::vector<ReplicaImage> Engine::TakeImages() { return std::move(images_); }

absl::StatusOr<StorageResult> Engine::Execute(const StorageJob& job) {
  if (const CommitLog* commit = std::get_if<CommitLog>(&job)) {
    if (absl::Status done = wal_->Commit(*commit); !done.ok()) return done;
    return StorageResult(std::monostate());
  }
  return std::visit(
      [this](const auto& table_job) -> absl::StatusOr<StorageResult> {
        if constexpr (std::is_same_v<std::decay_t<decltype(table_job)>, CommitLog>) {
          Check(false, "a commit belongs to the log lane");
          return StorageResult();
        } else {
          if (more_groups_) {
            if (absl::Status hosted = tables_->Host(table_job.group); !hosted.ok()) return hosted;
          }
          return tables_->Run(table_job);
        }
      },
      job);
}

absl::Status Engine::Fail(const absl::Status& error) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (error_.ok()) error_ = error;
  failed_ = true;
  return error_;
}

absl::StatusOr<StorageResult> Engine::Run(const StorageJob& job) {
  if (failed_) {
    const std::lock_guard<std::mutex> guard(mutex_);
    return error_;
  }
  absl::StatusOr<StorageResult> result = Execute(job);
  if (!result.ok()) {
    const bool tables = LaneOf(job) == Lane::kTable;
    if (tables && absl::IsDataLoss(result.status())) {
      NoteTableDamage(*files_, directory_, result.status());
    }
    return Fail(result.status());
  }
  return result;
}

uint64_t Engine::TableDigest(GroupId group) const { return tables_->Digest(group); }

bool Engine::VisitTable(
    GroupId group,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
  return tables_->Visit(group, visit);
}

}  // namespace lockstep::storage
