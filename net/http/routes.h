// Which handler answers which method and path: one table.
#ifndef LOCKSTEP_NET_HTTP_ROUTES_H_
#define LOCKSTEP_NET_HTTP_ROUTES_H_

#include <memory>
#include <string>

#include "absl/types/span.h"
#include "net/http/handler.h"

namespace lockstep::net::http {

struct Route {
  Method method;
  absl::string_view pattern;    // "/a/{b}": braces take one segment
  absl::string_view operation;  // as gRPC calls it, where it has it too
  std::unique_ptr<Handler> (*make)(const HandlerContext&);
  // What a caller must be allowed at the least; what it asks the node for is judged by itself.
  Role role = Role::kRead;
};
absl::Span<const Route> Routes();

// The handler for a request, whose target, arguments and operation it fills in. Never nullptr: what
// has no route is answered by a handler that says so. HEAD takes GET's routes, OPTIONS every
// path's.
std::unique_ptr<Handler> FindHandler(const HandlerContext& context, Request* request);

}  // namespace lockstep::net::http

#endif  // LOCKSTEP_NET_HTTP_ROUTES_H_
