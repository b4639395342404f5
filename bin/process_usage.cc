#include "bin/process_usage.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bin/atomic_file.h"

namespace lockstep {

absl::StatusOr<ProcessUsage> ParseStat(absl::string_view text, uint64_t ticks_per_second,
                                       uint64_t page_bytes) {
  // The second field is the name in parentheses, which may hold anything; proc(5).
  const size_t name_end = text.rfind(')');
  const std::vector<absl::string_view> fields =
      name_end == absl::string_view::npos
          ? std::vector<absl::string_view>()
          : absl::StrSplit(text.substr(name_end + 1), ' ', absl::SkipWhitespace());
  constexpr size_t kUser = 14 - 3;
  constexpr size_t kSystem = 15 - 3;
  constexpr size_t kResident = 24 - 3;
  uint64_t user = 0;
  uint64_t system = 0;
  uint64_t pages = 0;
  if (fields.size() <= kResident || !absl::SimpleAtoi(fields[kUser], &user) ||
      !absl::SimpleAtoi(fields[kSystem], &system) || !absl::SimpleAtoi(fields[kResident], &pages)) {
    return absl::InvalidArgumentError("this is no /proc/PID/stat");
  }
  return ProcessUsage{.cpu_us = (user + system) * 1'000'000 / ticks_per_second,
                      .resident_bytes = pages * page_bytes};
}

absl::StatusOr<ProcessUsage> UsageOf(pid_t pid) {
  const absl::StatusOr<std::string> text =
      ReadSmallFile(absl::StrCat("/proc/", pid, "/stat"), 4096);
  if (!text.ok()) return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  return ParseStat(*text, static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)),
                   static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
}

absl::StatusOr<uint64_t> ParseMachineStat(absl::string_view text, uint64_t ticks_per_second) {
  // "cpu user nice system idle iowait irq softirq steal guest guest_nice": guests are in user.
  const std::vector<absl::string_view> fields =
      absl::StrSplit(text.substr(0, text.find('\n')), ' ', absl::SkipWhitespace());
  uint64_t busy = 0;
  for (size_t i : {1u, 2u, 3u, 6u, 7u}) {
    uint64_t ticks = 0;
    if (i >= fields.size() || !absl::SimpleAtoi(fields[i], &ticks)) {
      return absl::InvalidArgumentError("this is no /proc/stat");
    }
    busy += ticks;
  }
  return busy * 1'000'000 / ticks_per_second;
}

absl::StatusOr<uint64_t> MachineCpuUs() {
  const absl::StatusOr<std::string> text = ReadSmallFile("/proc/stat", size_t{4} << 20);
  if (!text.ok()) return text.status();
  return ParseMachineStat(*text, static_cast<uint64_t>(::sysconf(_SC_CLK_TCK)));
}

}  // namespace lockstep
