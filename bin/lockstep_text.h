// Text for people and for machines: bytes in some encoding, tables, amounts.
#ifndef LOCKSTEP_BIN_LOCKSTEP_TEXT_H_
#define LOCKSTEP_BIN_LOCKSTEP_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::bin {

enum class Encoding { kPlain, kBase64, kHex };

std::string Encode(absl::string_view bytes, Encoding encoding);
// InvalidArgument when the text is not of this encoding.
absl::StatusOr<std::string> Decode(absl::string_view text, Encoding encoding);

// Whether it is valid UTF-8 (RFC 3629).
bool IsUtf8(absl::string_view bytes);

// On one line, safe for a terminal, and readable back by Unescaped: UTF-8 stays; control
// characters, backslashes and bytes that are no UTF-8 become \n, \t, \\ or \xNN.
std::string Escaped(absl::string_view bytes);
// InvalidArgument for an unknown escape.
absl::StatusOr<std::string> Unescaped(absl::string_view text);

// Sets json[name] to the text, or json[name_base64] where the bytes are no UTF-8; `encoding` other
// than kPlain always makes it name_base64 or name_hex.
void SetBytes(nlohmann::ordered_json& json, const std::string& name, absl::string_view bytes,
              Encoding encoding);
// The bytes of a member that SetBytes has set; NotFound when there is none.
absl::StatusOr<std::string> GetBytes(const nlohmann::ordered_json& json, const std::string& name);

// One line, without its end. What is no UTF-8 becomes U+FFFD.
std::string Line(const nlohmann::ordered_json& json);

// Columns with two spaces between them; numbers are set to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  // As many cells as the header has. Control characters in them are escaped.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.size() == 1; }
  std::string Text() const;
  // Without the header, columns separated by tabs.
  std::string Plain() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string HumanBytes(uint64_t bytes);        // "12 B", "4.0 KiB", "1.5 GiB"
std::string HumanTime(uint64_t milliseconds);  // "12 ms", "3.4 s", "5 min", "2 h", "3 d"
// "0-15, 32, 40-41"; ascending numbers.
std::string Ranges(const std::vector<uint32_t>& numbers);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_TEXT_H_
