#include "sim/check/linearizability/history.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace lockstep::linearizability {
namespace {

std::string Quote(absl::string_view bytes, size_t shown_max) {
  if (bytes.size() <= shown_max) return absl::StrCat("\"", absl::CHexEscape(bytes), "\"");
  // Appended values differ at their ends, so both ends are shown.
  const size_t half = shown_max / 2;
  return absl::StrCat("\"", absl::CHexEscape(bytes.substr(0, half)), "...",
                      absl::CHexEscape(bytes.substr(bytes.size() - half)), "\" (", bytes.size(),
                      " bytes)");
}

// The one register of a history without keys has the empty key, and words of its own.
bool OfRegister(const Operation& operation) { return operation.key.empty(); }

std::string Told(const Operation& operation, const Value& value, size_t shown_max) {
  if (value.has_value()) return Quote(value->view(), shown_max);
  return OfRegister(operation) ? "nil" : "missing";
}

std::string Call(const Operation& operation, size_t shown_max) {
  const bool registers = OfRegister(operation);
  const std::string key =
      registers ? "" : absl::StrCat(" ", Quote(operation.key.view(), shown_max));
  const std::string value = Told(operation, operation.value, shown_max);
  switch (operation.kind) {
    case Kind::kGet:
      return absl::StrCat(registers ? "read" : "get", key);
    case Kind::kPut:
      return registers ? absl::StrCat("write ", value) : absl::StrCat("put", key, " = ", value);
    case Kind::kAppend:
      return absl::StrCat("append", key, " += ", value);
    case Kind::kDelete:
      return registers ? "write nil" : absl::StrCat("delete", key);
    case Kind::kCompareAndSwap:
      return absl::StrCat("cas", key, " from ", Told(operation, operation.expected, shown_max),
                          " to ", value);
  }
  Check(false, "unknown kind");
  return "";
}

std::string Answer(const Operation& operation, size_t shown_max) {
  switch (operation.outcome) {
    case Outcome::kDone:
      return operation.kind == Kind::kGet ? Told(operation, operation.result, shown_max) : "ok";
    case Outcome::kMismatch:
      if (!operation.result_known) return "mismatch";
      return absl::StrCat("mismatch, found ", Told(operation, operation.result, shown_max));
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
                      operation.process, ": ", DescribeCall(operation));
}

std::string DescribeCall(const Operation& operation, size_t shown_max) {
  return absl::StrCat(Call(operation, shown_max), " -> ", Answer(operation, shown_max));
}

std::string Describe(const Value& value) {
  return value.has_value() ? Quote(value->view(), kShownBytesMax) : "missing";
}

}  // namespace lockstep::linearizability
