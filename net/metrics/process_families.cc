#include "net/metrics/process_families.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "net/metrics/status_families.h"

namespace lockstep::net::metrics {
namespace {

// Fields of /proc/self/stat, counted from 1 as proc(5) does.
constexpr size_t kUserTicks = 14;
constexpr size_t kSystemTicks = 15;
constexpr size_t kThreads = 20;
constexpr size_t kStartTicks = 22;
constexpr size_t kVirtualBytes = 23;
constexpr size_t kResidentPages = 24;
constexpr size_t kFields = 24;

// By their numbers; those before the state (the third) are left empty, for the name that is the
// second may hold anything.
std::optional<std::vector<double>> ReadStat() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  const size_t name_ends = text.rfind(')');
  if (name_ends == std::string::npos) return std::nullopt;
  std::istringstream words(text.substr(name_ends + 1));
  std::string state;
  words >> state;
  std::vector<double> fields(4, 0);
  double number = 0;
  while (fields.size() <= kFields && words >> number) fields.push_back(number);
  if (fields.size() <= kFields) return std::nullopt;
  return fields;
}

// When the machine was started, in seconds since 1970.
std::optional<double> ReadBootTime() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> CountOpenFiles() {
  std::error_code error;
  std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return std::nullopt;
  double count = 0;
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) ++count;
  return count;
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessFamilies() {
  std::vector<prometheus::MetricFamily> families;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  if (const auto stat = ReadStat(); stat.has_value()) {
    const auto& field = *stat;
    families.push_back(Counter("process_cpu_seconds_total", "CPU time, user and system.",
                               (field[kUserTicks] + field[kSystemTicks]) / ticks));
    families.push_back(
        Gauge("process_virtual_memory_bytes", "Virtual memory.", field[kVirtualBytes]));
    families.push_back(Gauge("process_resident_memory_bytes", "Resident memory.",
                             field[kResidentPages] * static_cast<double>(sysconf(_SC_PAGESIZE))));
    families.push_back(Gauge("process_threads", "Threads.", field[kThreads]));
    if (const auto boot = ReadBootTime(); boot.has_value()) {
      families.push_back(Gauge("process_start_time_seconds", "Since 1970, when the process began.",
                               *boot + field[kStartTicks] / ticks));
    }
  }
  if (const auto files = CountOpenFiles(); files.has_value()) {
    families.push_back(Gauge("process_open_fds", "Open file descriptors.", *files));
  }
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.push_back(Gauge("process_max_fds", "The limit on open file descriptors.",
                             static_cast<double>(limit.rlim_cur)));
  }
  return families;
}

}  // namespace lockstep::net::metrics
