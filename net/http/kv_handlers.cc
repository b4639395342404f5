// One key: get, put, delete, append, compare-and-swap.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/limits.h"
#include "net/http/calls.h"
#include "net/http/handlers.h"
#include "net/http/request_fields.h"

namespace lockstep::net::http {
namespace {

absl::StatusOr<std::string> KeyOf(const Request& request) {
  CheckEq(request.arguments.size(), size_t{1});
  const std::string& key = request.arguments[0];
  if (key.empty())
    return Refuse("INVALID_REQUEST", "the key is empty: keys have at least one byte");
  if (key.size() > kKeyBytesMax) {
    return Refuse("TOO_LARGE",
                  absl::StrCat("a key of ", key.size(), " bytes exceeds ", kKeyBytesMax));
  }
  return key;
}

absl::Status NothingExpires(absl::string_view what) {
  return Refuse("INVALID_REQUEST", absl::StrCat("keys do not expire here: leave ", what, " out"));
}

// The body: raw, or {"value": base64}.
absl::StatusOr<std::string> ReadValue(Request& request) {
  if (request.target.Find("ttl") != nullptr) return NothingExpires("parameter ttl");
  absl::StatusOr<bool> raw = HasRawBody(request);
  if (!raw.ok()) return raw.status();
  if (*raw) return std::move(request.body);
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (object->contains("ttl") && !object->at("ttl").is_null()) {
    return NothingExpires("\"ttl\"");
  }
  if (absl::Status s = OnlyMembers(*object, {"value", "ttl"}); !s.ok()) return s;
  absl::StatusOr<std::optional<std::string>> value = Base64Member(*object, "value");
  if (!value.ok()) return value.status();
  if (!value->has_value()) return Refuse("INVALID_REQUEST", "member \"value\" (base64) is missing");
  return **std::move(value);
}

absl::StatusOr<std::string> ValueOf(Request& request) {
  absl::StatusOr<std::string> value = ReadValue(request);
  if (value.ok() && value->size() > kValueBytesMax) {
    return Refuse("TOO_LARGE",
                  absl::StrCat("a value of ", value->size(), " bytes exceeds ", kValueBytesMax));
  }
  return value;
}

absl::StatusOr<proto::GatewayRequest> AskGet(Request& request) {
  absl::StatusOr<std::string> key = KeyOf(request);
  if (!key.ok()) return key.status();
  proto::GatewayRequest question;
  const absl::Status status = SetConsistency(request, question.mutable_query());
  if (!status.ok()) return status;
  question.mutable_query()->mutable_get()->set_key(*key);
  return question;
}

void LabelRead(const proto::Result& result, Response* response) {
  response->fields.emplace_back("Lockstep-Version", absl::StrCat(result.index()));
  if (result.stale()) response->fields.emplace_back("Lockstep-Stale", "true");
}

Response AnswerGet(const Request& request, proto::GatewayReply reply) {
  const proto::Result& result = reply.result();
  Response response;
  if (!result.has_value()) {
    response =
        ToResponse(Failure{.code = "KEY_NOT_FOUND",
                           .message = "there is no such key",
                           .extra = {{"version", result.index()}, {"stale", result.stale()}}});
  } else if (WantsRaw(request)) {
    response.content_type = "application/octet-stream";
    response.body = std::move(*reply.mutable_result()->mutable_value());
  } else {
    Json data;
    SetKey(request.arguments[0], &data);
    data["found"] = true;
    data["version"] = result.index();
    data["stale"] = result.stale();
    response = SuccessWith(data, "value", result.value());
  }
  LabelRead(result, &response);
  return response;
}

// One command for one key, in the caller's session if there is one.
template <class SetOperation>
absl::StatusOr<proto::GatewayRequest> AskWrite(Request& request, SetOperation set_operation) {
  absl::StatusOr<std::string> key = KeyOf(request);
  if (!key.ok()) return key.status();
  proto::GatewayRequest question;
  proto::Command* command = question.mutable_command();
  if (absl::Status s = SetSession(request, command); !s.ok()) return s;
  if (absl::Status s = set_operation(*std::move(key), command); !s.ok()) return s;
  return question;
}

absl::StatusOr<proto::GatewayRequest> AskPut(Request& request) {
  return AskWrite(request, [&](std::string key, proto::Command* command) -> absl::Status {
    absl::StatusOr<std::string> value = ValueOf(request);
    if (!value.ok()) return value.status();
    command->mutable_put()->set_key(std::move(key));
    command->mutable_put()->set_value(*std::move(value));
    return absl::OkStatus();
  });
}

absl::StatusOr<proto::GatewayRequest> AskAppend(Request& request) {
  return AskWrite(request, [&](std::string key, proto::Command* command) -> absl::Status {
    absl::StatusOr<std::string> value = ValueOf(request);
    if (!value.ok()) return value.status();
    command->mutable_append()->set_key(std::move(key));
    command->mutable_append()->set_value(*std::move(value));
    return absl::OkStatus();
  });
}

absl::StatusOr<proto::GatewayRequest> AskPost(Request& request) {
  const std::string* op = request.target.Find("op");
  if (op == nullptr || *op != "append") {
    return Refuse("INVALID_REQUEST",
                  "POST to a key takes ?op=append; PUT writes it, POST .../cas compares and swaps");
  }
  return AskAppend(request);
}

absl::StatusOr<proto::GatewayRequest> AskDelete(Request& request) {
  return AskWrite(request, [](std::string key, proto::Command* command) {
    command->mutable_delete_()->set_key(std::move(key));
    return absl::OkStatus();
  });
}

absl::StatusOr<proto::GatewayRequest> AskCompareAndSwap(Request& request) {
  return AskWrite(request, [&](std::string key, proto::Command* command) -> absl::Status {
    absl::StatusOr<Json> object = ParseObject(request.body);
    if (!object.ok()) return object.status();
    if (absl::Status s = OnlyMembers(*object, {"expected", "value"}); !s.ok()) return s;
    absl::StatusOr<std::optional<std::string>> expected = Base64Member(*object, "expected");
    if (!expected.ok()) return expected.status();
    absl::StatusOr<std::optional<std::string>> value = Base64Member(*object, "value");
    if (!value.ok()) return value.status();
    proto::CompareAndSwap& swap = *command->mutable_compare_and_swap();
    swap.set_key(std::move(key));
    if (expected->has_value()) swap.set_expected(**std::move(expected));
    if (value->has_value()) swap.set_value(**std::move(value));
    return absl::OkStatus();
  });
}

// What a comparison that failed found: "actual", null where there is no such key.
Failure ConflictOf(const proto::Result& result) {
  Failure failure = RefusalOf(result);
  if (failure.message == "CONFLICT") failure.message = "the key does not hold what was expected";
  Json actual = nullptr;
  if (result.has_value()) actual = Base64(result.value());
  failure.extra = {
      {"actual", std::move(actual)}, {"version", result.index()}, {"replayed", result.replayed()}};
  if (result.value_omitted()) failure.extra["actual_omitted"] = true;
  return failure;
}

AnswerGateway AnswerWrite(absl::string_view message) {
  return [message](const Request& request, proto::GatewayReply reply) {
    const proto::Result& result = reply.result();
    if (result.code() == proto::CONFLICT) return ToResponse(ConflictOf(result));
    if (result.code() != proto::OK) return ToResponse(RefusalOf(result));
    Json data = {{"success", true}, {"message", std::string(message)}};
    SetKey(request.arguments[0], &data);
    data["version"] = result.index();
    data["replayed"] = result.replayed();
    Response response = Success(data);
    response.fields.emplace_back("Lockstep-Version", absl::StrCat(result.index()));
    return response;
  };
}

}  // namespace

HandlerPtr MakeGetKey(const HandlerContext&) {
  return GatewayCall(CallKind::kRead, AskGet, AnswerGet);
}
HandlerPtr MakePutKey(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskPut, AnswerWrite("stored"));
}
HandlerPtr MakeDeleteKey(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskDelete, AnswerWrite("deleted"));
}
HandlerPtr MakeAppendKey(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskAppend, AnswerWrite("appended"));
}
HandlerPtr MakePostKey(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskPost, AnswerWrite("appended"));
}
HandlerPtr MakeCompareAndSwap(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskCompareAndSwap, AnswerWrite("swapped"));
}

}  // namespace lockstep::net::http
