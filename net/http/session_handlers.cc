// Sessions of callers, for exactly-once from end to end.
#include <optional>
#include <string>
#include <utility>

#include "net/http/calls.h"
#include "net/http/handlers.h"
#include "net/http/request_fields.h"

namespace lockstep::net::http {
namespace {

absl::StatusOr<proto::GatewayRequest> AskOpen(Request& request) {
  absl::StatusOr<Json> object = ParseObject(request.body);
  if (!object.ok()) return object.status();
  if (absl::Status s = OnlyMembers(*object, {"key", "key_base64"}); !s.ok()) return s;
  absl::StatusOr<std::string> key = KeyMember(*object);
  if (!key.ok()) return key.status();
  proto::GatewayRequest question;
  question.mutable_command()->mutable_register_session();
  question.set_key(*std::move(key));
  return question;
}

Response AnswerOpen(const Request&, proto::GatewayReply reply) {
  if (reply.result().code() != proto::OK) return ToResponse(RefusalOf(reply.result()));
  return Success({{"session", reply.result().session()}});
}

absl::StatusOr<proto::GatewayRequest> AskClose(Request& request) {
  absl::StatusOr<uint64_t> session = NumberArgument(request, "the session in the path");
  if (!session.ok()) return session.status();
  const std::string* key = request.target.Find("key");
  if (key == nullptr || key->empty()) {
    return Refuse("INVALID_REQUEST", "parameter key is missing: the key that the session is for");
  }
  proto::GatewayRequest question;
  question.mutable_command()->set_session(*session);
  question.mutable_command()->mutable_close_session();
  question.set_key(*key);
  return question;
}

Response AnswerClose(const Request&, proto::GatewayReply reply) {
  if (reply.result().code() != proto::OK) return ToResponse(RefusalOf(reply.result()));
  return Success({{"success", true}, {"message", "closed"}});
}

}  // namespace

HandlerPtr MakeOpenSession(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskOpen, AnswerOpen);
}
HandlerPtr MakeCloseSession(const HandlerContext&) {
  return GatewayCall(CallKind::kWrite, AskClose, AnswerClose);
}

}  // namespace lockstep::net::http
