// One line of a JSON history as a table of its fields. No field may be there twice, none is ignored
// unless it is "note", and the values of all others are scalars.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_JSON_LINE_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_JSON_LINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace lockstep::history {

enum class Field : uint8_t {
  kProcess,
  kOp,
  kType,
  kOutcome,
  kStart,
  kEnd,
  kKey,
  kKeyBase64,
  kValue,
  kValueBase64,
  kExpected,
  kExpectedBase64,
  kResult,
  kResultBase64,
  kNote,
  kFormat,
  kVersion,
  kModel,
  kInitial,
  kInitialBase64,
};
inline constexpr size_t kFields = 20;

absl::string_view Name(Field field);

class JsonLine {
 public:
  enum class Kind : uint8_t { kAbsent, kNull, kString, kNumber, kBoolean, kStructure };

  // Takes the line. Returns what is wrong with it; empty: nothing.
  [[nodiscard]] std::string Parse(absl::string_view line);

  Kind kind(Field field) const { return kinds_[static_cast<size_t>(field)]; }
  bool has(Field field) const { return kind(field) != Kind::kAbsent; }
  // Of a string its content, of a number or a boolean as it is written; else empty.
  absl::string_view text(Field field) const {
    return has(field) ? absl::string_view(texts_[static_cast<size_t>(field)]) : "";
  }

 private:
  friend class JsonLineHandler;

  std::array<Kind, kFields> kinds_ = {};
  std::array<std::string, kFields> texts_;
};

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_JSON_LINE_H_
