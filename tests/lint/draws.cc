// One draw of chance per statement: the order in which arguments are evaluated is the compiler's,
// so two draws in one statement may swap between g++ and clang. The other nets see this only when
// the two happen to differ.
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "tests/lint/rules.h"

namespace lockstep::lint {
namespace {

// Whether the "(" that follows `head` opens the arguments of a draw: rng.Below(, rng->Chance(.
bool IsDraw(absl::string_view head) {
  for (absl::string_view name : {"Below", "Between", "Chance", "Magnitude"}) {
    if (!absl::EndsWith(head, name)) continue;
    head.remove_suffix(name.size());
    return absl::EndsWith(head, ".") || absl::EndsWith(head, "->");
  }
  return false;
}

// Whether it opens a condition, which is over before what it governs begins.
bool IsCondition(absl::string_view head) {
  head = absl::StripTrailingAsciiWhitespace(head);
  for (absl::string_view keyword : {"if", "while", "for", "switch"}) {
    if (absl::EndsWith(head, keyword) &&
        FindWord(head, keyword, head.size() - keyword.size()) != absl::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

void CheckDraws(const SourceText& source, Findings& out) {
  if (!IsCpp(source.path)) return;
  if (!absl::StartsWith(source.path, "core/") && !absl::StartsWith(source.path, "sim/")) return;
  const absl::string_view code = source.code;
  std::vector<bool> conditions;  // one for each open parenthesis
  size_t draws = 0;              // in the statement so far
  for (size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '(') {
      const absl::string_view head = code.substr(0, i);
      conditions.push_back(IsCondition(head));
      if (!IsDraw(head) || ++draws != 2) continue;
      out.push_back({source.path, LineOf(code, i), "one_draw",
                     "one draw per statement: argument order is the compiler's"});
    } else if (c == ')' && !conditions.empty()) {
      if (conditions.back()) draws = 0;
      conditions.pop_back();
    } else if (c == ';' || ((c == '{' || c == '}') && conditions.empty())) {
      draws = 0;
    }
  }
}

}  // namespace lockstep::lint
