// Between the messages of lockstep.v1 and the bodies of docs/http.md. Pure.
#ifndef LOCKSTEP_BIN_LOCKSTEP_HTTP_MAPPING_H_
#define LOCKSTEP_BIN_LOCKSTEP_HTTP_MAPPING_H_

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bin/lockstep_http_client.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "core/proto/lockstep/v1/kv.pb.h"
#include "net/http/json.h"

namespace lockstep::bin {

using Json = net::http::Json;

// "/api/v1/kv/...", of any bytes.
std::string KeyPath(absl::string_view key);
std::string ListTarget(const v1::ListRequest& request);
absl::string_view ConsistencyName(v1::Consistency consistency);  // as in ?consistency=; "": default
std::string ConsistencyParam(v1::Consistency consistency);       // "" or "?consistency=stale"
// The fields of a session; none if it is not set.
std::vector<std::string> SessionFields(bool has_session, const v1::Session& session);

Json ToJson(const v1::CompareAndSwapRequest& request);  // without its key
// InvalidArgument for a write without an operation.
absl::StatusOr<Json> ToJson(const v1::BatchRequest& request);
Json ToJson(const v1::JoinRequest& request);
Json ToJson(const v1::AddNodeRequest& request);
Json ToJson(const v1::ReplaceNodeRequest& request);
std::string RemoveNodeTarget(const v1::RemoveNodeRequest& request);

// The error of an answer that is none of success, with its v1::Failure.
absl::Status FailureOf(const HttpAnswer& answer, HttpCall::Kind kind);
// Its "code", "" if there is none.
std::string CodeOf(const HttpAnswer& answer);

// Runs `read` over the body; what it throws, since a member is missing or of another type, becomes
// an Internal error: the node has answered, in a way that we do not understand.
absl::Status Read(const HttpAnswer& answer, HttpCall::Kind kind,
                  const std::function<void(const Json& body)>& read);
// The key of {"key"} or {"key_base64"}, bytes of base64, and a number without sign and fraction, of
// at most `max` or as much as a Number holds. May throw, for Read.
std::string KeyFrom(const Json& object);
std::string BytesFrom(const Json& base64);
uint64_t UnsignedFrom(const Json& number, uint64_t max);
template <class Number = uint64_t>
Number NumberFrom(const Json& number) {
  return static_cast<Number>(UnsignedFrom(number, std::numeric_limits<Number>::max()));
}
void TakeConfiguration(const Json& from, v1::Configuration* to);
void TakeGroupChange(const Json& from, v1::GroupChange* to);
void TakeOutcome(const Json& from, v1::WriteOutcome* to);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_HTTP_MAPPING_H_
