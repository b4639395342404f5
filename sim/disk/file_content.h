// The bytes of one simulated file, and what a power failure may make of them.
//
// Only the newest bytes are kept whole. Each unsynced change remembers the bytes that it overwrote
// or cut off, so the file can be shown as it was before any of them. A sync just forgets the
// changes: it costs the same for a file of any size, and appended bytes are never copied.
//
// A sync that fails is the end of what it should have written (fsyncgate; Rebello et al., ATC 2020,
// for ext4 and XFS): the pages stay in memory and are marked clean. Whether one had reached the
// disk all the same shows at the next power failure. Nothing writes it any more, except a later
// sync that finds the same page changed again: pages are written whole.
#ifndef LOCKSTEP_SIM_DISK_FILE_CONTENT_H_
#define LOCKSTEP_SIM_DISK_FILE_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "sim/disk/crash_options.h"

namespace lockstep::sim {

class FileContent {
 public:
  static constexpr uint64_t kPageBytes = 4096;
  static constexpr uint64_t kSectorBytes = 512;

  const std::string& bytes() const { return bytes_; }
  uint64_t size() const { return bytes_.size(); }
  // Whether every byte is on the medium.
  bool is_durable() const { return changes_.empty() && lost_pages_.empty() && !lost_size_; }

  // Writes at `offset`; a gap behind the end becomes zeros.
  void Write(uint64_t offset, absl::string_view data);
  void Append(absl::string_view data);
  // Cuts off the end, or extends with zeros.
  void Truncate(uint64_t size);
  void Sync();
  // A sync that fails: see above.
  void FailSync();
  // Damages the medium: the bits of `mask` flip, synced or not.
  void FlipBits(uint64_t offset, uint8_t mask);

  // The power fails: what is unsynced is kept, dropped or torn as drawn, and what is then left
  // counts as synced.
  void Crash(Rng& rng, const CrashOptions::Files& modes, DiskCounters& counters);

 private:
  // One unsynced change of the bytes in [begin, end). Version i of the file is its state before
  // changes_[i]; version changes_.size() is the newest.
  struct Change {
    uint64_t begin;
    uint64_t end;
    uint64_t size_before;
    size_t undo;     // where undo_ holds the old bytes of [begin, min(end, size_before))
    bool truncates;  // [begin, end) was cut off
  };

  void ForgetChanges();
  void Remember(uint64_t begin, uint64_t end, bool truncates);
  uint64_t SizeAt(size_t version) const;
  // Makes [begin, end) of `text` what it was at `version`; it holds the newest bytes before.
  void Revert(uint64_t begin, uint64_t end, size_t version, std::string& text) const;
  // The version of the bytes before `end` that goes with a size of `size_version`.
  size_t Reconcile(size_t version, size_t size_version, uint64_t end) const;
  size_t DrawVersion(Rng& rng) const;
  std::vector<bool> ChangedPages(uint64_t size) const;
  void CrashChanges(Rng& rng, const CrashOptions::Files& modes, DiskCounters& counters);
  void CrashPages(Rng& rng, bool tear, DiskCounters& counters);
  void CrashLost(Rng& rng, const CrashOptions::Files& modes, const std::string& before,
                 DiskCounters& counters);
  void CrashWhole(size_t version, DiskCounters& counters);
  void Count(uint64_t pages, size_t version, DiskCounters& counters) const;
  uint64_t WidestSize() const;
  // What the file held before the first unsynced change.
  std::string Oldest() const;

  std::string bytes_;
  std::vector<Change> changes_;
  std::string undo_;
  // Pages that a failed sync has left in memory alone, by number, with what the medium holds.
  absl::btree_map<uint64_t, std::string> lost_pages_;
  std::optional<uint64_t> lost_size_;  // the size on the medium, if a failed sync left another
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_DISK_FILE_CONTENT_H_
