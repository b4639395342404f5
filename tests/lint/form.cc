// The outer form of a file: its length, its include guard, its opening words, and that what is left
// to do has an issue.
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/lint/rules.h"

namespace lockstep::lint {
namespace {

constexpr size_t kLinesAdvised = 400;
constexpr size_t kLinesMax = 600;

// LOCKSTEP_CORE_BASE_BYTES_H_ for core/base/bytes.h.
std::string GuardFor(absl::string_view path) {
  const std::string name = absl::StrReplaceAll(path, {{"/", "_"}, {".", "_"}, {"-", "_"}});
  return absl::StrCat("LOCKSTEP_", absl::AsciiStrToUpper(name), "_");
}

void CheckLength(const SourceText& source, Findings& out) {
  const size_t lines = Lines(source.text).size();
  if (lines <= kLinesAdvised) return;
  const bool fatal = lines > kLinesMax;
  out.push_back({source.path, lines, "length",
                 absl::StrCat(lines, " lines exceed ", fatal ? kLinesMax : kLinesAdvised,
                              ": split it by purpose"),
                 fatal});
}

void CheckGuard(const SourceText& source, Findings& out) {
  if (!absl::EndsWith(source.path, ".h")) return;
  const std::string guard = GuardFor(source.path);
  const std::string opening = absl::StrCat("#ifndef ", guard, "\n#define ", guard, "\n");
  if (!absl::StrContains(source.code, opening)) {
    out.push_back({source.path, 1, "guard", absl::StrCat("the include guard is ", guard)});
  }
  if (absl::StrContains(source.code, "#pragma once")) {
    out.push_back({source.path, 1, "guard", absl::StrCat("no #pragma once: ", guard)});
  }
}

// A header opens with what it is for; so does a message file.
void CheckOpening(const SourceText& source, Findings& out) {
  if (absl::EndsWith(source.path, ".cc") || absl::StartsWith(source.text, "//")) return;
  out.push_back({source.path, 1, "opening", "open the file with a comment: what is it for?"});
}

// "TODO(#12): ..." is fine: somebody can look up what is meant.
void CheckIssues(const SourceText& source, Findings& out) {
  for (absl::string_view word : {"TODO", "FIXME"}) {
    for (size_t at = FindWord(source.with_comments, word); at != absl::string_view::npos;
         at = FindWord(source.with_comments, word, at + 1)) {
      absl::string_view after = absl::string_view(source.with_comments).substr(at + word.size());
      if (after.size() > 2 && absl::StartsWith(after, "(#") &&
          absl::ascii_isdigit(static_cast<unsigned char>(after[2]))) {
        continue;
      }
      out.push_back({source.path, LineOf(source.text, at), "issue",
                     absl::StrCat(word, " wants an issue number: ", word, "(#12)")});
    }
  }
}

void CheckWhitespace(const SourceText& source, Findings& out) {
  if (absl::StrContains(source.text, '\r') || absl::StrContains(source.text, '\t')) {
    out.push_back({source.path, 0, "whitespace", "no tabs and no carriage returns"});
  }
  if (!source.text.empty() && source.text.back() != '\n') {
    out.push_back({source.path, 0, "whitespace", "the last line has no end"});
  }
}

}  // namespace

void CheckForm(const SourceText& source, Findings& out) {
  CheckLength(source, out);
  CheckGuard(source, out);
  CheckOpening(source, out);
  CheckIssues(source, out);
  CheckWhitespace(source, out);
}

}  // namespace lockstep::lint
