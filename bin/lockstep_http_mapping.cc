#include "bin/lockstep_http_mapping.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "net/client/failure.h"
#include "net/http/target.h"

namespace lockstep::bin {
namespace {

using net::http::Base64;
using net::http::PercentEncode;

constexpr uint64_t kListPage = 1000;

struct CodeRow {
  absl::string_view code;
  absl::StatusCode status;
  absl::string_view reason;  // of failure.proto's stable names; "": the same as the code
};
constexpr CodeRow kCodes[] = {
    {"INVALID_REQUEST", absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT"},
    {"INVALID_VALUE", absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT"},
    {"INVALID_KEY", absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT"},
    {"INVALID_ARGUMENT", absl::StatusCode::kInvalidArgument, ""},
    {"TLS_REQUIRED", absl::StatusCode::kUnavailable, "UNAVAILABLE"},
    {"UNAUTHENTICATED", absl::StatusCode::kUnauthenticated, ""},
    {"PERMISSION_DENIED", absl::StatusCode::kPermissionDenied, ""},
    {"UNSUPPORTED_MEDIA_TYPE", absl::StatusCode::kInvalidArgument, "INVALID_ARGUMENT"},
    {"KEY_NOT_FOUND", absl::StatusCode::kNotFound, "NOT_FOUND"},
    {"NOT_FOUND", absl::StatusCode::kNotFound, ""},
    {"TIMEOUT", absl::StatusCode::kDeadlineExceeded, ""},
    {"ALREADY_EXISTS", absl::StatusCode::kAlreadyExists, ""},
    {"FAILED_PRECONDITION", absl::StatusCode::kFailedPrecondition, ""},
    {"SESSION_UNKNOWN", absl::StatusCode::kFailedPrecondition, ""},
    {"SEQUENCE_STALE", absl::StatusCode::kFailedPrecondition, ""},
    {"TOO_LARGE", absl::StatusCode::kOutOfRange, ""},
    {"HEADER_TOO_LARGE", absl::StatusCode::kOutOfRange, "TOO_LARGE"},
    {"NOT_IMPLEMENTED", absl::StatusCode::kUnimplemented, "UNAVAILABLE"},
    {"OVERLOADED", absl::StatusCode::kResourceExhausted, ""},
    {"NO_SPACE", absl::StatusCode::kResourceExhausted, ""},
    {"NOT_LEADER", absl::StatusCode::kUnavailable, ""},
    {"LEADERSHIP_LOST", absl::StatusCode::kUnavailable, ""},
    {"UNKNOWN_GROUP", absl::StatusCode::kUnavailable, ""},
    {"WRONG_GROUP", absl::StatusCode::kUnavailable, ""},
    {"UNAVAILABLE", absl::StatusCode::kUnavailable, ""},
};

CodeRow RowOf(absl::string_view code) {
  for (const CodeRow& row : kCodes) {
    if (row.code == code) return row;
  }
  return {code, absl::StatusCode::kInternal, "UNAVAILABLE"};
}

// Answers nest a few levels. What nests without end is no node's, and would overflow the stack of
// whoever copies or writes it.
Json ParseAnswer(const std::string& text) {
  constexpr int kDepthMax = 64;
  return Json::parse(text, [](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDepthMax) throw Json::other_error::create(501, "nests too deep", nullptr);
    return true;
  });
}

Json Parsed(const HttpAnswer& answer) {
  try {
    Json body = ParseAnswer(answer.body);
    return body.is_object() ? body : Json::object();
  } catch (const Json::exception&) {
    return Json::object();
  }
}

std::string TextOr(const Json& object, const char* name, absl::string_view otherwise) {
  const auto found = object.find(name);
  const bool text = found != object.end() && found->is_string();
  return text ? found->get<std::string>() : std::string(otherwise);
}

uint64_t NumberOr(const Json& object, const char* name, uint64_t otherwise) {
  const auto found = object.find(name);
  const bool number = found != object.end() && found->is_number_unsigned();
  return number ? found->get<uint64_t>() : otherwise;
}

void SetSwap(const v1::CompareAndSwapRequest& from, Json* to) {
  if (from.has_expected()) (*to)["expected"] = Base64(from.expected());
  if (from.has_value()) (*to)["value"] = Base64(from.value());
}

template <class Request>
void SetNodeOptions(const Request& request, Json* json) {
  if (!request.address().empty()) (*json)["address"] = request.address();
  if (request.groups().empty()) return;
  Json groups = Json::array();
  for (const uint64_t group : request.groups()) groups.push_back(group);
  (*json)["groups"] = std::move(groups);
}

absl::StatusOr<Json> ToJson(const v1::Write& write) {
  switch (write.operation_case()) {
    case v1::Write::kPut:
      return Json{{"op", "put"},
                  {"key_base64", Base64(write.put().key())},
                  {"value", Base64(write.put().value())}};
    case v1::Write::kAppend:
      return Json{{"op", "append"},
                  {"key_base64", Base64(write.append().key())},
                  {"value", Base64(write.append().value())}};
    case v1::Write::kDelete:
      return Json{{"op", "delete"}, {"key_base64", Base64(write.delete_().key())}};
    case v1::Write::kCompareAndSwap: {
      Json json = {{"op", "cas"}, {"key_base64", Base64(write.compare_and_swap().key())}};
      SetSwap(write.compare_and_swap(), &json);
      return json;
    }
    default:
      return client::FailureStatus(absl::StatusCode::kInvalidArgument, client::Effect::kNone,
                                   "INVALID_ARGUMENT", "a write of the batch has no operation");
  }
}

}  // namespace

absl::string_view ConsistencyName(v1::Consistency consistency) {
  if (consistency == v1::STALE) return "stale";
  return consistency == v1::ANY_REPLICA ? "follower" : "";
}

std::string KeyPath(absl::string_view key) {
  return absl::StrCat("/api/v1/kv/", PercentEncode(key));
}

std::string ConsistencyParam(v1::Consistency consistency) {
  const absl::string_view name = ConsistencyName(consistency);
  return name.empty() ? "" : absl::StrCat("?consistency=", name);
}

std::string ListTarget(const v1::ListRequest& request) {
  const uint64_t limit = request.limit() == 0 ? kListPage : std::min(request.limit(), kListPage);
  std::string target = absl::StrCat("/api/v1/kv?keys=base64&limit=", limit);
  const auto add = [&](absl::string_view name, absl::string_view value) {
    if (!value.empty()) absl::StrAppend(&target, "&", name, "=", PercentEncode(value));
  };
  add("prefix", request.prefix());
  add("start", request.start());
  add("continuation", request.continuation());
  if (!request.keys_only()) add("values", "true");
  add("consistency", ConsistencyName(request.consistency()));
  return target;
}

std::vector<std::string> SessionFields(bool has_session, const v1::Session& session) {
  if (!has_session) return {};
  return {absl::StrCat("Lockstep-Session: ", session.id()),
          absl::StrCat("Lockstep-Sequence: ", session.sequence()),
          absl::StrCat("Lockstep-First-Outstanding: ", session.first_outstanding())};
}

Json ToJson(const v1::CompareAndSwapRequest& request) {
  Json json = Json::object();
  SetSwap(request, &json);
  return json;
}

absl::StatusOr<Json> ToJson(const v1::BatchRequest& request) {
  Json operations = Json::array();
  for (const v1::Write& write : request.writes()) {
    absl::StatusOr<Json> operation = ToJson(write);
    if (!operation.ok()) return operation.status();
    operations.push_back(*std::move(operation));
  }
  return Json{{"atomic", request.atomic()}, {"operations", std::move(operations)}};
}

Json ToJson(const v1::JoinRequest& request) {
  Json groups = Json::array();
  for (const v1::Group& group : request.groups()) {
    Json members = Json::array();
    for (const v1::Member& member : group.members()) {
      members.push_back({{"node", member.node()}, {"address", member.address()}});
    }
    groups.push_back({{"gid", group.gid()}, {"members", std::move(members)}});
  }
  return {{"groups", std::move(groups)}};
}

Json ToJson(const v1::AddNodeRequest& request) {
  Json json = {{"node_id", request.node()}, {"learner", request.learner()}};
  SetNodeOptions(request, &json);
  return json;
}

Json ToJson(const v1::ReplaceNodeRequest& request) {
  Json json = {{"node_id", request.node()}, {"replaces", request.replaces()}};
  SetNodeOptions(request, &json);
  return json;
}

std::string RemoveNodeTarget(const v1::RemoveNodeRequest& request) {
  const std::string path = absl::StrCat("/api/v1/cluster/nodes/", request.node());
  if (request.groups().empty()) return path;
  return absl::StrCat(path, "?groups=", absl::StrJoin(request.groups(), ","));
}

std::string CodeOf(const HttpAnswer& answer) { return TextOr(Parsed(answer), "code", ""); }

absl::Status FailureOf(const HttpAnswer& answer, HttpCall::Kind kind) {
  const Json body = Parsed(answer);
  const CodeRow row = RowOf(TextOr(body, "code", ""));
  std::string message = TextOr(body, "error", "");
  if (message.empty()) {
    message = absl::StrCat("the server answered with HTTP status ", answer.status);
  }
  const bool none = kind == HttpCall::Kind::kRead || TextOr(body, "effect", "") == "none";
  v1::Failure failure;
  failure.set_effect(none ? v1::EFFECT_NONE : v1::EFFECT_UNKNOWN);
  failure.set_reason(std::string(row.reason.empty() ? row.code : row.reason));
  failure.set_message(message);
  failure.set_leader(NumberOr(body, "leader", 0));
  failure.set_free_bytes(NumberOr(body, "free_bytes", 0));
  failure.set_need_bytes(NumberOr(body, "need_bytes", 0));
  failure.set_limit(NumberOr(body, "limit", 0));
  const auto which = body.find("which");
  if (which != body.end() && which->is_string()) failure.set_which(which->get<std::string>());
  const auto groups = body.find("groups");
  if (groups != body.end() && groups->is_array()) {
    const absl::Status read = Read(answer, kind, [&](const Json& whole) {
      for (const Json& each : whole.at("groups")) TakeGroupChange(each, failure.add_groups());
    });
    if (!read.ok()) failure.clear_groups();
  }
  return client::WithFailure(absl::Status(row.status, message), failure);
}

absl::Status Read(const HttpAnswer& answer, HttpCall::Kind kind,
                  const std::function<void(const Json& body)>& read) {
  try {
    read(ParseAnswer(answer.body));
    return absl::OkStatus();
  } catch (const Json::exception& e) {
    const bool none = kind == HttpCall::Kind::kRead;
    return client::FailureStatus(
        absl::StatusCode::kInternal, none ? client::Effect::kNone : client::Effect::kUnknown,
        "UNAVAILABLE", absl::StrCat("the server's answer cannot be read: is it a Lockstep node?"));
  }
}

std::string BytesFrom(const Json& base64) {
  std::string bytes;
  if (!absl::Base64Unescape(base64.get_ref<const std::string&>(), &bytes)) {
    throw Json::type_error::create(302, "not base64", &base64);
  }
  return bytes;
}

uint64_t UnsignedFrom(const Json& number, uint64_t max) {
  const bool whole = number.is_number_unsigned();
  if (whole && number.get<uint64_t>() <= max) return number.get<uint64_t>();
  throw Json::type_error::create(302, "no number without sign and fraction, or too large", &number);
}

std::string KeyFrom(const Json& object) {
  const auto exact = object.find("key_base64");
  return exact != object.end() ? BytesFrom(*exact) : object.at("key").get<std::string>();
}

void TakeConfiguration(const Json& from, v1::Configuration* to) {
  to->set_num(NumberFrom(from.at("num")));
  for (const Json& each : from.at("groups")) {
    v1::Group* group = to->add_groups();
    group->set_gid(NumberFrom(each.at("gid")));
    group->set_joined(NumberFrom(each.at("joined")));
    for (const Json& member : each.at("members")) {
      v1::Member* added = group->add_members();
      added->set_node(NumberFrom(member.at("node")));
      added->set_address(member.at("address").get<std::string>());
    }
  }
  for (const Json& owner : from.at("owners")) to->add_owners(NumberFrom(owner));
  for (const Json& shard : from.at("pinned")) to->add_pinned(NumberFrom<uint32_t>(shard));
}

void TakeGroupChange(const Json& from, v1::GroupChange* to) {
  to->set_group(NumberFrom(from.at("group")));
  v1::GroupChange::Outcome outcome = v1::GroupChange::UNKNOWN;
  v1::GroupChange::Outcome_Parse(absl::AsciiStrToUpper(from.at("outcome").get<std::string>()),
                                 &outcome);
  to->set_outcome(outcome);
  v1::GroupChange::Reason reason = v1::GroupChange::NONE;
  v1::GroupChange::Reason_Parse(TextOr(from, "reason", ""), &reason);
  to->set_reason(reason);
  to->set_message(TextOr(from, "message", ""));
  to->set_membership_id(NumberFrom(from.at("membership_id")));
}

void TakeOutcome(const Json& from, v1::WriteOutcome* to) {
  const auto outcome = from.at("outcome").get<std::string>();
  to->set_kind(outcome == "executed"       ? v1::WriteOutcome::EXECUTED
               : outcome == "conflict"     ? v1::WriteOutcome::CONFLICT
               : outcome == "not_executed" ? v1::WriteOutcome::NOT_EXECUTED
                                           : v1::WriteOutcome::UNKNOWN);
  to->set_message(TextOr(from, "error", ""));
}

}  // namespace lockstep::bin
