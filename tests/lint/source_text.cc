#include "tests/lint/source_text.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace lockstep::lint {
namespace {

bool IsWordChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Where the comment that begins at `at` ends.
size_t CommentEnd(absl::string_view text, size_t at) {
  if (text[at + 1] == '/') return std::min(text.find('\n', at), text.size());
  const size_t end = text.find("*/", at + 2);
  return end == absl::string_view::npos ? text.size() : end + 2;
}

// Where the plain literal whose opening quote is at `at` ends, its closing quote excluded. A
// literal never crosses a line: a lone quote spoils one line at most.
size_t QuotedEnd(absl::string_view text, size_t at) {
  size_t i = at + 1;
  while (i < text.size() && text[i] != text[at] && text[i] != '\n') i += text[i] == '\\' ? 2u : 1u;
  return std::min(i, text.size());
}

// The same for R"delimiter( ... )delimiter".
size_t RawEnd(absl::string_view text, size_t at) {
  const size_t open = text.find('(', at);
  if (open == absl::string_view::npos) return text.size();
  const std::string close = absl::StrCat(")", text.substr(at + 1, open - at - 1), "\"");
  const size_t end = text.find(close, open);
  return end == absl::string_view::npos ? text.size() : end + close.size() - 1;
}

bool OpensComment(absl::string_view text, size_t at) {
  return text[at] == '/' && at + 1 < text.size() && (text[at + 1] == '/' || text[at + 1] == '*');
}

bool OpensLiteral(absl::string_view text, size_t at) {
  if (text[at] == '"') return true;
  // A quote inside a number separates digits; after a letter it can only be a prefix (u8'a').
  if (text[at] != '\'') return false;
  return at == 0 || !absl::ascii_isxdigit(static_cast<unsigned char>(text[at - 1]));
}

void Blank(std::string& view, size_t from, size_t until) {
  for (size_t i = from; i < until; ++i) {
    if (view[i] != '\n') view[i] = ' ';
  }
}

bool IsIncludeLine(absl::string_view text, size_t at) {
  const size_t line_end = text.rfind('\n', at);
  const size_t begin = line_end == absl::string_view::npos ? 0 : line_end + 1;
  const absl::string_view head = absl::StripAsciiWhitespace(text.substr(begin, at - begin));
  return absl::StartsWith(head, "#") || absl::StartsWith(head, "import");
}

}  // namespace

SourceText MakeSourceText(absl::string_view path, absl::string_view text) {
  const std::string all(text);
  SourceText source{.path = std::string(path),
                    .text = all,
                    .code = all,
                    .with_strings = all,
                    .with_comments = all};
  size_t i = 0;
  while (i < text.size()) {
    if (OpensComment(text, i)) {
      const size_t end = CommentEnd(text, i);
      Blank(source.code, i, end);
      Blank(source.with_strings, i, end);
      i = end;
    } else if (OpensLiteral(text, i)) {
      const bool raw = text[i] == '"' && i > 0 && text[i - 1] == 'R';
      const size_t end = raw ? RawEnd(text, i) : QuotedEnd(text, i);
      if (!IsIncludeLine(text, i)) {
        Blank(source.code, i + 1, end);
        Blank(source.with_comments, i + 1, end);
      }
      i = end + 1;
    } else {
      ++i;
    }
  }
  return source;
}

size_t LineOf(absl::string_view text, size_t offset) {
  const absl::string_view head = text.substr(0, offset);
  return static_cast<size_t>(std::count(head.begin(), head.end(), '\n')) + 1;
}

std::vector<absl::string_view> Lines(absl::string_view text) {
  std::vector<absl::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool IsCpp(absl::string_view path) {
  return absl::EndsWith(path, ".h") || absl::EndsWith(path, ".cc");
}

size_t FindWord(absl::string_view code, absl::string_view word, size_t from) {
  const bool any_ending = absl::EndsWith(word, "*");
  const bool call = absl::EndsWith(word, "(");
  const absl::string_view stem = word.substr(0, word.size() - (any_ending || call ? 1 : 0));
  for (size_t at = code.find(stem, from); at != absl::string_view::npos;
       at = code.find(stem, at + 1)) {
    const absl::string_view before = code.substr(0, at);
    if (at > 0 && IsWordChar(code[at - 1]) && IsWordChar(stem[0])) continue;
    if (call && (absl::EndsWith(before, ".") || absl::EndsWith(before, "->"))) continue;
    absl::string_view after = code.substr(at + stem.size());
    if (!any_ending && !after.empty() && IsWordChar(after[0]) && IsWordChar(stem.back())) continue;
    if (call && !absl::StartsWith(absl::StripLeadingAsciiWhitespace(after), "(")) continue;
    return at;
  }
  return absl::string_view::npos;
}

}  // namespace lockstep::lint
