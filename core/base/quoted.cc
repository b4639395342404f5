#include "core/base/quoted.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lockstep {

std::string Quoted(absl::string_view text) {
  constexpr size_t kShownBytesMax = 200;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kShownBytesMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      quoted += "\\n";
    } else if (absl::ascii_iscntrl(byte)) {
      absl::StrAppend(&quoted, "\\x", absl::Hex(byte, absl::kZeroPad2));
    } else {
      quoted.push_back(c);
    }
  }
  quoted += text.size() > kShownBytesMax ? "...\"" : "\"";
  return quoted;
}

}  // namespace lockstep
