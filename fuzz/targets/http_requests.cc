// HTTP requests as the front sees them once they have arrived: targets, fields, packed bodies and
// JSON, through the handlers of all routes and a fake store. Every answer is well formed; what is
// written stands for the same bytes when it is read again; unpacking stays within its limit.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/check.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "fuzz/support/http.h"
#include "fuzz/support/input.h"
#include "net/http/gzip.h"
#include "net/http/proto_json.h"
#include "net/http/routes.h"
#include "net/http/target.h"
#include "net/metrics/node_metrics.h"

namespace lockstep::fuzz {
namespace {

using net::HttpOptions;
using net::http::Json;
using net::http::Request;
using net::http::Response;
using net::http::Target;

// --- The parts

void CheckTarget(absl::string_view text) {
  const absl::StatusOr<Target> target = net::http::ParseTarget(text);
  if (!target.ok()) return CheckRefusal(target.status());
  std::string again = target->segments.empty() ? "/" : "";
  for (const std::string& segment : target->segments) {
    absl::StrAppend(&again, "/", net::http::PercentEncode(segment));
  }
  char separator = '?';
  for (const auto& [name, value] : target->params) {
    absl::StrAppend(&again, std::string(1, separator), net::http::PercentEncode(name), "=",
                    net::http::PercentEncode(value));
    separator = '&';
  }
  const absl::StatusOr<Target> reread = net::http::ParseTarget(again);
  Check(reread.ok());
  Check(reread->segments == target->segments);
  Check(reread->params == target->params);
}

void CheckGzip(absl::string_view bytes, uint64_t bytes_max) {
  const absl::StatusOr<std::string> unpacked = net::http::Gunzip(bytes, bytes_max);
  if (unpacked.ok()) {
    CheckLe(unpacked->size(), bytes_max);
    CheckEq(unpacked->size(), net::http::ClaimedBytes(bytes));
  } else {
    CheckOneLine(unpacked.status().message());
  }
  const std::string packed = net::http::Gzip(bytes);
  const absl::StatusOr<std::string> again = net::http::Gunzip(packed, bytes.size());
  Check(again.ok());
  Check(*again == bytes);
  if (!bytes.empty()) Check(!net::http::Gunzip(packed, bytes.size() - 1).ok());
  Check(!net::http::Gunzip(absl::string_view(packed).substr(0, packed.size() - 1), bytes.size())
             .ok());
}

void CheckJson(absl::string_view text) {
  const absl::StatusOr<Json> object = net::http::ParseObject(text);
  if (!object.ok()) return CheckOneLine(object.status().message());
  const std::string dumped = net::http::Dump(*object);
  const absl::StatusOr<Json> again = net::http::ParseObject(dumped);
  Check(again.ok());
  Check(net::http::Dump(*again) == dumped);
  const absl::StatusOr<std::string> key = net::http::KeyMember(*object);
  if (!key.ok()) return CheckOneLine(key.status().message());
  Json written = Json::object();
  net::http::SetKey(*key, &written);
  const absl::StatusOr<std::string> reread =
      net::http::KeyMember(Json::parse(net::http::Dump(written)));
  Check(reread.ok());
  Check(*reread == *key);
}

// Statuses come from other nodes, too. No text in them begins a line of its own.
void CheckStatus(absl::string_view bytes) {
  v1::NodeStatus status;
  if (!status.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  Check(Json::accept(net::http::Dump(net::http::ToJson(status))));
  static const net::NodeMetrics metrics;
  for (absl::string_view line : absl::StrSplit(metrics.Text(status, {}), '\n')) {
    Check(line.empty() || absl::StartsWith(line, "# ") || absl::StartsWith(line, "lockstep_") ||
          absl::StartsWith(line, "process_"));
  }
}

// --- Whole requests

std::string AnySegment(Input& input) {
  static constexpr const char* kUsual[] = {"a",     "b",      "1",
                                           "a%2Fb", "%00%ff", "18446744073709551616"};
  const uint64_t choice = input.Below(9);
  if (choice < std::size(kUsual)) return kUsual[choice];
  if (choice == 6) return std::string(input.Text(40));
  if (choice == 7) return net::http::PercentEncode(input.Text(40));
  return std::string(input.Number(2), 'k');
}

std::string AnyParams(Input& input) {
  static constexpr const char* kNames[] = {
      "consistency", "limit", "offset",  "prefix", "start",    "continuation", "values",
      "total",       "op",    "timeout", "keys",   "encoding", "group",        "member"};
  static constexpr const char* kValues[] = {"follower", "stale",  "append", "true", "1",
                                            "10001",    "base64", "YQ==",   "",     "-1"};
  std::string params;
  for (uint64_t left = input.Below(4); left > 0; --left) {
    const uint64_t value = input.Below(std::size(kValues) + 1);
    absl::StrAppend(
        &params, params.empty() ? "?" : "&", kNames[input.Below(std::size(kNames))], "=",
        value < std::size(kValues) ? std::string(kValues[value]) : std::string(input.Text(40)));
  }
  return params;
}

// A target that one of the routes takes.
std::string AnyTarget(const net::http::Route& route, Input& input) {
  std::string target;
  for (absl::string_view part : absl::StrSplit(route.pattern.substr(1), '/')) {
    absl::StrAppend(&target, "/",
                    absl::StartsWith(part, "{") ? AnySegment(input) : std::string(part));
  }
  return target + AnyParams(input);
}

void AddFields(Input& input, Request* request) {
  static constexpr std::pair<const char*, const char*> kUsual[] = {
      {"Content-Type", "application/octet-stream"},
      {"Content-Type", "application/json; charset=utf-8"},
      {"Accept", "application/octet-stream"},
      {"Accept-Encoding", "gzip;q=0.5, *"},
      {"Lockstep-Session", "7"},
      {"Lockstep-Sequence", "3"},
      {"Lockstep-First-Outstanding", "2"},
      {"Lockstep-Timeout-Ms", "100"},
      {"Origin", "http://here"},
      {"Host", "here"},
  };
  for (uint64_t left = input.Below(5); left > 0; --left) {
    const auto& [name, value] = kUsual[input.Below(std::size(kUsual))];
    // A parser lets no line's end pass.
    std::string text = input.Below(4) == 1 ? input.Ascii(40) : std::string(value);
    std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c == 0x7F; }, ' ');
    request->fields.emplace_back(name, std::move(text));
  }
}

std::string AnyBody(Input& input) {
  static constexpr const char* kUsual[] = {
      R"({"value":"aGVsbG8="})",
      R"({"expected":"MQ==","value":null})",
      R"({"operations":[{"op":"put","key":"a","value":"MQ=="},{"op":"delete","key":"c"}]})",
      R"({"atomic":true,"operations":[{"op":"cas","key_base64":"/w==","expected":"MQ=="}]})",
      R"({"operations":[{"op":"append","key":"a","value":""}]})",
      R"({"keys":["a",{"key_base64":"/w=="},"b"]})",
      R"({"key":"a"})",
      R"({"groups":[{"gid":101,"members":[1,2,3]}],"shards":16})",
      R"({"shard":3,"gid":101})",
      R"({"node_id":4,"address":"n4:7400","groups":[101],"learner":true})",
      R"({"gids":[101],"force":true})",
  };
  const uint64_t choice = input.Below(std::size(kUsual) + 2);
  std::string body = choice < std::size(kUsual) ? std::string(kUsual[choice]) : "";
  if (choice == std::size(kUsual)) return std::string(input.Take(input.rest().size()));
  // One place is another than usual.
  if (!body.empty() && input.Flip()) {
    const uint64_t at = input.Below(body.size());
    body.replace(static_cast<size_t>(at), static_cast<size_t>(input.Below(8)),
                 std::string(input.Text(40)));
  }
  return body;
}

void RunRequest(Input& input, net::http_test::FakeStore& store) {
  HttpOptions options;
  options.body_bytes_max = input.Flip() ? uint64_t{1} << 20 : input.Below(200);
  options.gzip_bytes_min = input.Below(200);
  if (input.Flip()) options.cors_origins = {"http://there", "*"};
  options.list_offset_max = 100;
  options.list_limit_max = 200;
  const auto& route = net::http::Routes()[input.Below(net::http::Routes().size())];
  Request request;
  request.method =
      input.Below(8) == 1 ? static_cast<net::http::Method>(input.Below(8)) : route.method;
  request.target_text = AnyTarget(route, input);
  AddFields(input, &request);
  request.body = AnyBody(input);
  if (input.Below(4) == 1) {
    request.body = net::http::Gzip(request.body);
    request.fields.emplace_back("Content-Encoding", "gzip");
  }
  (void)RunExchange(options, std::move(request), store);
}

void RunHttpRequests(Input input) {
  const uint64_t part = input.Below(8);
  const absl::string_view rest = input.rest();
  if (part == 0) return CheckTarget(rest);
  if (part == 1) return CheckGzip(rest, input.Number(2));
  if (part == 2) return CheckJson(rest);
  if (part == 3) return CheckStatus(rest);
  net::http_test::FakeStore store;
  store.pairs = {{"a", "1"}, {"a/b", "2"}, {std::string("\0\xff", 2), "3"}};
  for (int i = 0; i < 8 && !input.empty(); ++i) RunRequest(input, store);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunHttpRequests(lockstep::fuzz::Input(data, size));
  return 0;
}
