#include "net/http/request_fields.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "net/http/failure.h"

namespace lockstep::net::http {
namespace {

constexpr absl::string_view kRaw = "application/octet-stream";
constexpr absl::string_view kSession = "Lockstep-Session";
constexpr absl::string_view kSequence = "Lockstep-Sequence";
constexpr absl::string_view kFirstOutstanding = "Lockstep-First-Outstanding";

absl::StatusOr<uint64_t> ParseNumber(absl::string_view what, absl::string_view text) {
  uint64_t number = 0;
  const bool digit = !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0]));
  if (!digit || !absl::SimpleAtoi(text, &number)) {
    return Refuse("INVALID_REQUEST",
                  absl::StrCat(what, " must be a number, not \"", text.substr(0, 64), "\""));
  }
  return number;
}

// Absent: nothing.
absl::StatusOr<std::optional<uint64_t>> NumberField(const Request& request,
                                                    absl::string_view name) {
  const std::string* text = request.Find(name);
  if (text == nullptr) return std::nullopt;
  absl::StatusOr<uint64_t> number = ParseNumber(absl::StrCat("header ", name), *text);
  if (!number.ok()) return number.status();
  return *number;
}

}  // namespace

absl::StatusOr<uint64_t> TimeoutMs(const Request& request, const HttpOptions& options) {
  absl::StatusOr<std::optional<uint64_t>> field = NumberField(request, "Lockstep-Timeout-Ms");
  if (!field.ok()) return field.status();
  std::optional<uint64_t> timeout = *field;
  if (const std::string* param = request.target.Find("timeout"); param != nullptr) {
    absl::StatusOr<uint64_t> number = ParseNumber("parameter timeout (in milliseconds)", *param);
    if (!number.ok()) return number.status();
    timeout = *number;
  }
  if (!timeout.has_value()) return options.request_timeout_ms;
  if (*timeout == 0 || *timeout > options.request_timeout_ms_max) {
    return Refuse("INVALID_REQUEST",
                  absl::StrCat("a timeout of ", *timeout, " ms is not between 1 and ",
                               options.request_timeout_ms_max, " (request_timeout_ms_max)"));
  }
  return *timeout;
}

absl::Status SetConsistency(const Request& request, proto::Query* query) {
  const std::string* text = request.target.Find("consistency");
  if (text == nullptr || *text == "linearizable") return absl::OkStatus();
  query->set_stale(*text == "stale");
  query->set_any_replica(*text == "follower");
  if (query->stale() || query->any_replica()) return absl::OkStatus();
  return Refuse("INVALID_REQUEST", "parameter consistency must be linearizable, stale or follower");
}

absl::Status SetSession(const Request& request, proto::Command* command) {
  absl::StatusOr<std::optional<uint64_t>> session = NumberField(request, kSession);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::optional<uint64_t>> sequence = NumberField(request, kSequence);
  if (!sequence.ok()) return sequence.status();
  absl::StatusOr<std::optional<uint64_t>> first = NumberField(request, kFirstOutstanding);
  if (!first.ok()) return first.status();
  if (!session->has_value() && !sequence->has_value() && !first->has_value()) {
    return absl::OkStatus();
  }
  if (session->value_or(0) == 0 || sequence->value_or(0) == 0) {
    return Refuse("INVALID_REQUEST",
                  "a write in a session has both headers, Lockstep-Session and Lockstep-Sequence, "
                  "each at least 1");
  }
  command->set_session(**session);
  command->set_sequence(**sequence);
  const uint64_t outstanding = first->value_or(0);
  command->set_first_outstanding(outstanding == 0 ? **sequence : outstanding);
  return absl::OkStatus();
}

absl::Status RefuseSession(const Request& request) {
  if (request.Find(kSession) == nullptr && request.Find(kSequence) == nullptr) {
    return absl::OkStatus();
  }
  return Refuse("INVALID_REQUEST",
                "a batch that is not atomic spreads over sessions: leave Lockstep-Session out, or "
                "send \"atomic\":true");
}

absl::StatusOr<bool> HasRawBody(const Request& request) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(request.Field("Content-Type"), absl::MaxSplits(';', 1));
  const absl::string_view type = absl::StripAsciiWhitespace(parts[0]);
  if (absl::EqualsIgnoreCase(type, kRaw)) return true;
  if (type.empty() || absl::EqualsIgnoreCase(type, "application/json") ||
      absl::EqualsIgnoreCase(type, "application/x-www-form-urlencoded")) {
    return false;
  }
  return Refuse("UNSUPPORTED_MEDIA_TYPE",
                absl::StrCat("Content-Type \"", type.substr(0, 64),
                             "\" is not taken: application/json or application/octet-stream"));
}

bool WantsRaw(const Request& request) {
  const absl::string_view accept = request.Field("Accept");
  const int raw = WeightOf(accept, kRaw);
  return raw > 0 && raw >= WeightOf(accept, "application/json");
}

absl::StatusOr<uint64_t> NumberArgument(const Request& request, absl::string_view what) {
  CheckEq(request.arguments.size(), size_t{1});
  return ParseNumber(what, request.arguments[0]);
}

}  // namespace lockstep::net::http
