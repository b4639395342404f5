// The Api by HTTP/JSON (docs/http.md), over libcurl. Values of single keys travel as they are, all
// others as base64.
#include <google/protobuf/util/json_util.h>

#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_api.h"
#include "bin/lockstep_http_client.h"
#include "bin/lockstep_http_mapping.h"

namespace lockstep::bin {
namespace {

constexpr char kRawBody[] = "Content-Type: application/octet-stream";
constexpr char kRawAnswer[] = "Accept: application/octet-stream";
constexpr char kJsonBody[] = "Content-Type: application/json";
// Of a write that needs none: see lockstep_http_handle.cc.
constexpr char kEmptyObject[] = "{}";

constexpr char kNodesPath[] = "/api/v1/cluster/nodes";

using Kind = HttpCall::Kind;

uint64_t Number(const HttpAnswer& answer, absl::string_view field) {
  uint64_t number = 0;
  return absl::SimpleAtoi(answer.Field(field), &number) ? number : 0;
}

bool IsSuccess(const HttpAnswer& answer) { return answer.status >= 200 && answer.status < 300; }

HttpCall GetCall(std::string target) {
  return {
      .method = "GET", .target = std::move(target), .kind = Kind::kRead, .body = "", .fields = {}};
}

HttpCall PostCall(std::string target, const Json& body, Kind kind) {
  return {.method = "POST",
          .target = std::move(target),
          .kind = kind,
          .body = net::http::Dump(body),
          .fields = {kJsonBody}};
}

class HttpApi : public Api {
 public:
  explicit HttpApi(std::unique_ptr<HttpClient> client) : client_(std::move(client)) {}

  absl::Status Connect() override { return client_->WaitForAny(GetCall("/livez")); }

  absl::StatusOr<v1::GetResponse> Get(const v1::GetRequest& request) override {
    HttpCall call =
        GetCall(absl::StrCat(KeyPath(request.key()), ConsistencyParam(request.consistency())));
    call.fields = {kRawAnswer};
    absl::StatusOr<HttpAnswer> answer = client_->Call(call);
    if (!answer.ok()) return answer.status();
    v1::GetResponse response;
    if (answer->status != 200 && CodeOf(*answer) != "KEY_NOT_FOUND") {
      return FailureOf(*answer, Kind::kRead);
    }
    response.set_found(answer->status == 200);
    response.set_version(Number(*answer, "Lockstep-Version"));
    response.set_stale(answer->Field("Lockstep-Stale") == "true");
    if (response.found()) response.set_value(std::move(answer->body));
    return response;
  }

