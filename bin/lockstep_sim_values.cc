#include "bin/lockstep_sim_values.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace lockstep::bin {
namespace {

constexpr uint32_t kJobsMax = 1024;

}  // namespace

void Refuse(const std::string& what) { throw CLI::ValidationError(what); }

uint64_t ParseNumber(const std::string& option, absl::string_view text) {
  uint64_t number = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || !absl::SimpleAtoi(text, &number)) {
    Refuse(absl::StrCat(option, ": \"", text, "\" is not a number"));
  }
  return number;
}

uint64_t ParseAmount(const std::string& option, const std::string& text, uint64_t unit) {
  static const std::map<std::string, int> kPowers = {{"", 0},  {"k", 1}, {"K", 1}, {"m", 2},
                                                     {"M", 2}, {"g", 3}, {"G", 3}};
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto power = kPowers.find(text.substr(digits));
  if (digits == 0 || power == kPowers.end()) {
    Refuse(absl::StrCat(option, ": \"", text, "\" is not an amount such as 500k, 20M or 1G"));
  }
  uint64_t factor = 1;
  for (int i = 0; i < power->second; ++i) factor *= unit;
  const uint64_t number = ParseNumber(option, text.substr(0, digits));
  if (number == 0 || number > INT64_MAX / factor) {
    Refuse(absl::StrCat(option, ": ", text, " is out of range"));
  }
  return number * factor;
}

Range ParseRange(const std::string& option, const std::string& text, Range (*single)(uint64_t)) {
  const size_t dots = text.find("..");
  if (dots == text.npos) return single(ParseNumber(option, text));
  const Range range{ParseNumber(option, text.substr(0, dots)),
                    ParseNumber(option, text.substr(dots + 2))};
  if (range.first > range.final) {
    Refuse(absl::StrCat(option, ": ", text, " is empty: the first must not exceed the last"));
  }
  return range;
}

Duration ParseDuration(const std::string& option, const std::string& text) {
  static const std::map<std::string, int64_t> kUnits = {{"us", 1'000},
                                                        {"ms", 1'000'000},
                                                        {"s", 1'000'000'000},
                                                        {"m", 60'000'000'000},
                                                        {"h", 3'600'000'000'000}};
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto unit = kUnits.find(text.substr(digits));
  if (digits == 0 || unit == kUnits.end()) {
    Refuse(absl::StrCat(option, ": \"", text, "\" is not a time such as 500ms, 30s, 2m or 1h"));
  }
  const uint64_t number = ParseNumber(option, text.substr(0, digits));
  const auto most = static_cast<uint64_t>(INT64_MAX / 4 / unit->second);
  if (number == 0 || number > most) {
    Refuse(absl::StrCat(option, ": ", text, " is out of range: 1 to ", most, unit->first));
  }
  return Duration(static_cast<int64_t>(number) * unit->second);
}

uint32_t ParseJobs(const std::string& text) {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const uint64_t jobs = text.empty() ? cores : ParseNumber("--jobs", text);
  if (jobs < 1 || jobs > kJobsMax) {
    Refuse(absl::StrCat("--jobs: ", jobs, " is out of range: 1 to ", kJobsMax));
  }
  return static_cast<uint32_t>(jobs);
}

}  // namespace lockstep::bin
