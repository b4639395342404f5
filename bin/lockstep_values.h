// The values of options of `lockstep`, from the text that a person typed. What is wrong with one is
// thrown as a CLI::ValidationError, with the option's name.
#ifndef LOCKSTEP_BIN_LOCKSTEP_VALUES_H_
#define LOCKSTEP_BIN_LOCKSTEP_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/types.h"

namespace lockstep::bin {

[[noreturn]] void Refuse(const std::string& what);

// Digits only, within these bounds.
uint64_t ParseNumber(const std::string& option, absl::string_view text, uint64_t low,
                     uint64_t high);
// "1000", "0.5": digits with a point among them if need be, within these bounds.
double ParseDecimal(const std::string& option, absl::string_view text, double low, double high);
// "500ms", "30s", "2m", "1h"; whole numbers, at least 1.
Duration ParseDuration(const std::string& option, const std::string& text);
// "256", "4k", "64M": in powers of 1024.
uint64_t ParseBytes(const std::string& option, const std::string& text, uint64_t high);
// Which of the words it is, from 0.
size_t OneOf(const std::string& option, absl::string_view text,
             std::initializer_list<absl::string_view> words);
// At commas; nothing empty. The views are into `text`.
std::vector<absl::string_view> SplitList(const std::string& option, absl::string_view text);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_VALUES_H_
