// The rules of the house that a machine can check (docs/ARCHITECTURE.md, "Rules"). Each is a pure
// function from one file to its findings; lint_test runs them all over the tree, and over planted
// sins to show that they bite.
#ifndef LOCKSTEP_TESTS_LINT_RULES_H_
#define LOCKSTEP_TESTS_LINT_RULES_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tests/lint/source_text.h"

namespace lockstep::lint {

struct Finding {
  std::string path;
  size_t line = 0;      // from 1; 0: the file as a whole
  std::string rule;     // a short name, the same for every finding of a rule
  std::string message;  // what is wrong and what to do instead
  bool fatal = true;    // false: worth saying, not worth stopping for
  friend std::ostream& operator<<(std::ostream& os, const Finding& finding) {
    os << finding.path << ":" << finding.line << ": ";
    if (!finding.fatal) os << "warning: ";
    return os << finding.message << " [" << finding.rule << "]";
  }
};
using Findings = std::vector<Finding>;

// layers.cc: who may include whom.
void CheckLayers(const SourceText& source, Findings& out);
// bans.cc: what may not be written where, most of it for the sake of determinism.
void CheckBans(const SourceText& source, Findings& out);
// The same before the exceptions are taken out.
void FindBanned(const SourceText& source, Findings& out);

// The only places where a ban does not hold, each with its reason.
struct BanException {
  absl::string_view path;
  absl::string_view rule;
  absl::string_view reason;
};
absl::Span<const BanException> BanExceptions();

// draws.cc: one draw of chance per statement.
void CheckDraws(const SourceText& source, Findings& out);
// form.cc: length, include guards, opening comment, issue numbers.
void CheckForm(const SourceText& source, Findings& out);

// All of the above, for one file.
Findings CheckAll(const SourceText& source);

// The files under `root` that the rules are for (.h, .cc, .proto), relative to it and sorted. Build
// trees and hidden directories are left out.
std::vector<std::string> SourcesUnder(const std::string& root);

}  // namespace lockstep::lint

#endif  // LOCKSTEP_TESTS_LINT_RULES_H_
