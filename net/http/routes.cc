#include "net/http/routes.h"

#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "net/http/calls.h"
#include "net/http/handlers.h"

namespace lockstep::net::http {
namespace {

constexpr Route kRoutes[] = {
    {Method::kGet, "/api/v1/kv", "List", MakeList},
    {Method::kGet, "/api/v1/kv/{key}", "Get", MakeGetKey},
    {Method::kPut, "/api/v1/kv/{key}", "Put", MakePutKey},
    {Method::kDelete, "/api/v1/kv/{key}", "Delete", MakeDeleteKey},
    {Method::kPatch, "/api/v1/kv/{key}", "Append", MakeAppendKey},
    {Method::kPost, "/api/v1/kv/{key}", "Append", MakePostKey},
    {Method::kPost, "/api/v1/kv/{key}/cas", "CompareAndSwap", MakeCompareAndSwap},
    {Method::kPost, "/api/v1/batch", "Batch", MakeBatch},
    {Method::kPost, "/api/v1/batch/get", "GetMany", MakeGetMany},
    {Method::kPost, "/api/v1/sessions", "OpenSession", MakeOpenSession},
    {Method::kDelete, "/api/v1/sessions/{session}", "CloseSession", MakeCloseSession},
    {Method::kGet, "/api/v1/cluster/status", "Status", MakeClusterStatus},
    {Method::kGet, "/api/v1/cluster/nodes", "Nodes", MakeNodes},
    {Method::kPost, "/api/v1/cluster/nodes", "AddNode", MakeAddNode},
    {Method::kDelete, "/api/v1/cluster/nodes/{node}", "RemoveNode", MakeRemoveNode},
    {Method::kGet, "/api/v1/cluster/shards", "Shards", MakeShards},
    {Method::kGet, "/api/v1/cluster/configuration", "Query", MakeConfiguration},
    {Method::kGet, "/api/v1/cluster/configuration/{num}", "Query", MakeConfiguration},
    {Method::kPost, "/api/v1/cluster/join", "Join", MakeJoin},
    {Method::kPost, "/api/v1/cluster/leave", "Leave", MakeLeave},
    {Method::kPost, "/api/v1/cluster/move", "Move", MakeMove},
    {Method::kPost, "/api/v1/cluster/unpin", "Unpin", MakeUnpin},
    {Method::kPost, "/api/v1/cluster/transfer", "TransferLeader", MakeTransfer},
    {Method::kGet, "/api/v1/health", "Health", MakeHealth, Role::kNone},
    {Method::kGet, "/api/v1/metrics", "Metrics", MakeMetrics},
    {Method::kGet, "/health", "Health", MakeHealth, Role::kNone},
    {Method::kGet, "/metrics", "Metrics", MakeMetrics},
    {Method::kGet, "/readyz", "Health", MakeHealth, Role::kNone},
    {Method::kGet, "/livez", "Alive", MakeAlive, Role::kNone},
    {Method::kGet, "/api/v1/dashboard", "Dashboard", MakeDashboard},
    {Method::kGet, "/api/v1/dashboard/stream", "DashboardStream", MakeDashboardStream},
    {Method::kGet, "/api/v1/topology", "Topology", MakeTopology},
    {Method::kGet, "/api/v1/metrics.json", "MetricsJson", MakeMetricsJson},
    {Method::kGet, "/", "DashboardFile", MakeDashboardFile},  // a browser asks for a password here
    {Method::kGet, "/dashboard/{file}", "DashboardFile", MakeDashboardFile, Role::kNone},
};

bool Matches(absl::string_view pattern, const std::vector<std::string>& segments,
             std::vector<std::string>* arguments) {
  arguments->clear();
  if (pattern == "/") return segments.empty();
  const std::vector<absl::string_view> parts = absl::StrSplit(pattern.substr(1), '/');
  if (parts.size() != segments.size()) return false;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].front() == '{') {
      arguments->push_back(segments[i]);
    } else if (parts[i] != segments[i]) {
      return false;
    }
  }
  return true;
}

HandlerPtr Answering(Response response) {
  return Immediately([response = std::move(response)](const Request&) { return response; });
}

HandlerPtr NoRoute(const Request& request) {
  const bool slash_in_key = absl::StartsWith(request.target.path, "/api/v1/kv/");
  Json routes = Json::array();
  for (const Route& route : Routes()) {
    routes.push_back(absl::StrCat(Name(route.method), " ", route.pattern));
  }
  return Answering(ToResponse(
      Failure{.code = "NOT_FOUND",
              .message = absl::StrCat("no such path: ", request.target.path.substr(0, 200),
                                      slash_in_key ? "; write '/' in a key as %2F" : ""),
              .extra = {{"routes", std::move(routes)}}}));
}

// The methods of a path, as an Allow field lists them.
std::string Allowed(const Request& request) {
  std::set<absl::string_view> names;
  std::vector<std::string> arguments;
  for (const Route& route : Routes()) {
    if (!Matches(route.pattern, request.target.segments, &arguments)) continue;
    names.insert(Name(route.method));
    if (route.method == Method::kGet) names.insert(Name(Method::kHead));
  }
  if (!names.empty()) names.insert(Name(Method::kOptions));
  return absl::StrJoin(names, ", ");
}

HandlerPtr NoMethod(const Request& request, const std::string& allowed) {
  Response response;
  if (request.method == Method::kOptions) {
    response.status = 204;
  } else {
    response = ToResponse(Failure{.code = "METHOD_NOT_ALLOWED",
                                  .message = absl::StrCat("this path takes ", allowed)});
  }
  response.fields.emplace_back("Allow", allowed);
  return Answering(std::move(response));
}

}  // namespace

absl::Span<const Route> Routes() { return kRoutes; }

HandlerPtr FindHandler(const HandlerContext& context, Request* request) {
  absl::StatusOr<Target> target = ParseTarget(request->target_text);
  if (!target.ok()) {
    if (request->method == Method::kOptions && request->target_text == "*") {
      return NoMethod(*request, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    }
    return Answering(ToResponse(FailureOf(target.status())));
  }
  request->target = *std::move(target);
  const Method method = request->method == Method::kHead ? Method::kGet : request->method;
  for (const Route& route : Routes()) {
    if (route.method != method) continue;
    if (Matches(route.pattern, request->target.segments, &request->arguments)) {
      request->operation = route.operation;
      request->role = route.role;
      return route.make(context);
    }
  }
  const std::string allowed = Allowed(*request);
  return allowed.empty() ? NoRoute(*request) : NoMethod(*request, allowed);
}

}  // namespace lockstep::net::http
