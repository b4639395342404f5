#include "net/http/target.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace lockstep::net::http {
namespace {

std::optional<uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

absl::Status ParseParams(absl::string_view text, Target* target) {
  for (absl::string_view param : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const size_t equals = param.find('=');
    absl::StatusOr<std::string> name = PercentDecode(param.substr(0, equals));
    if (!name.ok()) return name.status();
    absl::StatusOr<std::string> value =
        PercentDecode(equals == param.npos ? absl::string_view() : param.substr(equals + 1));
    if (!value.ok()) return value.status();
    target->params.emplace_back(*std::move(name), *std::move(value));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> PercentDecode(absl::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes.push_back(text[i]);
      continue;
    }
    const std::optional<uint8_t> high = i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
    const std::optional<uint8_t> low = high.has_value() ? HexDigit(text[i + 2]) : std::nullopt;
    if (!low.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a '%' at offset ", i, " is not followed by two hexadecimal digits: write %25 for '%'"));
    }
    bytes.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return bytes;
}

std::string PercentEncode(absl::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      text.push_back(c);
      continue;
    }
    text.push_back('%');
    text.push_back(kDigits[byte / 16]);
    text.push_back(kDigits[byte % 16]);
  }
  return text;
}

const std::string* Target::Find(absl::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return &value;
  }
  return nullptr;
}

absl::StatusOr<uint64_t> Target::Number(absl::string_view name, uint64_t otherwise,
                                        uint64_t max) const {
  const std::string* text = Find(name);
  if (text == nullptr) return otherwise;
  uint64_t number = 0;
  if (text->empty() || !absl::ascii_isdigit(static_cast<unsigned char>(text->front())) ||
      !absl::SimpleAtoi(*text, &number) || number > max) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", name, " must be a number from 0 to ", max));
  }
  return number;
}

absl::StatusOr<bool> Target::Flag(absl::string_view name) const {
  const std::string* text = Find(name);
  if (text == nullptr || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  return absl::InvalidArgumentError(absl::StrCat("parameter ", name, " must be true or false"));
}

absl::StatusOr<Target> ParseTarget(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "http://") || absl::ConsumePrefix(&text, "https://")) {
    const size_t slash = text.find_first_of("/?");
    text = slash == text.npos ? absl::string_view("/") : text.substr(slash);
  }
  Target target;
  const size_t question = text.find('?');
  const absl::string_view path = text.substr(0, question);
  if (path.empty() || path.front() != '/') {
    return absl::InvalidArgumentError("the request target must be a path that begins with '/'");
  }
  target.path = std::string(path);
  if (path != "/") {
    for (absl::string_view segment : absl::StrSplit(path.substr(1), '/')) {
      absl::StatusOr<std::string> decoded = PercentDecode(segment);
      if (!decoded.ok()) return decoded.status();
      target.segments.push_back(*std::move(decoded));
    }
  }
  if (question == text.npos) return target;
  if (absl::Status s = ParseParams(text.substr(question + 1), &target); !s.ok()) return s;
  return target;
}

}  // namespace lockstep::net::http