  absl::StatusOr<v1::GetManyResponse> GetMany(const v1::GetManyRequest& request) override {
    Json keys = Json::array();
    for (const std::string& key : request.keys()) {
      keys.push_back({{"key_base64", net::http::Base64(key)}});
    }
    const HttpCall call =
        PostCall(absl::StrCat("/api/v1/batch/get", ConsistencyParam(request.consistency())),
                 {{"keys", std::move(keys)}}, Kind::kRead);
    v1::GetManyResponse response;
    absl::Status status = Call(call, [&](const Json& data) {
      response.set_stale(data.at("stale").get<bool>());
      for (const Json& each : data.at("pairs")) {
        v1::Pair* pair = response.add_pairs();
        pair->set_key(KeyFrom(each));
        pair->set_value(BytesFrom(each.at("value")));
      }
    });
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::PutResponse> Put(const v1::PutRequest& request) override {
    return RawWrite<v1::PutResponse>("PUT", request);
  }
  absl::StatusOr<v1::AppendResponse> Append(const v1::AppendRequest& request) override {
    return RawWrite<v1::AppendResponse>("PATCH", request);
  }
  absl::StatusOr<v1::DeleteResponse> Delete(const v1::DeleteRequest& request) override {
    return Write<v1::DeleteResponse>(
        {.method = "DELETE",
         .target = KeyPath(request.key()),
         .kind = Kind::kWrite,
         .body = kEmptyObject,
         .fields = SessionFields(request.has_session(), request.session())});
  }

  absl::StatusOr<v1::CompareAndSwapResponse> CompareAndSwap(
      const v1::CompareAndSwapRequest& request) override {
    HttpCall call =
        PostCall(absl::StrCat(KeyPath(request.key()), "/cas"), ToJson(request), Kind::kWrite);
    for (std::string& field : SessionFields(request.has_session(), request.session())) {
      call.fields.push_back(std::move(field));
    }
    absl::StatusOr<HttpAnswer> answer = client_->Call(call);
    if (!answer.ok()) return answer.status();
    const bool conflict = CodeOf(*answer) == "CONFLICT";
    if (!IsSuccess(*answer) && !conflict) return FailureOf(*answer, Kind::kWrite);
    v1::CompareAndSwapResponse response;
    absl::Status status = Read(*answer, Kind::kWrite, [&](const Json& body) {
      const Json& data = conflict ? body : body.at("data");
      response.set_swapped(!conflict);
      response.set_version(NumberFrom(data.at("version")));
      response.set_replayed(data.at("replayed").get<bool>());
      if (!conflict) return;
      if (!data.at("actual").is_null()) response.set_actual(BytesFrom(data.at("actual")));
      response.set_actual_omitted(data.contains("actual_omitted"));
    });
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::ListResponse> List(const v1::ListRequest& request) override {
    v1::ListResponse response;
    absl::Status status = Call(GetCall(ListTarget(request)), [&](const Json& data) {
      for (const Json& key : data.at("keys_base64")) {
        response.add_pairs()->set_key(BytesFrom(key));
      }
      for (int i = 0; !request.keys_only() && i < response.pairs_size(); ++i) {
        const Json& pair = data.at("pairs").at(static_cast<size_t>(i));
        response.mutable_pairs(i)->set_value(BytesFrom(pair.at("value")));
      }
      const Json& continuation = data.at("continuation");
      if (!continuation.is_null()) response.set_continuation(continuation.get<std::string>());
      response.set_stale(data.at("stale").get<bool>());
    });
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::BatchResponse> Batch(const v1::BatchRequest& request) override {
    absl::StatusOr<Json> body = ToJson(request);
    if (!body.ok()) return body.status();
    HttpCall call = PostCall("/api/v1/batch", *body, Kind::kWrite);
    for (std::string& field : SessionFields(request.has_session(), request.session())) {
      call.fields.push_back(std::move(field));
    }
    absl::StatusOr<HttpAnswer> answer = client_->Call(call);
    if (!answer.ok()) return answer.status();
    const bool conflict = CodeOf(*answer) == "CONFLICT";
    if (!IsSuccess(*answer) && !conflict) return FailureOf(*answer, Kind::kWrite);
    v1::BatchResponse response;
    absl::Status status = Read(*answer, Kind::kWrite, [&](const Json& whole) {
      const Json& data = conflict ? whole : whole.at("data");
      response.set_committed(!conflict && data.at("committed").get<bool>());
      if (!request.atomic()) {
        for (const Json& each : data.at("each")) TakeOutcome(each, response.add_each());
        return;
      }
      response.set_version(NumberFrom(data.at("version")));
      response.set_replayed(data.at("replayed").get<bool>());
      if (conflict) response.set_failed_write(NumberFrom<uint32_t>(data.at("failed_operation")));
    });
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::JoinResponse> Join(const v1::JoinRequest& request) override {
    return Change<v1::JoinResponse>("join", ToJson(request));
  }
  absl::StatusOr<v1::LeaveResponse> Leave(const v1::LeaveRequest& request) override {
    Json gids = Json::array();
    for (const uint64_t gid : request.gids()) gids.push_back(gid);
    return Change<v1::LeaveResponse>("leave", {{"gids", gids}, {"force", request.force()}});
  }
  absl::StatusOr<v1::MoveResponse> Move(const v1::MoveRequest& request) override {
    return Change<v1::MoveResponse>("move", {{"shard", request.shard()}, {"gid", request.gid()}});
  }
  absl::StatusOr<v1::UnpinResponse> Unpin(const v1::UnpinRequest& request) override {
    return Change<v1::UnpinResponse>("unpin", {{"shard", request.shard()}});
  }

  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request) override {
    const std::string number = request.num() == 0 ? "" : absl::StrCat("/", request.num());
    v1::QueryResponse response;
    absl::Status status =
        Call(GetCall(absl::StrCat("/api/v1/cluster/configuration", number)),
             [&](const Json& data) { TakeConfiguration(data, response.mutable_configuration()); });
    if (!status.ok()) return status;
    return response;
  }

  absl::StatusOr<v1::TransferLeaderResponse> TransferLeader(
      const v1::TransferLeaderRequest& request) override {
    absl::Status status =
        Call(PostCall("/api/v1/cluster/transfer",
                      {{"group", request.group()}, {"to", request.to()}}, Kind::kWrite),
             [](const Json&) {});
    if (!status.ok()) return status;
    return v1::TransferLeaderResponse();
  }

  absl::StatusOr<v1::AddNodeResponse> AddNode(const v1::AddNodeRequest& request) override {
    return ChangeNodes<v1::AddNodeResponse>(PostCall(kNodesPath, ToJson(request), Kind::kWrite));
  }
  absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(const v1::RemoveNodeRequest& request) override {
    return ChangeNodes<v1::RemoveNodeResponse>({.method = "DELETE",
                                                .target = RemoveNodeTarget(request),
                                                .kind = Kind::kWrite,
                                                .body = kEmptyObject,
                                                .fields = {}});
  }
  absl::StatusOr<v1::ReplaceNodeResponse> ReplaceNode(
      const v1::ReplaceNodeRequest& request) override {
    return ChangeNodes<v1::ReplaceNodeResponse>(
        PostCall(kNodesPath, ToJson(request), Kind::kWrite));
  }

  absl::StatusOr<v1::StatusResponse> Status(const v1::StatusRequest& request) override {
    v1::StatusResponse response;
    bool read = false;
    absl::Status status = Call(
        GetCall(absl::StrCat("/api/v1/cluster/status", request.shards() ? "?shards=true" : "")),
        [&](const Json& data) {
          google::protobuf::util::JsonParseOptions options;
          options.ignore_unknown_fields = true;  // What is there for readers of one group.
          read =
              google::protobuf::util::JsonStringToMessage(net::http::Dump(data), &response, options)
                  .ok();
        });
    if (!status.ok()) return status;
    if (!read) return absl::InternalError("the server's status cannot be read");
    return response;
  }

  absl::Status Health(const std::string& server) override {
    absl::StatusOr<HttpAnswer> answer = client_->CallServer(server, GetCall("/readyz"));
    if (!answer.ok()) return answer.status();
    if (answer->status == 200) return absl::OkStatus();
    std::string problems;
    const absl::Status status = Read(*answer, Kind::kRead, [&](const Json& body) {
      for (const Json& each : body.at("problems")) {
        absl::StrAppend(&problems, problems.empty() ? "" : "; ", each.get<std::string>());
      }
    });
    if (!status.ok()) return FailureOf(*answer, Kind::kRead);
    return absl::UnavailableError(absl::StrCat(server, ": ", problems));
  }

  absl::StatusOr<std::string> Metrics(const std::string& server) override {
    absl::StatusOr<HttpAnswer> answer =
        client_->CallServer(server, GetCall("/metrics?format=prometheus"));
    if (!answer.ok()) return answer.status();
    if (answer->status != 200) return FailureOf(*answer, Kind::kRead);
    return std::move(answer->body);
  }

 private:
  // A call whose answer is {"success":true,"data":...}, or a failure.
  absl::Status Call(const HttpCall& call, const std::function<void(const Json& data)>& read) {
    absl::StatusOr<HttpAnswer> answer = client_->Call(call);
    if (!answer.ok()) return answer.status();
    if (!IsSuccess(*answer)) return FailureOf(*answer, call.kind);
    return Read(*answer, call.kind, [&](const Json& body) { read(body.at("data")); });
  }

  template <class Response>
  absl::StatusOr<Response> Write(const HttpCall& call) {
    Response response;
    absl::Status status = Call(call, [&](const Json& data) {
      response.set_version(NumberFrom(data.at("version")));
      response.set_replayed(data.at("replayed").get<bool>());
    });
    if (!status.ok()) return status;
    return response;
  }

  // An empty value goes as JSON: a write has a body.
  template <class Response, class Request>
  absl::StatusOr<Response> RawWrite(absl::string_view method, const Request& request) {
    const bool raw = !request.value().empty();
    HttpCall call{.method = std::string(method),
                  .target = KeyPath(request.key()),
                  .kind = Kind::kWrite,
                  .body = raw ? request.value() : R"({"value":""})",
                  .fields = SessionFields(request.has_session(), request.session())};
    call.fields.push_back(raw ? kRawBody : kJsonBody);
    return Write<Response>(call);
  }

  template <class Response>
  absl::StatusOr<Response> Change(absl::string_view what, const Json& body) {
    Response response;
    absl::Status status = Call(PostCall(absl::StrCat("/api/v1/cluster/", what), body, Kind::kWrite),
                               [&](const Json& data) {
                                 response.set_configuration(NumberFrom(data.at("configuration")));
                               });
    if (!status.ok()) return status;
    return response;
  }

  template <class Response>
  absl::StatusOr<Response> ChangeNodes(const HttpCall& call) {
    Response response;
    absl::Status status = Call(call, [&](const Json& data) {
      for (const Json& each : data.at("groups")) TakeGroupChange(each, response.add_groups());
    });
    if (!status.ok()) return status;
    return response;
  }

  const std::unique_ptr<HttpClient> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Api>> OpenHttpApi(const ApiOptions& options) {
  absl::StatusOr<std::unique_ptr<HttpClient>> client =
      HttpClient::Open(options.servers, options.timeout, options.credentials);
  if (!client.ok()) return client.status();
  return std::make_unique<HttpApi>(*std::move(client));
}

}  // namespace lockstep::bin
