// The write-ahead log beside the dumbest possible one. Whatever is committed, and wherever the
// power goes or a sync fails: reopened, the log holds exactly what was committed, and of the commit
// that was under way all or nothing; and what a reopening has shown lasts.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "fuzz/support/disk_faults.h"
#include "fuzz/support/input.h"
#include "fuzz/support/log_model.h"
#include "sim/disk/sim_file_system.h"
#include "storage/verify.h"
#include "storage/wal.h"

namespace lockstep::fuzz {
namespace {

constexpr size_t kStepsMax = 40;

class Run {
 public:
  explicit Run(Input input) : input_(input) {
    const uint64_t groups = 1 + input_.Below(3);
    for (uint64_t i = 0; i < groups; ++i) groups_.push_back(GroupId(3 * i));
    options_.more_groups = input_.Flip();
    if (!options_.more_groups) options_.groups = groups_;
    constexpr uint64_t kSegmentBytes[] = {1, 200, 1000, 20000};
    constexpr uint64_t kReserveBytes[] = {0, 0, 100, 5000};
    options_.segment_bytes_max = kSegmentBytes[input_.Below(4)];
    options_.reserve_bytes = kReserveBytes[input_.Below(4)];
    for (const GroupId group : options_.groups) committed_[group] = GroupModel();
  }

  void Go() {
    Check(files_.CreateDirectory("d").ok());
    Check(files_.SyncDirectory(".").ok());
    Check(Open().ok());
    for (size_t step = 0; step < kStepsMax && !input_.empty(); ++step) Step();
    Reopen();
    for (const storage::Flaw& flaw : Verify()) {
      Check(flaw.kind == storage::Flaw::Kind::kLeftover);
    }
  }

 private:
  void Step() {
    switch (input_.Below(16)) {
      case 0:
        Reopen();
        return;
      case 1:
        files_.PowerCutAfter(input_.Below(24));
        return CommitUntilItFails();
      case 2:
        files_.FailSyncAfter(1 + input_.Below(12));
        return CommitUntilItFails();
      case 3:
        files_.FailCallAfter(sim::SimFileSystem::IoFailure::kWrite, 1 + input_.Below(6));
        return CommitUntilItFails();
      case 4:
        log_.reset();
        Crash(input_, files_);
        return Reopen();
      default:
        Check(Commit().ok());
        return;
    }
  }

  absl::Status Open() {
    log_.reset();
    auto opened = storage::Wal::Open(files_, "d/wal", options_, &images_);
    if (!opened.ok()) return opened.status();
    log_ = *std::move(opened);
    return absl::OkStatus();
  }

  absl::Status Commit() {
    const CommitLog commit = MakeCommit(input_, groups_, committed_);
    under_way_ = committed_;
    Apply(commit, &under_way_);
    const absl::Status status = log_->Commit(commit);
    if (status.ok()) committed_ = under_way_;
    return status;
  }

  // Also during a reopening, of which nobody notices anything.
  void CommitUntilItFails() {
    absl::Status status;
    if (input_.Flip()) status = Open();
    for (size_t i = 0; i < kStepsMax && status.ok() && !input_.empty(); ++i) status = Commit();
    if (log_ != nullptr && !status.ok()) Check(log_->Commit(CommitLog()) == status, "it is final");
    log_.reset();
    files_.FailSyncAfter(0);
    files_.FailCallAfter(sim::SimFileSystem::IoFailure::kWrite, 0);
    Crash(input_, files_);
    Reopen();
    // What was shown is a promise.
    if (!input_.Flip()) return;
    log_.reset();
    Crash(input_, files_);
    Reopen();
  }

  std::vector<storage::Flaw> Verify() {
    const uint64_t digest = files_.Digest();
    const auto found = storage::Verify(files_, "d");
    Check(found.ok());
    CheckEq(files_.Digest(), digest);
    std::vector<storage::Flaw> flaws;
    for (const storage::Flaw& flaw : found->flaws) {
      // There are no tables here.
      if (flaw.file != "d/table") flaws.push_back(flaw);
    }
    return flaws;
  }

  void Reopen() {
    log_.reset();
    for (const storage::Flaw& flaw : Verify()) Check(flaw.kind != storage::Flaw::Kind::kDamage);
    const absl::Status opened = Open();
    Check(opened.ok());
    const bool survived = !Same(images_, committed_);
    if (survived) {
      Check(Same(images_, under_way_));
      committed_ = under_way_;
    }
    under_way_ = committed_;
    const storage::WalSize size = log_->size();
    CheckLe(size.live_bytes, size.bytes);
  }

  Input input_;
  sim::SimFileSystem files_;
  std::vector<GroupId> groups_;
  storage::WalOptions options_;
  std::unique_ptr<storage::Wal> log_;
  std::vector<ReplicaImage> images_;
  LogModel committed_;
  LogModel under_way_;  // with the commit of which nobody knows
};

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::Run(lockstep::fuzz::Input(data, size)).Go();
  return 0;
}
