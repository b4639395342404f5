// Several keys: writes, all or nothing or each on its own, and reads.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/limits.h"
#include "net/http/calls.h"
#include "net/http/handlers.h"
#include "net/http/request_fields.h"

namespace lockstep::net::http {
namespace {

absl::StatusOr<std::string> RequiredValue(const Json& object) {
  absl::StatusOr<std::optional<std::string>> value = Base64Member(object, "value");
  if (!value.ok()) return value.status();
  if (!value->has_value()) return Refuse("INVALID_REQUEST", "member \"value\" (base64) is missing");
  return **std::move(value);
}

absl::Status ReadSwap(const Json& object, std::string key, proto::CompareAndSwap* swap) {
  absl::StatusOr<std::optional<std::string>> expected = Base64Member(object, "expected");
  if (!expected.ok()) return expected.status();
  absl::StatusOr<std::optional<std::string>> value = Base64Member(object, "value");
  if (!value.ok()) return value.status();
  swap->set_key(std::move(key));
  if (expected->has_value()) swap->set_expected(**std::move(expected));
  if (value->has_value()) swap->set_value(**std::move(value));
  return absl::OkStatus();
}

absl::Status ReadOperation(const Json& object, proto::BatchOperation* operation) {
  if (!object.is_object()) {
    return Refuse("INVALID_REQUEST", "it must be an object like {\"op\":\"put\",\"key\":...}");
  }
  absl::StatusOr<std::optional<std::string>> op = TextMember(object, "op");
  if (!op.ok()) return op.status();
  const std::string name = op->value_or("");
  const bool swap = name == "cas";
  const bool remove = name == "delete";
  if (absl::Status s = swap ? OnlyMembers(object, {"op", "key", "key_base64", "expected", "value"})
                       : remove ? OnlyMembers(object, {"op", "key", "key_base64"})
                                : OnlyMembers(object, {"op", "key", "key_base64", "value"});
      !s.ok()) {
    return s;
  }
  absl::StatusOr<std::string> key = KeyMember(object);
  if (!key.ok()) return key.status();
  if (remove) {
    operation->mutable_delete_()->set_key(*std::move(key));
    return absl::OkStatus();
  }
  if (swap) return ReadSwap(object, *std::move(key), operation->mutable_compare_and_swap());
  if (name != "put" && name != "append") {
    return Refuse("INVALID_REQUEST", "member \"op\" must be put, append, delete or cas");
  }
  absl::StatusOr<std::string> value = RequiredValue(object);
  if (!value.ok()) return value.status();
  if (name == "put") {
    operation->mutable_put()->set_key(*std::move(key));
    operation->mutable_put()->set_value(*std::move(value));
  } else {
    operation->mutable_append()->set_key(*std::move(key));
    operation->mutable_append()->set_value(*std::move(value));
  }
  return absl::OkStatus();
}

// `what` and the code of `status`, with the place of the operation before its message.
absl::Status At(size_t i, const absl::Status& status) {
  const Failure failure = FailureOf(status);
  return Refuse(failure.code, absl::StrCat("operation ", i, ": ", failure.message));
}

absl::Status ReadOperations(const Json& array,
                            google::protobuf::RepeatedPtrField<proto::BatchOperation>* operations) {
  if (array.empty()) return Refuse("INVALID_REQUEST", "\"operations\" is empty");
  if (array.size() > kBatchOperationsMax) {
    return Refuse("TOO_LARGE", absl::StrCat(array.size(), " operations exceed ",
                                            kBatchOperationsMax, " of one batch: send several"));
  }
  for (size_t i = 0; i < array.size(); ++i) {
    if (absl::Status s = ReadOperation(array[i], operations->Add()); !s.ok()) return At(i, s);
  }
  return absl::OkStatus();
}

absl::StatusOr<proto::GatewayRequest> AskBatch(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"atomic", "operations"}); !s.ok()) return s;
  absl::StatusOr<std::optional<bool>> atomic = BoolMember(*object, "atomic");
  if (!atomic.ok()) return atomic.status();
  absl::StatusOr<const Json*> array = ArrayMember(*object, "operations");
  if (!array.ok()) return array.status();
  if (*array == nullptr) return Refuse("INVALID_REQUEST", "member \"operations\" is missing");
  proto::GatewayRequest question;
  absl::Status status;
  if (atomic->value_or(false)) {
    proto::Command* command = question.mutable_command();
    status = SetSession(request, command);
    if (!status.ok()) return status;
    status = ReadOperations(**array, command->mutable_batch()->mutable_operations());
  } else {
    status = RefuseSession(request);
    if (!status.ok()) return status;
    status = ReadOperations(**array, question.mutable_bulk()->mutable_operations());
  }
  if (!status.ok()) return status;
  return question;
}

