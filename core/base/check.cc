#include "core/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace lockstep {
namespace {
CheckHook hook_installed = nullptr;
}  // namespace

void SetCheckHook(CheckHook hook) { hook_installed = hook; }

void CheckFailed(absl::string_view what, const std::source_location& where) {
  std::fprintf(stderr, "%s:%u: %s: %.*s\n", where.file_name(), static_cast<unsigned>(where.line()),
               where.function_name(), static_cast<int>(what.size()), what.data());
  if (hook_installed != nullptr) hook_installed(what, where);
  std::abort();
}

}  // namespace lockstep
