// What requests of several routes have in common: consistency, sessions, the kind of their bodies.
#ifndef LOCKSTEP_NET_HTTP_REQUEST_FIELDS_H_
#define LOCKSTEP_NET_HTTP_REQUEST_FIELDS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "core/proto/client.pb.h"
#include "net/http/message.h"
#include "net/http/options.h"

namespace lockstep::net::http {

// Lockstep-Timeout-Ms or ?timeout=, in milliseconds; otherwise the default.
absl::StatusOr<uint64_t> TimeoutMs(const Request& request, const HttpOptions& options);

// ?consistency=: linearizable, stale or follower.
absl::Status SetConsistency(const Request& request, proto::Query* query);

// Lockstep-Session, Lockstep-Sequence and Lockstep-First-Outstanding, if the caller gave a session.
absl::Status SetSession(const Request& request, proto::Command* command);
absl::Status RefuseSession(const Request& request);

// Content-Type: application/octet-stream. UNSUPPORTED_MEDIA_TYPE unless it is that or JSON; what
// curl -d sends without being told otherwise is taken for JSON.
absl::StatusOr<bool> HasRawBody(const Request& request);
// Accept prefers application/octet-stream to application/json.
bool WantsRaw(const Request& request);

// The one argument of a route, where it is a number.
absl::StatusOr<uint64_t> NumberArgument(const Request& request, absl::string_view what);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_REQUEST_FIELDS_H_
