// The part of TOML that our files use: `key = value` lines and comments, where a value is a string,
// a number, true, false or an array of these. No tables, no nesting.
#ifndef LOCKSTEP_BIN_TOML_H_
#define LOCKSTEP_BIN_TOML_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::toml {

struct Entry {
  size_t line = 0;  // of the file, from 1
  std::string key;
  std::vector<std::string> values;  // one, unless it is an array; without quotes and escapes
};

// An error is one line that begins with the number of the line it is about. A key that occurs
// twice is an error.
absl::StatusOr<std::vector<Entry>> Parse(absl::string_view text);

// As a quoted string that Parse reads back.
std::string Quote(absl::string_view text);

}  // namespace lockstep::toml

#endif  // LOCKSTEP_BIN_TOML_H_
