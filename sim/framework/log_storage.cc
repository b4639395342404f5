#include "sim/framework/log_storage.h"

#include <utility>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "storage/wal.h"

namespace lockstep::sim {
namespace {

class LogRunner final : public StorageRunner {
 public:
  explicit LogRunner(std::unique_ptr<storage::Wal> wal) : wal_(std::move(wal)) {}
  absl::StatusOr<StorageResult> Run(const StorageJob& job) override {
    const CommitLog* commit = std::get_if<CommitLog>(&job);
    Check(commit != nullptr, "a server with log storage has no table: it can only commit");
    const absl::Status status = wal_->Commit(*commit);
    if (!status.ok()) return status;
    return StorageResult();
  }
  uint64_t Digest(GroupId) const override { return 0; }  // of a table, and there is none

 private:
  std::unique_ptr<storage::Wal> wal_;
};

}  // namespace

absl::StatusOr<LogStorage> OpenLogStorage(storage::FileSystem& files) {
  storage::WalOptions options;
  options.groups = {GroupId(1)};
  std::vector<ReplicaImage> images;
  absl::StatusOr<std::unique_ptr<storage::Wal>> wal =
      storage::Wal::Open(files, "/log", options, &images);
  if (!wal.ok()) return wal.status();
  CheckEq(images.size(), size_t{1});
  return LogStorage{.runner = std::make_unique<LogRunner>(*std::move(wal)),
                    .recovered = std::move(images.front())};
}

}  // namespace lockstep::sim