Response AnswerAtomic(const proto::Result& result) {
  if (result.code() != proto::OK) {
    Failure failure = RefusalOf(result);
    failure.message = absl::StrCat("nothing was written: operation ", result.failed_operation(),
                                   ": ", failure.message);
    failure.extra = {{"failed_operation", result.failed_operation()},
                     {"version", result.index()},
                     {"replayed", result.replayed()}};
    return ToResponse(failure);
  }
  return Success(
      {{"committed", true}, {"version", result.index()}, {"replayed", result.replayed()}});
}

Json OutcomeOf(const proto::GatewayReply& each) {
  const proto::Result& result = each.result();
  if (each.kind() == proto::GatewayReply::OK && result.code() != proto::CONFLICT) {
    return {{"outcome", "executed"}, {"version", result.index()}};
  }
  const bool conflict = each.kind() == proto::GatewayReply::OK;
  const bool none = each.kind() == proto::GatewayReply::NOT_EXECUTED;
  const Failure failure = conflict ? RefusalOf(result) : FailureOf(each, CallKind::kWrite);
  return {{"outcome", conflict ? "conflict"
                      : none   ? "not_executed"
                               : "unknown"},
          {"code", failure.code},
          {"error", failure.message}};
}

// 207 when not all were executed: a caller that looks at nothing but 200 must not take it for done.
Response AnswerBulk(const proto::GatewayReply& reply) {
  Json outcomes = Json::array();
  size_t executed = 0;
  bool unknown = false;
  for (const proto::GatewayReply& each : reply.each()) {
    outcomes.push_back(OutcomeOf(each));
    if (outcomes.back()["outcome"] == "executed") ++executed;
    if (outcomes.back()["outcome"] == "unknown") unknown = true;
  }
  const bool committed = executed == outcomes.size();
  const size_t all = outcomes.size();
  Json data = {{"committed", committed}, {"each", std::move(outcomes)}};
  if (committed) return Success(data);
  const Json body = {
      {"success", false},
      {"error", absl::StrCat(all - executed, " of ", all, " writes were not executed for certain")},
      {"code", "PARTIAL"},
      {"effect", std::string(Name(unknown || executed > 0 ? Effect::kUnknown : Effect::kNone))},
      {"data", std::move(data)}};
  Response response;
  response.status = 207;
  response.body = Dump(body);
  return response;
}

Response AnswerBatch(const Request&, proto::GatewayReply reply) {
  return reply.each().empty() ? AnswerAtomic(reply.result()) : AnswerBulk(reply);
}

absl::StatusOr<proto::GatewayRequest> AskGetMany(Request& request) {
  proto::GatewayRequest question;
  const absl::Status consistency = SetConsistency(request, question.mutable_query());
  if (!consistency.ok()) return consistency;
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"keys"}); !s.ok()) return s;
  absl::StatusOr<const Json*> array = ArrayMember(*object, "keys");
  if (!array.ok()) return array.status();
  if (*array == nullptr || (*array)->empty()) {
    return Refuse("INVALID_REQUEST", "member \"keys\" is missing or empty");
  }
  if ((*array)->size() > kGetManyKeysMax) {
    return Refuse("TOO_LARGE", absl::StrCat((*array)->size(), " keys exceed ", kGetManyKeysMax));
  }
  for (size_t i = 0; i < (*array)->size(); ++i) {
    const Json& element = (**array)[i];
    absl::StatusOr<std::string> key =
        KeyMember(element.is_object() ? element : Json{{"key", element}});
    if (!key.ok()) return At(i, key.status());
    question.mutable_query()->mutable_get_many()->add_keys(*std::move(key));
  }
  return question;
}

Response AnswerGetMany(const Request&, proto::GatewayReply reply) {
  Json pairs = Json::array();
  for (const proto::Pair& pair : reply.result().pairs()) {
    Json each;
    SetKey(pair.key(), &each);
    each["value"] = Base64(pair.value());
    pairs.push_back(std::move(each));
  }
  Response response = Success({{"pairs", std::move(pairs)}, {"stale", reply.result().stale()}});
  if (reply.result().stale()) response.fields.emplace_back("Lockstep-Stale", "true");
  return response;
}

}  // namespace

HandlerPtr MakeBatch(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskBatch, AnswerBatch);
}
HandlerPtr MakeGetMany(const HandlerContext&) {
  return GatewayCall(CallKind::kRead, AskGetMany, AnswerGetMany);
}

}  // namespace lockstep::net::http
