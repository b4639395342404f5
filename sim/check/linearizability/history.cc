#include "sim/check/linearizability/history.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace lockstep::linearizability {
namespace {

constexpr size_t kShownBytesMax = 48;

std::string Quote(absl::string_view bytes) {
  if (bytes.size() <= kShownBytesMax) return absl::StrCat("\"", absl::CHexEscape(bytes), "\"");
  // Appended values differ at their ends, so both ends are shown.
  const size_t half = kShownBytesMax / 2;
  return absl::StrCat("\"", absl::CHexEscape(bytes.substr(0, half)), "...",
                      absl::CHexEscape(bytes.substr(bytes.size() - half)), "\" (", bytes.size(),
                      " bytes)");
}

std::string Call(const Operation& operation) {
  const std::string key = Quote(operation.key.view());
  switch (operation.kind) {
    case Kind::kGet:
      return absl::StrCat("get ", key);
    case Kind::kPut:
      return absl::StrCat("put ", key, " = ", Describe(operation.value));
    case Kind::kAppend:
      return absl::StrCat("append ", key, " += ", Describe(operation.value));
    case Kind::kDelete:
      return absl::StrCat("delete ", key);
    case Kind::kCompareAndSwap:
      return absl::StrCat("cas ", key, " from ", Describe(operation.expected), " to ",
                          Describe(operation.value));
  }
  Check(false, "unknown kind");
  return "";
}

std::string Answer(const Operation& operation) {
  switch (operation.outcome) {
    case Outcome::kDone:
      return operation.kind == Kind::kGet ? Describe(operation.result) : "ok";
    case Outcome::kMismatch:
      if (!operation.result_known) return "mismatch";
      return absl::StrCat("mismatch, found ", Describe(operation.result));
    case Outcome::kUnknown:
      return "unknown";
  }
  Check(false, "unknown outcome");
  return "";
}

// What is wrong with the operation, or nothing.
absl::string_view Fault(const Operation& operation) {
  const bool writes = operation.kind == Kind::kPut || operation.kind == Kind::kAppend;
  if (writes && !operation.value.has_value()) return "a put or append needs a value";
  if (operation.outcome == Outcome::kMismatch && operation.kind != Kind::kCompareAndSwap)
    return "only a compare-and-swap can end with a mismatch";
  if (operation.open()) return "";
  if (operation.kind == Kind::kGet && !operation.result_known)
    return "a get that was answered needs its result";
  if (operation.returned == kNever) return "an answered operation needs the time of its return";
  if (operation.returned < operation.invoked) return "it returns before it is invoked";
  return "";
}

}  // namespace

absl::Status Validate(const History& history) {
  if (history.operations.size() >= UINT32_MAX / 4)
    return absl::InvalidArgumentError("more than 2^30 operations");
  for (size_t i = 0; i < history.operations.size(); ++i) {
    const absl::string_view fault = Fault(history.operations[i]);
    if (!fault.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("operation ", i, ", ", Describe(history.operations[i]), ": ", fault));
    }
  }
  return absl::OkStatus();
}

std::string Describe(const Operation& operation) {
  const std::string until =
      operation.open() ? "open" : absl::StrCat(operation.returned.time_since_epoch().count());
  return absl::StrCat("[", operation.invoked.time_since_epoch().count(), ", ", until, "] process ",
                      operation.process, ": ", Call(operation), " -> ", Answer(operation));
}

std::string Describe(const Value& value) {
  return value.has_value() ? Quote(value->view()) : "missing";
}

}  // namespace lockstep::linearizability
