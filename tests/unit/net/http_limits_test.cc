// What a hostile or broken client can do to the front: nothing but be refused.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "net/http/gzip.h"
#include "net/http/http_server.h"
#include "tests/unit/net/http_fake_service.h"
#include "tests/unit/net/http_raw_client.h"

namespace lockstep::net {
namespace {

using http_test::Answer;
using http_test::FakeService;
using http_test::RawClient;

constexpr char kOctets[] = "Content-Type: application/octet-stream\r\n";
constexpr size_t kMiB = size_t{1} << 20;

class Limits : public testing::Test {
 protected:
  void Start() {
    server_ = std::make_unique<HttpServer>(options_, service_);
    const absl::Status status = server_->Start("127.0.0.1:0");
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string address() const { return server_->address(); }
  // The front still serves, and holds nothing of what was.
  void ExpectUnharmed() {
    RawClient client(address());
    const Answer metrics = client.Ask("GET", "/metrics");
    ASSERT_EQ(metrics.status, 200);
    EXPECT_EQ(metrics.Json()["api_metrics"]["outstanding_bytes"], 0);
  }

  HttpOptions options_;
  FakeService service_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Limits, RefusesMalformedRequestsAndCloses) {
  Start();
  for (const std::string& text :
       {std::string("nonsense\r\n\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8), std::string("GET / HTTP/3.0\r\n\r\n"),
        std::string("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")}) {
    RawClient client(address());
    client.Send(text);
    const Answer answer = client.Read();
    EXPECT_TRUE(answer.status == 400 || answer.status == 505) << answer.status << " for " << text;
    EXPECT_EQ(answer.Field("Connection"), "close");
    EXPECT_TRUE(client.IsClosed());
  }
  ExpectUnharmed();
}

TEST_F(Limits, RefusesALongHeader) {
  Start();
  RawClient client(address());
  client.Send(
      absl::StrCat("GET / HTTP/1.1\r\nHost: x\r\na: ", std::string(20'000, 'b'), "\r\n\r\n"));
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 431);
  EXPECT_EQ(answer.Code(), "HEADER_TOO_LARGE");
  EXPECT_TRUE(client.IsClosed());
}

// The answer must arrive although the client is still sending.
TEST_F(Limits, RefusesALongBody) {
  options_.body_bytes_max = kMiB;
  Start();
  RawClient client(address());
  const Answer answer = client.Ask("PUT", "/api/v1/kv/a", std::string(8 * kMiB, 'x'), kOctets);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.Code(), "TOO_LARGE");
  RawClient careful(address());
  careful.Send(
      "PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 9000000\r\n\r\n");
  EXPECT_EQ(careful.Read().status, 413) << "and no 100 before it";
  RawClient chunked(address());
  chunked.Send(absl::StrCat(
      "PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "100001\r\n"));
  EXPECT_EQ(chunked.Read().status, 413);
  ExpectUnharmed();
}

TEST_F(Limits, RefusesGzipBombs) {
  options_.body_bytes_max = 4 * kMiB;
  Start();
  const std::string bomb = http::Gzip(std::string(200 * kMiB, '\0'));
  ASSERT_LT(bomb.size(), kMiB);
  RawClient client(address());
  const std::string fields = absl::StrCat(kOctets, "Content-Encoding: gzip\r\n");
  EXPECT_EQ(client.Ask("PUT", "/api/v1/kv/a", bomb, fields).status, 413);
  std::string liar = bomb;
  liar.replace(liar.size() - 4, 4, std::string("\x10\0\0\0", 4));
  EXPECT_EQ(client.Ask("PUT", "/api/v1/kv/a", liar, fields).status, 400);
  EXPECT_EQ(client.Ask("PUT", "/api/v1/kv/a", "not gzip", fields).status, 400);
  ExpectUnharmed();
}

TEST_F(Limits, EndsASlowHeader) {
  options_.header_ms_max = 30;
  Start();
  RawClient client(address());
  client.Send("GET /api/v1/kv/a HTTP/1.1\r\nHost:");
  const Answer answer = client.Read();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.Code(), "TIMEOUT");
  EXPECT_EQ(answer.Json()["effect"], "none");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(Limits, EndsABodyThatStops) {
  options_.stall_ms_max = 30;
  Start();
  RawClient client(address());
  client.Send("PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(client.Read().status, 408);
  EXPECT_TRUE(client.IsClosed());
  ExpectUnharmed();
}

TEST_F(Limits, EndsAnIdleConnection) {
  options_.idle_ms_max = 30;
  Start();
  RawClient silent(address());
  EXPECT_TRUE(silent.IsClosed());
  RawClient once(address());
  EXPECT_EQ(once.Ask("GET", "/nowhere").status, 404);
  EXPECT_TRUE(once.IsClosed());
}

// An answer that nobody takes is not kept for ever.
TEST_F(Limits, EndsAClientThatDoesNotRead) {
  options_.stall_ms_max = 30;
  Start();
  service_.With(
      [](http_test::FakeStore& store) { store.pairs["a"] = std::string(32 * kMiB, 'x'); });
  RawClient client(address());
  client.Send("GET /api/v1/kv/a HTTP/1.1\r\nHost: x\r\n\r\n");
  RawClient other(address());
  for (bool gone = false; !gone;) {
    const Answer metrics = other.Ask("GET", "/metrics");
    ASSERT_EQ(metrics.status, 200);
    const http::Json api = metrics.Json()["api_metrics"];
    gone = api["connections"] == 1 && api["outstanding_bytes"] == 0;
  }
  EXPECT_EQ(client.Read().status, 0) << "the answer was cut off";
}

TEST_F(Limits, ForgetsATruncatedBody) {
  Start();
  {
    RawClient client(address());
    client.Send("PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nabc");
    RawClient other(address());
    while (other.Ask("GET", "/metrics").Json()["api_metrics"]["outstanding_bytes"] != 1'000'000) {
    }
  }
  RawClient other(address());
  while (other.Ask("GET", "/metrics").Json()["api_metrics"]["outstanding_bytes"] != 0) {
  }
  service_.With([](http_test::FakeStore& store) { EXPECT_EQ(store.asked, 0u); });
}

TEST_F(Limits, RefusesMoreBytesThanItMayHold) {
  options_.outstanding_bytes_max = kMiB;
  Start();
  RawClient first(address());
  first.Send("PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\nabc");
  RawClient second(address());
  while (second.Ask("GET", "/metrics").Json()["api_metrics"]["outstanding_bytes"] != 900'000) {
  }
  const Answer refused = second.Ask("PUT", "/api/v1/kv/b", std::string(200'000, 'x'), kOctets);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Code(), "OVERLOADED");
  EXPECT_EQ(refused.Field("Retry-After"), "1");
  // Answers count as well.
  service_.With([](http_test::FakeStore& store) { store.pairs["big"] = std::string(kMiB, 'x'); });
  RawClient third(address());
  EXPECT_EQ(third.Ask("GET", "/api/v1/kv/big").Code(), "OVERLOADED");
}

TEST_F(Limits, RefusesOneConnectionTooMany) {
  options_.connections_max = 2;
  Start();
  RawClient first(address());
  RawClient second(address());
  EXPECT_EQ(first.Ask("GET", "/nowhere").status, 404);
  EXPECT_EQ(second.Ask("GET", "/nowhere").status, 404);
  RawClient third(address());
  const Answer refused = third.Read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Code(), "OVERLOADED");
  EXPECT_TRUE(third.IsClosed());
  EXPECT_EQ(first.Ask("GET", "/nowhere").status, 404);
}

TEST_F(Limits, TakesKeysOfAnyBytes) {
  Start();
  RawClient client(address());
  ASSERT_EQ(client.Ask("PUT", "/api/v1/kv/%ff%fe%00", "v", kOctets).status, 200);
  const http::Json data = client.Ask("GET", "/api/v1/kv/%FF%FE%00").Json()["data"];
  EXPECT_EQ(data["key_base64"], "//4A");
  EXPECT_EQ(client.Ask("GET", "/api/v1/kv/%f").status, 400);
  EXPECT_EQ(client.Ask("PUT", "/api/v1/kv/a", R"({"value":"=?"})").Code(), "INVALID_VALUE");
}

}  // namespace
}  // namespace lockstep::net
