// Calls that failed, as HTTP says it: {"success":false,"error":...,"code":...,"effect":...}.
//
// `effect` is what a caller must know before it tries again: "none" is certainly not executed, now
// and later; "unknown" is executed once, or not, or later still.
#ifndef LOCKSTEP_NET_HTTP_FAILURE_H_
#define LOCKSTEP_NET_HTTP_FAILURE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/proto/gateway.pb.h"
#include "net/http/json.h"
#include "net/http/message.h"

namespace lockstep::net::http {

enum class Effect { kNone, kUnknown };
absl::string_view Name(Effect effect);

struct Failure {
  std::string code;  // a stable name, like KEY_NOT_FOUND
  std::string message;
  Effect effect = Effect::kNone;
  uint64_t leader = 0;   // the node that may lead; 0: nobody known
  Json extra = nullptr;  // further members of the answer; null or an object
};

// An error with one of our codes, for what is found before anything is asked of the service.
absl::Status Refuse(absl::string_view code, absl::string_view message);

// Of a Status: with the code that Refuse gave it, or INVALID_REQUEST.
Failure FailureOf(const absl::Status& status);
// Of an answer of the gateway that is not OK. `effect` is what it says, unless the call could not
// have had one.
enum class CallKind { kRead, kWrite };
Failure FailureOf(const proto::GatewayReply& reply, CallKind kind);
// Of a result that says no although it was executed (CONFLICT, and the controller's refusals).
Failure RefusalOf(const proto::Result& result);
// Of a caller that may not (net/access/guard.h).
Failure RefusalOf(const absl::Status& judged);
// Nobody answered in time.
Failure SilenceFailure(Effect effect);

// The HTTP status for a code.
int StatusFor(absl::string_view code, Effect effect);
Response ToResponse(const Failure& failure);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_FAILURE_H_
