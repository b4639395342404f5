#include "storage/engine.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "storage/directories.h"
#include "storage/table_store.h"
#include "storage/wal.h"

namespace lockstep::storage {
namespace {

// A log that begins after what its table contains has a hole: the table lost what had been durable.
absl::Status ValidateImage(const ReplicaImage& image) {
  if (image.base.index <= image.applied.index) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("group ", image.group.value(), ": the log begins after ",
                                          image.base.index.value(), ", but the table ends at ",
                                          image.applied.index.value()));
}

}  // namespace

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

  const WalOptions wal_options{.groups = options.groups,
                               .segment_bytes_max = options.wal_segment_bytes_max,
                               .reserve_bytes = options.wal_reserve_bytes,
                               .salt = options.wal_salt};
  auto wal = Wal::Open(files, options.directory + "/wal", wal_options, &engine->images_);
  if (!wal.ok()) return wal.status();
  engine->wal_ = *std::move(wal);

  const TableStoreOptions table_options{.directory = options.directory + "/table",
                                        .groups = options.groups,
                                        .write_buffer_bytes = options.table_write_buffer_bytes,
                                        .block_cache_bytes = options.table_block_cache_bytes};
  auto tables = TableStore::Open(files, table_options, machines);
  if (!tables.ok()) return tables.status();
  engine->tables_ = *std::move(tables);

  CheckEq(engine->images_.size(), options.groups.size());
  for (ReplicaImage& image : engine->images_) {
    image.applied = engine->tables_->applied(image.group);
    image.configuration = engine->tables_->configuration(image.group);
    if (absl::Status valid = ValidateImage(image); !valid.ok()) return valid;
  }
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
  if (!result.ok()) return Fail(result.status());
  return result;
}

uint64_t Engine::TableDigest(GroupId group) const { return tables_->Digest(group); }

bool Engine::VisitTable(
    GroupId group,
    absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
  return tables_->Visit(group, visit);
}

}  // namespace lockstep::storage
