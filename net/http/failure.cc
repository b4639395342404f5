#include "net/http/failure.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "net/http/cluster_view.h"

namespace lockstep::net::http {
namespace {

constexpr absl::string_view kCodePayload = "lockstep/http-code";
constexpr absl::string_view kRetryAfterSeconds = "1";

struct CodeStatus {
  absl::string_view code;
  int status;
};

// What is not here is a mistake of ours: 500.
constexpr CodeStatus kStatuses[] = {
    {"INVALID_REQUEST", 400},
    {"INVALID_VALUE", 400},
    {"INVALID_KEY", 400},
    {"INVALID_ARGUMENT", 400},
    {"TLS_REQUIRED", 400},
    {"UNAUTHENTICATED", 401},
    {"FORBIDDEN_ORIGIN", 403},
    {"PERMISSION_DENIED", 403},
    {"KEY_NOT_FOUND", 404},
    {"NOT_FOUND", 404},
    {"METHOD_NOT_ALLOWED", 405},
    {"TIMEOUT", 408},
    {"CONFLICT", 409},
    {"ALREADY_EXISTS", 409},
    {"FAILED_PRECONDITION", 409},
    {"SEQUENCE_STALE", 409},
    {"SESSION_UNKNOWN", 410},
    {"TOO_LARGE", 413},
    {"UNSUPPORTED_MEDIA_TYPE", 415},
    {"EXPECTATION_FAILED", 417},
    {"HEADER_TOO_LARGE", 431},
    {"NOT_IMPLEMENTED", 501},
    {"NOT_LEADER", 503},
    {"LEADERSHIP_LOST", 503},
    {"UNAVAILABLE", 503},
    {"OVERLOADED", 503},
    {"UNKNOWN_GROUP", 503},
    {"WRONG_GROUP", 503},
    {"HTTP_VERSION", 505},
    {"NO_SPACE", 507},
};

// For a reply whose result names no reason.
std::string CodeOfStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kDeadlineExceeded:
      return "TIMEOUT";
    case absl::StatusCode::kResourceExhausted:
      return "OVERLOADED";
    case absl::StatusCode::kOutOfRange:
      return "TOO_LARGE";
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kOk:
      return "INTERNAL";
    default: {
      const std::string name = absl::StatusCodeToString(code);
      return name.empty() ? "INTERNAL" : name;
    }
  }
}

// A newer node's code has no name here.
std::string NameOf(proto::Code code) {
  return proto::Code_IsValid(code) ? proto::Code_Name(code) : "INTERNAL";
}

}  // namespace

absl::string_view Name(Effect effect) { return effect == Effect::kNone ? "none" : "unknown"; }

absl::Status Refuse(absl::string_view code, absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kCodePayload, absl::Cord(code));
  return status;
}

Failure FailureOf(const absl::Status& status) {
  const auto code = status.GetPayload(kCodePayload);
  return Failure{.code = code.has_value() ? std::string(*code) : "INVALID_REQUEST",
                 .message = std::string(status.message())};
}

Failure FailureOf(const proto::GatewayReply& reply, CallKind kind) {
  Failure failure;
  const proto::Code code = reply.result().code();
  failure.code = code != proto::CODE_UNSPECIFIED && code != proto::OK
                     ? NameOf(code)
                     : CodeOfStatus(static_cast<absl::StatusCode>(reply.status()));
  failure.message = reply.message().empty() ? reply.result().message() : reply.message();
  if (failure.message.empty()) failure.message = failure.code;
  const bool unknown =
      kind == CallKind::kWrite && reply.kind() != proto::GatewayReply::NOT_EXECUTED;
  failure.effect = unknown ? Effect::kUnknown : Effect::kNone;
  failure.leader = reply.leader();
  if (!reply.groups().empty()) failure.extra = {{"groups", ChangesJson(reply)}};
  if (code == proto::NO_SPACE) {
    failure.extra = {{"free_bytes", reply.result().free_bytes()},
                     {"need_bytes", reply.result().need_bytes()}};
  }
  if (code == proto::OVERLOADED && !reply.result().which().empty()) {
    failure.extra = {{"which", reply.result().which()}, {"limit", reply.result().limit()}};
  }
  return failure;
}

Failure RefusalOf(const proto::Result& result) {
  Failure failure{.code = NameOf(result.code()), .message = result.message()};
  if (failure.message.empty()) failure.message = failure.code;
  return failure;
}

Failure RefusalOf(const absl::Status& judged) {
  return Failure{.code = CodeOfStatus(judged.code()), .message = std::string(judged.message())};
}

Failure SilenceFailure(Effect effect) {
  return Failure{
      .code = "TIMEOUT", .message = "the node has not answered in time", .effect = effect};
}

int StatusFor(absl::string_view code, Effect effect) {
  for (const CodeStatus& row : kStatuses) {
    if (row.code != code) continue;
    const bool may_be_executed =
        effect == Effect::kUnknown && (row.status == 408 || row.status == 503 || row.status == 507);
    return may_be_executed ? 504 : row.status;
  }
  return effect == Effect::kUnknown ? 504 : 500;
}

Response ToResponse(const Failure& failure) {
  Json body = {{"success", false},
               {"error", failure.message},
               {"code", failure.code},
               {"effect", std::string(Name(failure.effect))}};
  if (failure.leader != 0) body["leader"] = failure.leader;
  if (failure.extra.is_object()) body.update(failure.extra);
  Response response;
  response.status = StatusFor(failure.code, failure.effect);
  response.body = Dump(body);
  if (response.status == 401) {
    // A browser asks for Basic: any name, and the token as password.
    response.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"lockstep\"");
    response.fields.emplace_back("WWW-Authenticate", "Basic realm=\"lockstep\"");
  }
  if (response.status == 503) {
    response.fields.emplace_back("Retry-After", std::string(kRetryAfterSeconds));
  }
  return response;
}

}  // namespace lockstep::net::http
