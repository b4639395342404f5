// What other processes use of this machine.
#ifndef LOCKSTEP_BIN_PROCESS_USAGE_H_
#define LOCKSTEP_BIN_PROCESS_USAGE_H_

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep {

struct ProcessUsage {
  uint64_t cpu_us = 0;          // of all threads, ended ones too: user and system time
  uint64_t resident_bytes = 0;  // memory
};

// NotFound when there is no such process.
absl::StatusOr<ProcessUsage> UsageOf(pid_t pid);

// The same from the text of /proc/PID/stat.
absl::StatusOr<ProcessUsage> ParseStat(absl::string_view text, uint64_t ticks_per_second,
                                       uint64_t page_bytes);

// CPU time that this machine's processors have worked since it was started, all together.
absl::StatusOr<uint64_t> MachineCpuUs();
// The same from the text of /proc/stat.
absl::StatusOr<uint64_t> ParseMachineStat(absl::string_view text, uint64_t ticks_per_second);

}  // namespace lockstep

#endif  // LOCKSTEP_BIN_PROCESS_USAGE_H_
