// The disk of one simulated machine: storage::FileSystem in memory, with the promises of a real one
// and none that it does not make. It outlives the crashes of its node.
//
// Deterministic: no clock, no chance of its own. Crash() is told the Rng; everything else follows
// from the calls. One thread.
//
// A power failure has two halves. PowerCutAfter() lets the power go in the middle of a later
// mutating call: from then on every call fails and changes nothing, while the node above still runs
// into those failures and is torn down. Crash() then decides what the disk holds, and turns the
// power on again. Crash() alone is a power failure between two calls.
#ifndef LOCKSTEP_SIM_DISK_SIM_FILE_SYSTEM_H_
#define LOCKSTEP_SIM_DISK_SIM_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "core/base/rng.h"
#include "sim/disk/crash_options.h"
#include "sim/disk/name_table.h"
#include "storage/file_system.h"

namespace lockstep::sim {

class SimFileSystem final : public storage::FileSystem {
 public:
  static constexpr uint64_t kUnlimited = UINT64_MAX;

  SimFileSystem() = default;
  SimFileSystem(const SimFileSystem&) = delete;
  SimFileSystem& operator=(const SimFileSystem&) = delete;

  // storage::FileSystem. Errors beside its own: Unavailable("power lost") after a power cut and for
  // handles from before a crash; Internal for a sync that was told to fail.
  absl::StatusOr<std::unique_ptr<storage::File>> Open(const std::string& path,
                                                      storage::OpenMode mode) override;
  bool Exists(const std::string& path) const override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const override;
  absl::StatusOr<uint64_t> FileSize(const std::string& path) const override;
  absl::Status Rename(const std::string& source, const std::string& target) override;
  absl::Status Delete(const std::string& path) override;
  absl::Status CreateDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) const override;
  absl::StatusOr<std::unique_ptr<storage::File>> Lock(const std::string& path) override;

  // Applies a power failure to all that is unsynced, kills every open handle and lock, and turns
  // the power on. Handles may be destroyed before or after.
  void Crash(Rng& rng, const CrashOptions& options);
  // The process dies and the machine goes on: handles and locks are gone, what was written is there
  // to be read, and what was not synced is as unsynced as before. Turns the power on.
  void Kill();

  // The power goes in the middle of the `operations`th mutating call from now (create, truncate,
  // write, append, sync, rename, delete, directory work): that call fails, having written perhaps a
  // part, having synced nothing, and every later call of any kind fails without effect, until
  // Crash(). 0: it is off at once.
  void PowerCutAfter(uint64_t operations);
  bool powered() const { return power_left_ != 0; }

  // Bytes that all files together may hold; a write beyond it is cut short with ResourceExhausted.
  void SetCapacity(uint64_t bytes) { capacity_ = bytes; }
  // Somebody else takes all but so much of what is free.
  void LeaveFree(uint64_t bytes) { capacity_ = names_.UsedBytes() + bytes; }
  bool limited() const { return capacity_ != kUnlimited; }
  // While set, every Sync and SyncDirectory fails. See FileContent for what becomes of the bytes
  // that a failed sync should have written; names stay unsynced.
  void SetSyncsFail(bool fail) { syncs_fail_ = fail; }
  // The `syncs`th Sync or SyncDirectory from now fails, once. 0: none does.
  void FailSyncAfter(uint64_t syncs) { syncs_to_failure_ = syncs; }
  // The `calls`th read, or write, from now fails, once: a write when half of it is done. 0: none
  // does.
  enum class IoFailure : uint8_t { kRead, kWrite, kNoSpace };
  void FailCallAfter(IoFailure failure, uint64_t calls) {
    io_failure_ = failure;
    calls_to_failure_ = calls;
  }
  // An empty disk from now on. REQUIRES: nobody has a file open.
  void Wipe() { names_ = NameTable(); }
  // Damages the medium: flips the bits of `mask` in one byte. False: there is no such byte.
  bool FlipBits(const std::string& path, uint64_t offset, uint8_t mask);
  // All files, in the order of their names, and the bytes of one; null when there is none such.
  std::vector<std::string> Files() const { return names_.Files(); }
  const FileContent* Content(const std::string& path) const;

  const DiskCounters& counters() const { return counters_; }
  // A hash of all names and bytes as they are now: equal for equal runs.
  uint64_t Digest() const;

 private:
  class Handle;
  class HeldLock;
  enum class Power : uint8_t { kOn, kFails, kOff };

  void BeginAnew();
  // Called once by every mutating call.
  Power Mutate() {
    if (power_left_ == 0) return Power::kOff;
    ++counters_.operations;
    if (power_left_ == kUnlimited) return Power::kOn;
    return --power_left_ == 0 ? Power::kFails : Power::kOn;
  }
  // Called once by every sync that finds the power on.
  bool SyncFails() {
    const bool strikes = syncs_to_failure_ > 0 && --syncs_to_failure_ == 0;
    if (!strikes && !syncs_fail_) return false;
    ++counters_.failed_syncs;
    return true;
  }
  // How much of a write of `bytes` is done when the power fails in it.
  uint64_t Interrupted(uint64_t bytes) const;
  absl::StatusOr<Inode*> FindOrMake(const std::string& path, storage::OpenMode mode);

  NameTable names_;
  absl::btree_set<std::string> locks_;
  uint64_t epoch_ = 0;  // crashes so far; a handle belongs to one
  uint64_t power_left_ = kUnlimited;
  uint64_t capacity_ = kUnlimited;
  bool syncs_fail_ = false;
  // Called once by every read (kRead) and write.
  bool CallFails(bool read) const {
    if (calls_to_failure_ == 0 || read != (io_failure_ == IoFailure::kRead)) return false;
    if (--calls_to_failure_ > 0) return false;
    ++counters_.failed_calls;
    return true;
  }

  IoFailure io_failure_ = IoFailure::kRead;
  mutable uint64_t calls_to_failure_ = 0;
  uint64_t syncs_to_failure_ = 0;
  mutable DiskCounters counters_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_DISK_SIM_FILE_SYSTEM_H_
