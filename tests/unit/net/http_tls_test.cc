// The HTTP front with TLS and with a policy: who gets in, and what is said to who does not.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bin/lockstep_http_client.h"
#include "net/http/http_server.h"
#include "net/http/routes.h"
#include "tests/unit/net/http_fake_service.h"
#include "tests/unit/net/http_raw_client.h"
#include "tests/unit/net/test_certificates.h"

namespace lockstep::net {
namespace {

using bin::HttpAnswer;
using bin::HttpCall;
using bin::HttpClient;
using http_test::Answer;
using http_test::FakeService;
using http_test::RawClient;

class HttpTls : public testing::Test {
 protected:
  void Start(TlsDemand demand = TlsDemand::kVerified) {
    options_.tls = store_;
    options_.tls_demand = demand;
    server_ = std::make_unique<HttpServer>(options_, service_);
    const absl::Status status = server_->Start("127.0.0.1:0");
    ASSERT_TRUE(status.ok()) << status;
  }
  absl::StatusOr<HttpAnswer> Call(const client::Credentials& credentials, const HttpCall& call) {
    return (*HttpClient::Open({server_->address()}, std::chrono::seconds(20), credentials))
        ->CallServer(server_->address(), call);
  }
  absl::StatusOr<HttpAnswer> Put(const client::Credentials& credentials, const std::string& key,
                                 const std::string& value) {
    return Call(credentials, {.method = "PUT",
                              .target = "/api/v1/kv/" + key,
                              .kind = HttpCall::Kind::kWrite,
                              .body = value,
                              .fields = {"Content-Type: application/octet-stream"}});
  }
  absl::StatusOr<HttpAnswer> Get(const client::Credentials& credentials, const std::string& key) {
    return Call(credentials, {.method = "GET",
                              .target = "/api/v1/kv/" + key,
                              .body = "",
                              .fields = {"Accept: application/octet-stream"}});
  }

