#include "bin/lockstep_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/check.h"
#include "core/base/quoted.h"

namespace lockstep::bin {
namespace {

using nlohmann::ordered_json;

// How many bytes the UTF-8 character at the beginning has; 0: it is none (RFC 3629 §4).
size_t CharacterBytes(absl::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  const auto continues = [&](size_t i) { return (at(i) & 0xC0) == 0x80; };
  const int first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && at(1) < 0xA0;
    const bool surrogate = first == 0xED && at(1) > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && at(1) < 0x90;
    const bool beyond = first == 0xF4 && at(1) > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// U+0080 to U+009F: some terminals obey them, as others obey an escape and a letter.
bool IsC1Control(absl::string_view text) {
  return text.size() > 1 && text[0] == '\xC2' && (static_cast<uint8_t>(text[1]) & 0xE0) == 0x80;
}

bool IsHex(absl::string_view text) {
  return text.size() % 2 == 0 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

// A number, perhaps with a unit behind it: " KiB", " min".
constexpr size_t kUnitBytesMax = 4;
bool IsNumeric(const std::string& cell) {
  if (cell == "-") return true;
  const size_t end = std::min(cell.find_first_not_of("0123456789."), cell.size());
  return end > 0 && std::count(cell.begin(), cell.end(), '.') <= 1 &&
         (end == cell.size() || (cell[end] == ' ' && cell.size() - end <= kUnitBytesMax));
}

}  // namespace

std::string Encode(absl::string_view bytes, Encoding encoding) {
  if (encoding == Encoding::kBase64) return absl::Base64Escape(bytes);
  if (encoding == Encoding::kHex) return absl::BytesToHexString(bytes);
  return std::string(bytes);
}

absl::StatusOr<std::string> Decode(absl::string_view text, Encoding encoding) {
  std::string bytes(text);
  if (encoding == Encoding::kBase64 && !absl::Base64Unescape(text, &bytes)) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is no base64"));
  }
  if (encoding == Encoding::kHex) {
    if (!IsHex(text)) {
      return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is no hex"));
    }
    bytes = absl::HexStringToBytes(text);
  }
  return bytes;
}

bool IsUtf8(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = CharacterBytes(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string Escaped(absl::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t length = CharacterBytes(bytes);
    const auto first = static_cast<uint8_t>(bytes[0]);
    if (first == '\n') {
      text += "\\n";
    } else if (first == '\t') {
      text += "\\t";
    } else if (first == '\\') {
      text += "\\\\";
    } else if (length == 0 || first < 0x20 || first == 0x7F || IsC1Control(bytes)) {
      absl::StrAppendFormat(&text, "\\x%02x", first);
    } else {
      absl::StrAppend(&text, bytes.substr(0, length));
    }
    bytes.remove_prefix(IsC1Control(bytes) ? 1 : std::max<size_t>(length, 1));
  }
  return text;
}

absl::StatusOr<std::string> Unescaped(absl::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes.push_back(text[i]);
      continue;
    }
    const char kind = ++i < text.size() ? text[i] : '\0';
    if (kind == 'x' && i + 2 < text.size() && IsHex(text.substr(i + 1, 2))) {
      bytes += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else if (kind == 'n' || kind == 't' || kind == '\\') {
      bytes.push_back(kind == 'n' ? '\n' : kind == 't' ? '\t' : '\\');
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(text), " has an escape that is none of \\n, \\t, \\\\ and \\xNN"));
    }
  }
  return bytes;
}

void SetBytes(ordered_json& json, const std::string& name, absl::string_view bytes,
              Encoding encoding) {
  if (encoding == Encoding::kHex) {
    json[name + "_hex"] = Encode(bytes, Encoding::kHex);
  } else if (encoding == Encoding::kBase64 || !IsUtf8(bytes)) {
    json[name + "_base64"] = Encode(bytes, Encoding::kBase64);
  } else {
    json[name] = std::string(bytes);
  }
}

absl::StatusOr<std::string> GetBytes(const ordered_json& json, const std::string& name) {
  const std::pair<std::string, Encoding> names[] = {{name, Encoding::kPlain},
                                                    {name + "_base64", Encoding::kBase64},
                                                    {name + "_hex", Encoding::kHex}};
  for (const auto& [member, encoding] : names) {
    const auto found = json.find(member);
    if (found == json.end()) continue;
    if (!found->is_string()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", member, "\" is no text"));
    }
    return Decode(found->get_ref<const std::string&>(), encoding);
  }
  return absl::NotFoundError(absl::StrCat("\"", name, "\" is missing"));
}

std::string Line(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

// What nodes say of themselves may be anything.
void Table::Add(std::vector<std::string> cells) {
  CheckEq(cells.size(), rows_.front().size());
  for (std::string& cell : cells) {
    const bool plain = std::none_of(cell.begin(), cell.end(), [](char c) {
      return absl::ascii_iscntrl(static_cast<unsigned char>(c));
    });
    if (!plain) cell = Escaped(cell);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  std::vector<bool> right(widths.size(), rows_.size() > 1);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
      if (&row != &rows_.front() && !row[i].empty() && !IsNumeric(row[i])) right[i] = false;
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      absl::StrAppend(&line, i == 0 ? "" : "  ", right[i] ? padding : "", row[i],
                      right[i] ? "" : padding);
    }
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

std::string Table::Plain() const {
  std::string text;
  for (size_t i = 1; i < rows_.size(); ++i) {
    absl::StrAppend(&text, absl::StrJoin(rows_[i], "\t"), "\n");
  }
  return text;
}

std::string HumanBytes(uint64_t bytes) {
  if (bytes < 1024) return absl::StrCat(bytes, " B");
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; amount >= 1023.95; amount /= 1024) ++unit;
  return absl::StrFormat("%.1f %s", amount, kUnits[unit]);
}

std::string HumanTime(uint64_t milliseconds) {
  if (milliseconds < 1'000) return absl::StrCat(milliseconds, " ms");
  const uint64_t seconds = milliseconds / 1'000;
  if (seconds < 60) return absl::StrFormat("%d.%d s", seconds, milliseconds % 1'000 / 100);
  if (seconds < 3'600) return absl::StrCat(seconds / 60, " min");
  if (seconds < 86'400) return absl::StrCat(seconds / 3'600, " h");
  return absl::StrCat(seconds / 86'400, " d");
}

std::string Ranges(const std::vector<uint32_t>& numbers) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < numbers.size();) {
    size_t final = begin;
    while (final + 1 < numbers.size() && numbers[final + 1] == numbers[final] + 1) ++final;
    parts.push_back(begin == final ? absl::StrCat(numbers[begin])
                                   : absl::StrCat(numbers[begin], "-", numbers[final]));
    begin = final + 1;
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace lockstep::bin
