#include "sim/check/history/edn.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lockstep::history {
namespace {

constexpr int kDepthMax = 64;

bool IsBlank(char c) {
  return c == ' ' || c == ',' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

bool EndsToken(char c) {
  switch (c) {
    case '"':
    case ';':
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
      return true;
    default:
      return IsBlank(c);
  }
}

bool IsNumber(absl::string_view token) {
  if (token.front() == '-' || token.front() == '+') token.remove_prefix(1);
  return !token.empty() && absl::ascii_isdigit(static_cast<unsigned char>(token.front()));
}

char CloseOf(char open) { return open == '(' ? ')' : open == '[' ? ']' : '}'; }

void AppendUtf8(uint32_t code, std::string* out) {
  const auto put = [&](uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
    return put(0x80 | (code & 0x3F));
  }
  if (code < 0x10000) {
    put(0xE0 | (code >> 12));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
  }
  put(0x80 | ((code >> 6) & 0x3F));
  put(0x80 | (code & 0x3F));
}

std::optional<uint32_t> ParseHex4(absl::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t code = 0;
  for (const char c : text.substr(0, 4)) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return std::nullopt;
    const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
    code = code * 16 + static_cast<uint32_t>(lower <= '9' ? lower - '0' : lower - 'a' + 10);
  }
  return code;
}

// \uXXXX, of which a surrogate pair is two. `*rest` begins behind the first "\u".
bool UnescapeUnicode(absl::string_view* rest, std::string* out) {
  std::optional<uint32_t> code = ParseHex4(*rest);
  if (!code.has_value()) return false;
  rest->remove_prefix(4);
  if (*code >= 0xDC00 && *code < 0xE000) return false;
  if (*code >= 0xD800 && *code < 0xDC00) {
    if (rest->substr(0, 2) != "\\u") return false;
    const std::optional<uint32_t> low = ParseHex4(rest->substr(2));
    if (!low.has_value() || *low < 0xDC00 || *low >= 0xE000) return false;
    rest->remove_prefix(6);
    code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
  }
  AppendUtf8(*code, out);
  return true;
}

}  // namespace

bool EdnReader::Fail(absl::string_view what) {
  if (error_.empty())
    error_ = absl::StrCat(what, " (column ", rest_.data() - begin_ + 1, " of the line)");
  return false;
}

void EdnReader::SkipBlank() {
  while (!rest_.empty()) {
    if (IsBlank(rest_.front())) {
      rest_.remove_prefix(1);
    } else if (rest_.front() == ';') {
      rest_.remove_prefix(rest_.size());
    } else {
      return;
    }
  }
}

bool EdnReader::AtEnd() {
  SkipBlank();
  return rest_.empty();
}

bool EdnReader::Consume(char delimiter) {
  SkipBlank();
  if (rest_.empty() || rest_.front() != delimiter) return false;
  rest_.remove_prefix(1);
  return true;
}

bool EdnReader::ConsumeTag() {
  SkipBlank();
  if (rest_.size() < 2 || rest_.front() != '#') return false;
  if (EndsToken(rest_[1]) || rest_[1] == '_') return false;
  rest_.remove_prefix(1);
  TakeToken();
  return true;
}

absl::string_view EdnReader::TakeToken() {
  size_t size = 0;
  while (size < rest_.size() && !EndsToken(rest_[size])) ++size;
  const absl::string_view token = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return token;
}

bool EdnReader::ReadAt(int depth, Datum* datum) {
  *datum = Datum();
  if (AtEnd()) return Fail("the line ends where a value should be");
  if (depth > kDepthMax) return Fail("values are nested too deeply");
  const char first = rest_.front();
  switch (first) {
    case '"':
      return ReadString(datum);
    case '[':
    case '(':
    case '{':
      rest_.remove_prefix(1);
      datum->type = first == '{' ? Datum::Type::kOther : Datum::Type::kVector;
      return ReadItems(depth, CloseOf(first), datum);
    case '#':
      return ReadDispatch(depth, datum);
    case ']':
    case ')':
    case '}':
      return Fail(absl::StrCat("an unexpected ", absl::string_view(&first, 1)));
    case '\\':
      // A character: the one behind the backslash belongs to it even if it would end a token.
      rest_.remove_prefix(rest_.size() > 1 ? 2 : 1);
      TakeToken();
      datum->type = Datum::Type::kOther;
      return true;
    default:
      break;
  }
  absl::string_view token = TakeToken();
  if (first == ':') {
    token.remove_prefix(1);
    if (token.empty()) return Fail("a colon without a keyword");
    datum->type = Datum::Type::kKeyword;
  } else if (IsNumber(token)) {
    datum->type = Datum::Type::kNumber;
  } else if (token != "nil") {
    datum->type = Datum::Type::kSymbol;
  }
  datum->text = token;
  return true;
}

bool EdnReader::ReadString(Datum* datum) {
  datum->type = Datum::Type::kString;
  for (size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == '\\') {
      datum->escaped = true;
      ++i;
    } else if (rest_[i] == '"') {
      datum->text = rest_.substr(1, i - 1);
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return Fail("a string without its closing quote");
}

bool EdnReader::ReadItems(int depth, char close, Datum* datum) {
  const bool keep = datum->type == Datum::Type::kVector;
  Datum item;
  while (!Consume(close)) {
    if (AtEnd()) return Fail(absl::StrCat("the line ends before ", absl::string_view(&close, 1)));
    if (!ReadAt(depth + 1, &item)) return false;
    if (keep) datum->items.push_back(std::move(item));
  }
  return true;
}

// #{set}, #_ discarded, #"a pattern", #tag value.
bool EdnReader::ReadDispatch(int depth, Datum* datum) {
  rest_.remove_prefix(1);
  if (rest_.empty()) return Fail("the line ends behind #");
  const char next = rest_.front();
  if (next == '"') {
    if (!ReadString(datum)) return false;
  } else if (next == '{') {
    rest_.remove_prefix(1);
    datum->type = Datum::Type::kOther;
    return ReadItems(depth, '}', datum);
  } else if (next == '_') {
    rest_.remove_prefix(1);
    return ReadAt(depth + 1, datum) && ReadAt(depth + 1, datum);
  } else {
    TakeToken();
    if (!ReadAt(depth + 1, datum)) return false;
  }
  *datum = Datum();
  datum->type = Datum::Type::kOther;
  return true;
}

std::optional<std::string> UnescapeEdn(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    if (text.empty()) return std::nullopt;
    const char escape = text.front();
    text.remove_prefix(1);
    constexpr absl::string_view kEscapes = "tnrbf\\\"'/";
    constexpr absl::string_view kBytes = "\t\n\r\b\f\\\"'/";
    if (escape == 'u') {
      if (!UnescapeUnicode(&text, &out)) return std::nullopt;
      continue;
    }
    const size_t known = kEscapes.find(escape);
    if (known == absl::string_view::npos) return std::nullopt;
    out.push_back(kBytes[known]);
  }
  return out;
}

}  // namespace lockstep::history
