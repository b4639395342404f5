#include "bin/lockstep_values.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace lockstep::bin {

// lockstep-sim has a function of this name too, in a program of its own.
void Refuse(const std::string& what) { throw CLI::ValidationError(what); }

uint64_t ParseNumber(const std::string& option, absl::string_view text, uint64_t low,
                     uint64_t high) {
  uint64_t number = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  if (!digits || !absl::SimpleAtoi(text, &number)) {
    Refuse(absl::StrCat(option, ": \"", text, "\" is not a number"));
  }
  if (number < low || number > high) {
    Refuse(absl::StrCat(option, ": ", text, " is out of range: ", low, " to ", high));
  }
  return number;
}

double ParseDecimal(const std::string& option, absl::string_view text, double low, double high) {
  double number = 0;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789.") == text.npos;
  if (!digits || !absl::SimpleAtod(text, &number)) {
    Refuse(absl::StrCat(option, ": \"", text, "\" is not a number"));
  }
  if (number < low || number > high) {
    Refuse(absl::StrCat(option, ": ", text, " is out of range: ", low, " to ",
                        absl::StrFormat("%.0f", high)));
  }
  return number;
}

Duration ParseDuration(const std::string& option, const std::string& text) {
  static constexpr std::pair<absl::string_view, int64_t> kUnits[] = {{"us", 1'000},
                                                                     {"ms", 1'000'000},
                                                                     {"s", 1'000'000'000},
                                                                     {"m", 60'000'000'000},
                                                                     {"h", 3'600'000'000'000}};
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const absl::string_view unit = absl::string_view(text).substr(digits);
  for (const auto& [name, nanoseconds] : kUnits) {
    if (digits == 0 || unit != name) continue;
    const auto most = static_cast<uint64_t>(INT64_MAX / 4 / nanoseconds);
    const uint64_t number = ParseNumber(option, absl::string_view(text).substr(0, digits), 1, most);
    return Duration(static_cast<int64_t>(number) * nanoseconds);
  }
  Refuse(absl::StrCat(option, ": \"", text, "\" is not a time such as 500ms, 30s, 2m or 1h"));
}

uint64_t ParseBytes(const std::string& option, const std::string& text, uint64_t high) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = text.substr(digits);
  const size_t power = unit.empty() ? 0 : 1 + OneOf(option, unit, {"k", "M", "G"});
  const uint64_t factor = uint64_t{1} << (10 * power);
  return factor * ParseNumber(option, absl::string_view(text).substr(0, digits), 0, high / factor);
}

size_t OneOf(const std::string& option, absl::string_view text,
             std::initializer_list<absl::string_view> words) {
  const auto found = std::find(words.begin(), words.end(), text);
  if (found == words.end()) {
    Refuse(absl::StrCat(option, ": \"", text, "\" is none of ", absl::StrJoin(words, ", ")));
  }
  return static_cast<size_t>(found - words.begin());
}

std::vector<absl::string_view> SplitList(const std::string& option, absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ',');
  for (absl::string_view part : parts) {
    if (part.empty()) Refuse(absl::StrCat(option, ": \"", text, "\" has nothing between commas"));
  }
  return parts;
}

}  // namespace lockstep::bin
