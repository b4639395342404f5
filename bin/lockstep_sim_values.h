// The values of options, from the text that a person typed. What is wrong with one is thrown as a
// CLI::ValidationError, with the option's name.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_VALUES_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace lockstep::bin {

[[noreturn]] void Refuse(const std::string& what);

// Digits only.
uint64_t ParseNumber(const std::string& option, absl::string_view text);
// "250k", "20M", "1G": in powers of `unit`, which is 1000 or 1024. At least 1.
uint64_t ParseAmount(const std::string& option, const std::string& text, uint64_t unit);
// "500ms", "30s", "2m", "1h"; whole numbers, at least 1.
Duration ParseDuration(const std::string& option, const std::string& text);
// How many processes; empty: one a core.
uint32_t ParseJobs(const std::string& text);

struct Range {
  uint64_t first;
  uint64_t final;
};
// "A..B", both included. `single` says what "N" alone means.
Range ParseRange(const std::string& option, const std::string& text, Range (*single)(uint64_t));

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_VALUES_H_