  const std::shared_ptr<TlsStore> store_ = StoreOf(NodeRequest(1));
  HttpOptions options_;
  FakeService service_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpTls, ValuesOfAllSizesGoBothWays) {
  Start();
  const client::Credentials credentials = ClientCredentials("admin");
  for (const size_t bytes : {size_t{1}, size_t{100'000}, size_t{20} << 20}) {
    const std::string value(bytes, 'v');
    const auto put = Put(credentials, "k", value);
    ASSERT_TRUE(put.ok()) << put.status();
    EXPECT_EQ(put->status, 200) << put->body;
    const auto got = Get(credentials, "k");
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_EQ(got->status, 200);
    EXPECT_TRUE(got->body == value) << bytes;
  }
}

TEST_F(HttpTls, WhoShowsNoCertificateDoesNotGetIn) {
  Start();
  EXPECT_FALSE(Get(ClientCredentials(""), "k").ok());
  const TlsPem foreign = PemOf(ClientRequestFor("admin"), OtherAuthority());
  EXPECT_FALSE(Get({.authorities = foreign.authorities,
                    .certificate = foreign.certificate,
                    .key = foreign.key},
                   "k")
                   .ok());
  const TlsPem old = PemOf(ClientRequestFor("admin", Yesterday()));
  EXPECT_FALSE(
      Get({.authorities = old.authorities, .certificate = old.certificate, .key = old.key}, "k")
          .ok());
  // And who does not trust the server's does not go in.
  client::Credentials distrustful = ClientCredentials("admin");
  distrustful.authorities = OtherAuthority().certificate;
  EXPECT_FALSE(Get(distrustful, "k").ok());
  EXPECT_TRUE(Get(ClientCredentials("admin"), "k").ok());
}

TEST_F(HttpTls, PlainTextIsToldWhatToDo) {
  Start();
  RawClient client(server_->address());
  client.Send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.Code(), "TLS_REQUIRED");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(HttpTls, NobodyMayTakeLongToShakeHands) {
  options_.handshake_ms_max = 50;
  Start();
  RawClient silent(server_->address());
  EXPECT_TRUE(silent.IsClosed());
  RawClient slow(server_->address());
  slow.Send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8));
  EXPECT_TRUE(slow.IsClosed());
  EXPECT_TRUE(Get(ClientCredentials("admin"), "k").ok());
}

TEST_F(HttpTls, NewCertificatesAreShownToNewConnections) {
  Start();
  client::Credentials trusting_another = ClientCredentials("admin");
  trusting_another.authorities = OtherAuthority().certificate;
  EXPECT_FALSE(Get(trusting_another, "k").ok());
  store_->Replace(CredentialsOf(NodeRequest(1), OtherAuthority()));
  EXPECT_TRUE(Get(trusting_another, "k").ok());
}

TEST_F(HttpTls, OneAddressDoesNotTakeAllConnections) {
  options_.connections_per_address_max = 3;
  Start(TlsDemand::kNone);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<RawClient>(server_->address()));
  RawClient beyond(server_->address());
  EXPECT_TRUE(beyond.IsClosed());
}

// --- Access

class HttpAccess : public HttpTls {
 protected:
  void StartWithPolicy() {
    options_.guard = std::make_shared<Guard>(PolicyForTests());
    Start(TlsDemand::kIfGiven);
  }
  // The status, and the code of a failure.
  std::string Of(const absl::StatusOr<HttpAnswer>& answer) {
    if (!answer.ok()) return std::string(answer.status().message());
    const auto json = http::Json::parse(answer->body, nullptr, false);
    const bool has_code = json.is_object() && json.contains("code");
    return absl::StrCat(answer->status, has_code ? " " + json["code"].get<std::string>() : "");
  }
};

TEST_F(HttpAccess, EachRoleMayWhatItMay) {
  StartWithPolicy();
  const client::Credentials nobody = ClientCredentials("");
  const client::Credentials wrong = ClientCredentials("", "guessed");
  const client::Credentials reader = ClientCredentials("", "read-token");
  const client::Credentials orders = ClientCredentials("", "orders-token");
  const client::Credentials admin = ClientCredentials("admin");
  EXPECT_EQ(Of(Put(nobody, "k", "v")), "401 UNAUTHENTICATED");
  EXPECT_EQ(Of(Put(wrong, "k", "v")), "401 UNAUTHENTICATED");
  EXPECT_EQ(Of(Put(ClientCredentials("stranger"), "k", "v")), "401 UNAUTHENTICATED");
  EXPECT_EQ(Of(Put(reader, "k", "v")), "403 PERMISSION_DENIED");
  EXPECT_EQ(Of(Put(orders, "k", "v")), "403 PERMISSION_DENIED");
  EXPECT_EQ(Of(Put(orders, "orders-1", "v")), "200");
  EXPECT_EQ(Of(Put(admin, "k", "v")), "200");
  EXPECT_EQ(Of(Get(reader, "k")), "200");
  EXPECT_EQ(Of(Get(orders, "k")), "403 PERMISSION_DENIED");
  const HttpCall move{.method = "POST",
                      .target = "/api/v1/cluster/move",
                      .kind = HttpCall::Kind::kWrite,
                      .body = R"({"shard":1,"gid":101})",
                      .fields = {"Content-Type: application/json"}};
  EXPECT_EQ(Of(Call(reader, move)), "403 PERMISSION_DENIED");
  EXPECT_EQ(Of(Call(orders, move)), "403 PERMISSION_DENIED");
  EXPECT_NE(Of(Call(admin, move)).substr(0, 1), "4");
  service_.With([](http_test::FakeStore& store) {
    EXPECT_EQ(store.pairs.size(), 2u);  // What was refused has not come through.
  });
}

// Every route of the table but those of health, and the page's own files, wants somebody who may
// read, at the least.
TEST_F(HttpAccess, NoRouteIsForgotten) {
  StartWithPolicy();
  for (const http::Route& route : http::Routes()) {
    const bool open = route.role == Role::kNone;
    const bool harmless = route.operation == "Health" || route.operation == "Alive" ||
                          route.pattern == "/dashboard/{file}";
    EXPECT_EQ(open, harmless) << route.pattern;
    if (open) continue;
    const bool read = route.method == http::Method::kGet;
    const HttpCall call{.method = std::string(http::Name(route.method)),
                        .target = std::string(route.pattern),
                        .kind = read ? HttpCall::Kind::kRead : HttpCall::Kind::kWrite,
                        .body = read ? "" : "{}",
                        .fields = {}};
    EXPECT_EQ(Of(Call(ClientCredentials(""), call)), "401 UNAUTHENTICATED") << route.pattern;
  }
  const HttpCall health{.method = "GET", .target = "/livez", .body = "", .fields = {}};
  EXPECT_NE(Of(Call(ClientCredentials(""), health)).substr(0, 2), "40");
}

TEST_F(HttpAccess, ABrowserIsAskedForAPassword) {
  StartWithPolicy();
  const HttpCall status{
      .method = "GET", .target = "/api/v1/cluster/status", .body = "", .fields = {}};
  const auto refused = Call(ClientCredentials(""), status);
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->Field("WWW-Authenticate").substr(0, 6), "Bearer");
  HttpCall with_password = status;
  with_password.fields = {"Authorization: Basic bWU6cmVhZC10b2tlbg=="};  // me:read-token
  EXPECT_EQ(Of(Call(ClientCredentials(""), with_password)), "200");
}

}  // namespace
}  // namespace lockstep::net
