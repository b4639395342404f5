// Checks for our own mistakes. They are on in every build: a broken invariant stops the process,
// which is the safe failure. Input from the wire, the disk or a user meets validation and a Status
// instead.
#ifndef LOCKSTEP_CORE_BASE_CHECK_H_
#define LOCKSTEP_CORE_BASE_CHECK_H_

#include <source_location>
#include <sstream>
#include <string>

#include "absl/strings/string_view.h"

namespace lockstep {

// Prints `what` and where it happened to stderr and aborts. Called by the checks below.
[[noreturn]] void CheckFailed(absl::string_view what, const std::source_location& where);

// Gives tests and the simulator the last word before the abort, for instance to print the seed. The
// hook is the only mutable global of the core; it is set once at start. nullptr removes it.
using CheckHook = void (*)(absl::string_view what, const std::source_location& where);
// There is one hook: a later one replaces it.
void SetCheckHook(CheckHook hook);

// A broken invariant ends the process. `what` says which one, for whoever reads the last line.
inline void Check(bool ok, absl::string_view what = "check failed",
                  std::source_location where = std::source_location::current()) {
  if (!ok) [[unlikely]]
    CheckFailed(what, where);
}

// The comparing forms print both sides, so a failure says how wrong it was.
template <class A, class B>
[[noreturn]] void CheckComparisonFailed(const A& a, const char* relation, const B& b,
                                        const std::source_location& where) {
  std::ostringstream text;
  text << "check failed: " << a << " " << relation << " " << b;
  CheckFailed(text.str(), where);
}

// a == b.
template <class A, class B>
void CheckEq(const A& a, const B& b, std::source_location where = std::source_location::current()) {
  if (!(a == b)) [[unlikely]]
    CheckComparisonFailed(a, "==", b, where);
}

// a <= b.
template <class A, class B>
void CheckLe(const A& a, const B& b, std::source_location where = std::source_location::current()) {
  if (!(a <= b)) [[unlikely]]
    CheckComparisonFailed(a, "<=", b, where);
}

// a < b.
template <class A, class B>
void CheckLt(const A& a, const B& b, std::source_location where = std::source_location::current()) {
  if (!(a < b)) [[unlikely]]
    CheckComparisonFailed(a, "<", b, where);
}

}  // namespace lockstep

#endif  // LOCKSTEP_CORE_BASE_CHECK_H_
