// A source file as the rules see it: comments, string literals and code kept apart, so that a rule
// about code does not trip over a word in a comment.
#ifndef LOCKSTEP_TESTS_LINT_SOURCE_TEXT_H_
#define LOCKSTEP_TESTS_LINT_SOURCE_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace lockstep::lint {

// Every view has the length and the line ends of the original; what does not belong is blank.
// C++14's raw strings and digit separators are understood; trigraphs and spliced lines are not.
struct SourceText {
  std::string path;           // relative to the root of the tree, with "/"
  std::string text;           // all of it
  std::string code;           // without comments and without the contents of literals
  std::string with_strings;   // without comments
  std::string with_comments;  // without the contents of literals
};

SourceText MakeSourceText(absl::string_view path, absl::string_view text);

// The line, from 1, on which `offset` lies.
size_t LineOf(absl::string_view text, size_t offset);

// Lines without their ends. A last line without an end counts; nothing after the last end does not.
std::vector<absl::string_view> Lines(absl::string_view text);

// True for files that hold C++: the rules about code are for them.
bool IsCpp(absl::string_view path);

// Where `word` stands in `code` as a word of its own, at or after `from`; npos if nowhere. A "*" at
// the end of `word` allows any ending; a "(" at its end wants a call, and none through "." or "->".
size_t FindWord(absl::string_view code, absl::string_view word, size_t from = 0);

}  // namespace lockstep::lint

#endif  // LOCKSTEP_TESTS_LINT_SOURCE_TEXT_H_
