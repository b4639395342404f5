// An HTTP request that has arrived, and an answer to be sent: values, without a socket.
#ifndef LOCKSTEP_NET_HTTP_MESSAGE_H_
#define LOCKSTEP_NET_HTTP_MESSAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "net/access/access_policy.h"
#include "net/http/target.h"

namespace lockstep::net::http {

enum class Method { kGet, kHead, kPut, kPost, kDelete, kPatch, kOptions, kOther };

absl::string_view Name(Method method);
Method MethodNamed(absl::string_view name);

// Of what no route takes.
inline constexpr absl::string_view kNoOperation = "Unknown";

struct Request {
  Method method = Method::kOther;
  std::string target_text;  // as sent
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool keep_alive = false;
  // Set by the router: what target_text says, and the decoded segments that a route's braces took.
  Target target;
  std::vector<std::string> arguments;
  absl::string_view operation = kNoOperation;  // the route's name, for the metrics
  Role role = Role::kNone;                     // what the route wants of its caller

  // The first field of that name (any case), nullptr if there is none.
  const std::string* Find(absl::string_view name) const;
  // Its value, or "".
  absl::string_view Field(absl::string_view name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool is_stream = false;  // the body goes on without an end: the dashboard's events
};

// How much a list like "gzip;q=0.5, *" wants `name`: 0 (not at all, or not named) to 1000.
// Wildcards are not looked at: what is not asked for by its name is not wanted.
int WeightOf(absl::string_view list, absl::string_view name);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_MESSAGE_H_
