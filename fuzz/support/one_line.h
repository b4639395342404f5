// What people are to read of input that is refused.
#ifndef LOCKSTEP_FUZZ_SUPPORT_ONE_LINE_H_
#define LOCKSTEP_FUZZ_SUPPORT_ONE_LINE_H_

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"

namespace lockstep::fuzz {

// However long and odd the input: a terminal and a log take no harm.
inline constexpr size_t kLineBytesMax = 2048;

inline void CheckOneLine(absl::string_view text, size_t bytes_max = kLineBytesMax) {
  Check(!text.empty());
  CheckLe(text.size(), bytes_max);
  Check(std::none_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }));
}

// Refused, for the input's fault.
inline void CheckRefusal(const absl::Status& status) {
  Check(status.code() == absl::StatusCode::kInvalidArgument ||
        status.code() == absl::StatusCode::kOutOfRange);
  CheckOneLine(status.message());
}

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_ONE_LINE_H_
