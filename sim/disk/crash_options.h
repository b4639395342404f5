// How a power failure treats what was not synced, and what the simulated disk has seen. Values
// only.
#ifndef LOCKSTEP_SIM_DISK_CRASH_OPTIONS_H_
#define LOCKSTEP_SIM_DISK_CRASH_OPTIONS_H_

#include <cstdint>

namespace lockstep::sim {

// Weights of the modes, one draw a file and one for all names. A weight of 0 excludes a mode; one
// weight of each struct must be positive. What was synced always survives.
struct CrashOptions {
  // The unsynced bytes of one file.
  struct Files {
    uint32_t keep = 1;     // everything had reached the disk
    uint32_t drop = 1;     // nothing had
    uint32_t prefix = 1;   // the first so many writes, in the order in which they were made
    uint32_t pages = 2;    // each 4 KiB page and the size by themselves: new, old, or as in between
    uint32_t sectors = 2;  // as `pages`, but a page may be torn: each 512-byte sector by itself
  };
  // The unsynced creations, renames and deletions.
  struct Names {
    uint32_t keep = 1;
    uint32_t drop = 1;
    uint32_t prefix = 1;       // the first so many, in order: ext4 and XFS, one ordered journal
    uint32_t independent = 2;  // name by name, a rename as a whole: Btrfs reorders so (ALICE, 2014)
  };
  Files files;
  Names names;

  // Everything had reached the disk.
  static constexpr CrashOptions KeepAll() {
    return {.files = {.keep = 1, .drop = 0, .prefix = 0, .pages = 0, .sectors = 0},
            .names = {.keep = 1, .drop = 0, .prefix = 0, .independent = 0}};
  }
  // The strictest disk: exactly what was synced is there.
  static constexpr CrashOptions DropAll() {
    return {.files = {.keep = 0, .drop = 1, .prefix = 0, .pages = 0, .sectors = 0},
            .names = {.keep = 0, .drop = 1, .prefix = 0, .independent = 0}};
  }
};

// Totals since the disk was made. Equal for equal runs.
struct DiskCounters {
  uint64_t operations = 0;  // mutating calls that found the power on
  uint64_t bytes_written = 0;
  uint64_t bytes_read = 0;
  uint64_t syncs = 0;  // of files
  uint64_t directory_syncs = 0;
  uint64_t crashes = 0;
  uint64_t power_cuts = 0;     // crashes that began in the middle of an operation
  uint64_t pages_kept = 0;     // unsynced pages that survived a crash in their newest form
  uint64_t pages_dropped = 0;  // ... that went back to their synced form
  uint64_t pages_torn = 0;     // ... that are neither
  uint64_t names_kept = 0;     // unsynced creations, renames and deletions that survived a crash
  uint64_t names_lost = 0;     // ... that were undone by it
  uint64_t refused_full = 0;   // writes cut short by a full disk
  uint64_t failed_syncs = 0;   // syncs that were told to fail
  uint64_t failed_calls = 0;   // reads and writes that were told to fail
  uint64_t kills = 0;          // processes that died while the machine went on
  uint64_t flips = 0;          // bits of the medium that changed by themselves
  friend bool operator==(const DiskCounters&, const DiskCounters&) = default;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_DISK_CRASH_OPTIONS_H_
