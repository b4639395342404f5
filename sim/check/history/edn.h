// Reads EDN (Extensible Data Notation), as much of it as occurs in Jepsen's histories: all of the
// notation can be skipped, scalars and vectors can be looked at.
//
// Nothing is copied: what is read points into the text.
#ifndef LOCKSTEP_SIM_CHECK_HISTORY_EDN_H_
#define LOCKSTEP_SIM_CHECK_HISTORY_EDN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lockstep::history {

struct Datum {
  enum class Type : uint8_t {
    kNil,
    kNumber,
    kString,   // `text` is what stands between the quotes
    kKeyword,  // `text` without the colon
    kSymbol,   // and booleans
    kVector,   // or a list
    kOther,    // a map, a set, a tagged value, a character: `text` is empty
  };
  Type type = Type::kNil;
  bool escaped = false;  // of a string: there are backslashes in it
  absl::string_view text;
  std::vector<Datum> items;  // of a vector
};

class EdnReader {
 public:
  explicit EdnReader(absl::string_view text) : begin_(text.data()), rest_(text) {}

  // Whether only white space and comments are left.
  bool AtEnd();
  // Takes `delimiter` if it comes next.
  bool Consume(char delimiter);
  // Takes a tag, such as #jepsen.history.Op, if one comes next.
  bool ConsumeTag();
  // The next value. False: see error().
  [[nodiscard]] bool Read(Datum* datum) { return ReadAt(0, datum); }

  // What is wrong, with the column.
  const std::string& error() const { return error_; }

 private:
  bool Fail(absl::string_view what);
  void SkipBlank();
  bool ReadAt(int depth, Datum* datum);
  bool ReadString(Datum* datum);
  bool ReadItems(int depth, char close, Datum* datum);
  bool ReadDispatch(int depth, Datum* datum);  // what begins with #
  absl::string_view TakeToken();

  const char* const begin_;
  absl::string_view rest_;
  std::string error_;
};

// The bytes that a string with escapes stands for; nothing if an escape is none of EDN's.
std::optional<std::string> UnescapeEdn(absl::string_view text);

}  // namespace lockstep::history

#endif  // LOCKSTEP_SIM_CHECK_HISTORY_EDN_H_
