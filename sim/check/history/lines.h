// The lines of a text, numbered, without copying them.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_LINES_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_LINES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace lockstep::history {

class LineReader {
 public:
  explicit LineReader(absl::string_view text) : rest_(text) {
    constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest_.substr(0, kByteOrderMark.size()) == kByteOrderMark)
      rest_.remove_prefix(kByteOrderMark.size());
  }

  // The next line that is not blank, without its end and the spaces around it. False: no more.
  bool Next(absl::string_view* line) {
    while (!rest_.empty()) {
      const void* const end = std::memchr(rest_.data(), '\n', rest_.size());
      const size_t size = end == nullptr
                              ? rest_.size()
                              : static_cast<size_t>(static_cast<const char*>(end) - rest_.data());
      *line = Trim(rest_.substr(0, size));
      rest_.remove_prefix(std::min(size + 1, rest_.size()));
      ++number_;
      if (!line->empty()) return true;
    }
    return false;
  }
  // Of the line that Next gave last.
  uint32_t number() const { return number_; }

 private:
  static bool Blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
  static absl::string_view Trim(absl::string_view line) {
    while (!line.empty() && Blank(line.front())) line.remove_prefix(1);
    while (!line.empty() && Blank(line.back())) line.remove_suffix(1);
    return line;
  }

  absl::string_view rest_;
  uint32_t number_ = 0;
};

// How many lines may be operations, for whoever wants to have room for them: none is told in fewer
// bytes, so that a file of empty lines asks for none.
inline size_t OperationLines(absl::string_view text) {
  constexpr size_t kOperationBytesMin = 16;
  const auto ends = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  return std::min(ends, text.size() / kOperationBytesMin) + 1;
}

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_LINES_H_
