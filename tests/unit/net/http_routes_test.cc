#include <gtest/gtest.h>

#include <string>

#include "net/http/api_counters.h"
#include "net/http/routes.h"
#include "tests/unit/net/http_routing.h"

namespace lockstep::net::http {
namespace {

TEST_F(Routing, RefusesBadRequestsBeforeTheStoreIsAsked) {
  struct Row {
    const char* name;
    Method method;
    std::string target;
    std::string body;
    int status;
    const char* code;
  };
  const std::string long_key(5000, 'a');
  for (const Row& row : {
           Row{"empty key", Method::kGet, "/api/v1/kv/", "", 400, "INVALID_REQUEST"},
           Row{"long key", Method::kGet, "/api/v1/kv/" + long_key, "", 413, "TOO_LARGE"},
           Row{"bad percent", Method::kGet, "/api/v1/kv/%4", "", 400, "INVALID_REQUEST"},
           Row{"bad base64", Method::kPut, "/api/v1/kv/a", R"({"value":"a!"})", 400,
               "INVALID_VALUE"},
           Row{"no value", Method::kPut, "/api/v1/kv/a", "{}", 400, "INVALID_REQUEST"},
           Row{"value of another type", Method::kPut, "/api/v1/kv/a", R"({"value":1})", 400,
               "INVALID_REQUEST"},
           Row{"not JSON", Method::kPut, "/api/v1/kv/a", "hello", 400, "INVALID_REQUEST"},
           Row{"not UTF-8", Method::kPut, "/api/v1/kv/a", "{\"value\":\"\xff\"}", 400,
               "INVALID_REQUEST"},
           Row{"ttl in the query", Method::kPut, "/api/v1/kv/a?ttl=5", R"({"value":""})", 400,
               "INVALID_REQUEST"},
           Row{"ttl", Method::kPut, "/api/v1/kv/a", R"({"value":"","ttl":5})", 400,
               "INVALID_REQUEST"},
           Row{"unknown path", Method::kGet, "/api/v2/kv", "", 404, "NOT_FOUND"},
           Row{"slash in a key", Method::kGet, "/api/v1/kv/a/b", "", 404, "NOT_FOUND"},
           Row{"method", Method::kPatch, "/health", "", 405, "METHOD_NOT_ALLOWED"},
           Row{"timeout", Method::kGet, "/api/v1/kv/a?timeout=soon", "", 400, "INVALID_REQUEST"},
           Row{"long timeout", Method::kGet, "/api/v1/kv/a?timeout=9999999", "", 400,
               "INVALID_REQUEST"},
           Row{"limit", Method::kGet, "/api/v1/kv?limit=0", "", 400, "INVALID_REQUEST"},
           Row{"offset", Method::kGet, "/api/v1/kv?offset=-1", "", 400, "INVALID_REQUEST"},
           Row{"continuation", Method::kGet, "/api/v1/kv?continuation=!!", "", 400,
               "INVALID_REQUEST"},
           Row{"empty batch", Method::kPost, "/api/v1/batch", R"({"operations":[]})", 400,
               "INVALID_REQUEST"},
           Row{"batch of what", Method::kPost, "/api/v1/batch",
               R"({"operations":[{"op":"x","key":"a"}]})", 400, "INVALID_REQUEST"},
           Row{"no node", Method::kPost, "/api/v1/cluster/nodes", "{}", 400, "INVALID_REQUEST"},
           Row{"node 0", Method::kPost, "/api/v1/cluster/nodes", R"({"node_id":0})", 400,
               "INVALID_REQUEST"},
           Row{"replaces 0", Method::kPost, "/api/v1/cluster/nodes",
               R"({"node_id":4,"replaces":0})", 400, "INVALID_REQUEST"},
           Row{"replacing learner", Method::kPost, "/api/v1/cluster/nodes",
               R"({"node_id":4,"replaces":2,"learner":true})", 400, "INVALID_REQUEST"},
           Row{"no groups", Method::kPost, "/api/v1/cluster/nodes", R"({"node_id":4,"groups":[]})",
               400, "INVALID_REQUEST"},
           Row{"groups by name", Method::kPost, "/api/v1/cluster/nodes",
               R"({"node_id":4,"groups":["a"]})", 400, "INVALID_REQUEST"},
           Row{"node by name", Method::kDelete, "/api/v1/cluster/nodes/four", "", 400,
               "INVALID_REQUEST"},
           Row{"remove node 0", Method::kDelete, "/api/v1/cluster/nodes/0", "", 400,
               "INVALID_REQUEST"},
           Row{"remove from what", Method::kDelete, "/api/v1/cluster/nodes/4?groups=a,", "", 400,
               "INVALID_REQUEST"},
           Row{"configuration", Method::kGet, "/api/v1/cluster/configuration/x", "", 400,
               "INVALID_REQUEST"},
           Row{"join nothing", Method::kPost, "/api/v1/cluster/join", "{}", 400, "INVALID_REQUEST"},
           Row{"move nothing", Method::kPost, "/api/v1/cluster/move", R"({"gid":1})", 400,
               "INVALID_REQUEST"},
       }) {
    const Response response = Ask(row.method, row.target, row.body);
    EXPECT_EQ(response.status, row.status) << row.name << ": " << response.body;
    const Json json = Json::parse(response.body);
    EXPECT_EQ(json["code"], row.code) << row.name;
    EXPECT_EQ(json["success"], false) << row.name;
    EXPECT_EQ(json["effect"], "none") << row.name;
    EXPECT_FALSE(json["error"].get<std::string>().empty()) << row.name;
  }
  EXPECT_EQ(store_.asked, 0u);
}

TEST_F(Routing, NamesRoutesAndMethods) {
  const Json unknown = AskJson(Method::kGet, "/nowhere");
  EXPECT_EQ(unknown["routes"].size(), Routes().size());
  EXPECT_EQ(FieldOf(Ask(Method::kPost, "/health"), "Allow"), "GET, HEAD, OPTIONS");
  const Response options = Ask(Method::kOptions, "/api/v1/kv/a");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(FieldOf(options, "Allow"), "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
  EXPECT_EQ(Ask(Method::kOptions, "*").status, 204);
}

// Every answer of the gateway that is no success, as HTTP says it.
TEST_F(Routing, MapsFailures) {
  struct Row {
    proto::GatewayReply::Kind kind;
    absl::StatusCode status;
    proto::Code code;
    Method method;
    int want;
    const char* want_code;
    const char* want_effect;
  };
  constexpr auto kNot = proto::GatewayReply::NOT_EXECUTED;
  constexpr auto kUnknown = proto::GatewayReply::UNKNOWN;
  for (const Row& row : {
           Row{kNot, absl::StatusCode::kUnavailable, proto::NOT_LEADER, Method::kPut, 503,
               "NOT_LEADER", "none"},
           Row{kNot, absl::StatusCode::kUnavailable, proto::CODE_UNSPECIFIED, Method::kPut, 503,
               "UNAVAILABLE", "none"},
           Row{kNot, absl::StatusCode::kResourceExhausted, proto::OVERLOADED, Method::kPut, 503,
               "OVERLOADED", "none"},
           Row{kNot, absl::StatusCode::kResourceExhausted, proto::NO_SPACE, Method::kPut, 507,
               "NO_SPACE", "none"},
           Row{kUnknown, absl::StatusCode::kResourceExhausted, proto::NO_SPACE, Method::kPut, 504,
               "NO_SPACE", "unknown"},
           Row{kNot, absl::StatusCode::kDeadlineExceeded, proto::CODE_UNSPECIFIED, Method::kPut,
               408, "TIMEOUT", "none"},
           Row{kUnknown, absl::StatusCode::kDeadlineExceeded, proto::CODE_UNSPECIFIED, Method::kPut,
               504, "TIMEOUT", "unknown"},
           Row{kUnknown, absl::StatusCode::kUnavailable, proto::LEADERSHIP_LOST, Method::kPut, 504,
               "LEADERSHIP_LOST", "unknown"},
           Row{kUnknown, absl::StatusCode::kDeadlineExceeded, proto::CODE_UNSPECIFIED, Method::kGet,
               408, "TIMEOUT", "none"},
           Row{kNot, absl::StatusCode::kInvalidArgument, proto::INVALID_ARGUMENT, Method::kPut, 400,
               "INVALID_ARGUMENT", "none"},
           Row{kNot, absl::StatusCode::kInvalidArgument, proto::TOO_LARGE, Method::kPut, 413,
               "TOO_LARGE", "none"},
           Row{kNot, absl::StatusCode::kNotFound, proto::SESSION_UNKNOWN, Method::kPut, 410,
               "SESSION_UNKNOWN", "none"},
           Row{kUnknown, absl::StatusCode::kNotFound, proto::SESSION_UNKNOWN, Method::kPut, 410,
               "SESSION_UNKNOWN", "unknown"},
           Row{kNot, absl::StatusCode::kFailedPrecondition, proto::SEQUENCE_STALE, Method::kPut,
               409, "SEQUENCE_STALE", "none"},
           Row{kNot, absl::StatusCode::kInternal, proto::CODE_UNSPECIFIED, Method::kPut, 500,
               "INTERNAL", "none"},
       }) {
    proto::GatewayReply reply;
    reply.set_kind(row.kind);
    reply.set_status(static_cast<uint32_t>(row.status));
    reply.set_message("because");
    reply.set_leader(3);
    reply.mutable_result()->set_code(row.code);
    store_.planted = reply;
    const Response response = Ask(row.method, "/api/v1/kv/a", R"({"value":""})");
    EXPECT_EQ(response.status, row.want) << row.want_code;
    EXPECT_EQ(FieldOf(response, "Retry-After"), row.want == 503 ? "1" : "");
    const Json json = Json::parse(response.body);
    EXPECT_EQ(json["code"], row.want_code);
    EXPECT_EQ(json["effect"], row.want_effect) << row.want_code;
    EXPECT_EQ(json["error"], "because");
    EXPECT_EQ(json["leader"], 3);
  }
}

TEST_F(Routing, PacksAndUnpacks) {
  store_.pairs["big"] = std::string(10'000, 'x');
  const Response packed = Ask(Method::kGet, "/api/v1/kv/big", "", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(FieldOf(packed, "Content-Encoding"), "gzip");
  EXPECT_LT(packed.body.size(), 1000u);
  store_.pairs["small"] = "x";
  const Response small = Ask(Method::kGet, "/api/v1/kv/small", "", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(FieldOf(small, "Content-Encoding"), "");
  EXPECT_EQ(
      Ask(Method::kPut, "/api/v1/kv/a", R"({"value":""})", {{"Content-Encoding", "br"}}).status,
      415);
  EXPECT_EQ(Ask(Method::kPut, "/api/v1/kv/a", "x", {{"Content-Type", "text/plain"}}).status, 415);
}

TEST_F(Routing, KeepsPagesOfOthersOut) {
  const auto put = [&](std::string origin) {
    return Ask(Method::kPut, "/api/v1/kv/a", R"({"value":""})",
               {{"Host", "127.0.0.1:7402"}, {"Origin", std::move(origin)}});
  };
  EXPECT_EQ(put("https://evil.example").status, 403);
  EXPECT_EQ(put("http://127.0.0.1:7402").status, 200) << "a page that the node itself serves";
  EXPECT_EQ(FieldOf(put("http://127.0.0.1:7402"), "Access-Control-Allow-Origin"), "");
  options_.cors_origins = {"https://good.example"};
  EXPECT_EQ(FieldOf(put("https://good.example"), "Access-Control-Allow-Origin"),
            "https://good.example");
  EXPECT_EQ(put("https://evil.example").status, 403);
  const Response preflight =
      Ask(Method::kOptions, "/api/v1/kv/a", "", {{"Origin", "https://good.example"}});
  EXPECT_NE(FieldOf(preflight, "Access-Control-Allow-Methods"), "");
}

TEST(ApiCounters, CountsRequestsOfTheLastSeconds) {
  constexpr uint64_t kSecond = 1'000'000;
  ApiCounters counters(100 * kSecond);
  for (int i = 0; i < 5; ++i) counters.OnRequest(100 * kSecond);
  EXPECT_EQ(counters.Snapshot(100 * kSecond).requests_per_second, 5.0);
  EXPECT_EQ(counters.Snapshot(101 * kSecond).requests_per_second, 5.0);
  EXPECT_EQ(counters.Snapshot(105 * kSecond).requests_per_second, 1.0);
  EXPECT_EQ(counters.Snapshot(111 * kSecond).requests_per_second, 0.0);
  counters.OnAnswer(200, 1000);
  counters.OnAnswer(404, 1000);
  counters.OnAnswer(503, 4000);
  const ApiSnapshot snapshot = counters.Snapshot(105 * kSecond);
  EXPECT_EQ(snapshot.requests, 5u);
  EXPECT_EQ(snapshot.successful, 2u);
  EXPECT_EQ(snapshot.failed, 1u);
  EXPECT_EQ(snapshot.response_us, 6000u);
}

}  // namespace
}  // namespace lockstep::net::http
