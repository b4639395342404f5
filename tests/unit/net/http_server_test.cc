// The front over a real loopback socket.
#include "net/http/http_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "net/http/gzip.h"
#include "tests/unit/net/http_fake_service.h"
#include "tests/unit/net/http_raw_client.h"

namespace lockstep::net {
namespace {

using http_test::Answer;
using http_test::FakeService;
using http_test::FakeStore;
using http_test::RawClient;

constexpr char kOctets[] = "Content-Type: application/octet-stream\r\n";
constexpr size_t kMiB = size_t{1} << 20;

class Serving : public testing::Test {
 protected:
  void Start() {
    server_ = std::make_unique<HttpServer>(options_, service_);
    const absl::Status status = server_->Start("127.0.0.1:0");
    ASSERT_TRUE(status.ok()) << status;
  }
  std::string address() const { return server_->address(); }
  std::string Stored(const std::string& key) {
    std::string value;
    service_.With([&](FakeStore& store) { value = store.pairs[key]; });
    return value;
  }

  HttpOptions options_;
  FakeService service_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Serving, AnswersManyRequestsOverOneConnection) {
  Start();
  RawClient client(address());
  for (int i = 0; i < 20; ++i) {
    const std::string target = absl::StrCat("/api/v1/kv/k", i);
    ASSERT_EQ(client.Ask("PUT", target, R"({"value":"aGVsbG8="})").status, 200);
    const Answer got = client.Ask("GET", target);
    EXPECT_EQ(got.Json()["data"]["value"], "aGVsbG8=");
    EXPECT_EQ(got.Field("Content-Type"), "application/json");
    EXPECT_TRUE(absl::EndsWith(got.Field("Date"), " GMT"));
  }
  EXPECT_EQ(client.Ask("GET", "/metrics").Json()["api_metrics"]["total_requests"], 41);
}

TEST_F(Serving, AnswersPipelinedRequestsInOrder) {
  Start();
  RawClient client(address());
  std::string all;
  for (int i = 0; i < 300; ++i) {
    absl::StrAppend(&all, "PUT /api/v1/kv/k", i, " HTTP/1.1\r\nHost: x\r\n", kOctets,
                    "Content-Length: 2\r\n\r\nab\r\nGET /api/v1/kv/k", i,
                    " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  ASSERT_TRUE(client.Send(all));
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(client.Read().status, 200);
    EXPECT_EQ(client.Read().Json()["data"]["key"], absl::StrCat("k", i));
  }
}

TEST_F(Serving, TakesRequestsByteByByte) {
  Start();
  RawClient client(address());
  const std::string text = absl::StrCat("PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\n", kOctets,
                                        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  for (const char c : text) ASSERT_TRUE(client.Send(absl::string_view(&c, 1)));
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(Stored("a"), "abc");
}

TEST_F(Serving, SaysContinueBeforeTheBody) {
  Start();
  RawClient client(address());
  client.Send(absl::StrCat("PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\n", kOctets,
                           "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_EQ(client.Read(/*has_body=*/false).status, 100);
  client.Send("abc");
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(client.Ask("GET", "/api/v1/kv/a").status, 200);
}

TEST_F(Serving, AnswersHeadWithoutABody) {
  Start();
  RawClient client(address());
  client.Ask("PUT", "/api/v1/kv/a", "abc", kOctets);
  const Answer head =
      client.Ask("HEAD", "/api/v1/kv/a", "", "Accept: application/octet-stream\r\n");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Field("Content-Length"), "3");
  EXPECT_EQ(client.Ask("HEAD", "/api/v1/kv/none").status, 404);
  EXPECT_EQ(client.Ask("OPTIONS", "/api/v1/kv").status, 204);
  EXPECT_EQ(client.Ask("GET", "/api/v1/kv/a").status, 200) << "nothing of the heads was left over";
}

TEST_F(Serving, ClosesWhenAsked) {
  Start();
  RawClient client(address());
  const Answer answer = client.Ask("GET", "/api/v1/kv/a", "", "Connection: close\r\n");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.Field("Connection"), "close");
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(Serving, CarriesValuesOf64MiBBothWays) {
  Start();
  std::string value(64 * kMiB, 'v');
  for (size_t i = 0; i < value.size(); i += 4099) value[i] = static_cast<char>(i);
  RawClient client(address());
  ASSERT_EQ(client.Ask("PUT", "/api/v1/kv/raw", value, kOctets).status, 200);
  EXPECT_TRUE(Stored("raw") == value);
  EXPECT_TRUE(
      client.Ask("GET", "/api/v1/kv/raw", "", "Accept: application/octet-stream\r\n").body ==
      value);

  const std::string json = absl::StrCat("{\"value\":\"", absl::Base64Escape(value), "\"}");
  ASSERT_EQ(client.Ask("PUT", "/api/v1/kv/json", json).status, 200);
  EXPECT_TRUE(Stored("json") == value);
  const Answer got = client.Ask("GET", "/api/v1/kv/json");
  EXPECT_TRUE(absl::StrContains(got.body, absl::Base64Escape(value)));
  EXPECT_EQ(client.Ask("PUT", "/api/v1/kv/raw", value + "x", kOctets).Code(), "TOO_LARGE");
  EXPECT_EQ(client.Ask("GET", "/metrics").Json()["api_metrics"]["outstanding_bytes"], 0);
}

TEST_F(Serving, TakesAndGivesGzip) {
  Start();
  RawClient client(address());
  const std::string value(5 * kMiB, 'z');
  const std::string packed = http::Gzip(value);
  ASSERT_EQ(
      client.Ask("PUT", "/api/v1/kv/a", packed, absl::StrCat(kOctets, "Content-Encoding: gzip\r\n"))
          .status,
      200);
  EXPECT_TRUE(Stored("a") == value);
  const Answer got = client.Ask("GET", "/api/v1/kv/a", "",
                                "Accept: application/octet-stream\r\nAccept-Encoding: gzip\r\n");
  EXPECT_EQ(got.Field("Content-Encoding"), "gzip");
  EXPECT_TRUE(http::Gunzip(got.body, 6 * kMiB).value() == value);
}

TEST_F(Serving, ServesManyConnectionsAtOnce) {
  Start();
  std::vector<std::thread> threads;
  std::vector<int> answered(8, 0);
  for (size_t t = 0; t < answered.size(); ++t) {
    threads.emplace_back([&, t] {
      RawClient client(address());
      for (int i = 0; i < 100; ++i) {
        const std::string target = absl::StrCat("/api/v1/kv/t", t, "_", i);
        if (client.Ask("PUT", target, "x", kOctets).status != 200) return;
        if (client.Ask("GET", target).status == 200) ++answered[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, std::vector<int>(8, 100));
}

TEST_F(Serving, AnswersInSpiteOfASilentNode) {
  options_.answer_grace_ms = 20;
  Start();
  service_.Hold();
  RawClient client(address());
  const Answer put = client.Ask("PUT", "/api/v1/kv/a?timeout=10", "x", kOctets);
  EXPECT_EQ(put.status, 504);
  EXPECT_EQ(put.Json()["effect"], "unknown");
  const Answer get = client.Ask("GET", "/api/v1/kv/a", "", "Lockstep-Timeout-Ms: 10\r\n");
  EXPECT_EQ(get.status, 408);
  EXPECT_EQ(get.Json()["effect"], "none");
  service_.Release();  // The late replies find nobody.
  EXPECT_EQ(client.Ask("GET", "/api/v1/kv/a").status, 200);
  service_.With([](FakeStore& store) { EXPECT_LE(store.last.patience_us(), 10'000'000u); });
}

TEST_F(Serving, SurvivesAClientThatGoesAway) {
  Start();
  service_.Hold();
  {
    RawClient client(address());
    client.Send("GET /api/v1/kv/a HTTP/1.1\r\nHost: x\r\n\r\n");
    service_.AwaitHeld(1);
  }
  service_.Release();
  RawClient other(address());
  EXPECT_EQ(other.Ask("GET", "/api/v1/kv/a").status, 404);
}

TEST_F(Serving, DrainsWhatIsUnderWay) {
  options_.linger_ms_max = 20;
  Start();
  service_.Hold();
  RawClient busy(address());
  RawClient idle(address());
  EXPECT_EQ(idle.Ask("GET", "/nowhere").status, 404);
  busy.Send("GET /api/v1/kv/a HTTP/1.1\r\nHost: x\r\n\r\n");
  service_.AwaitHeld(1);
  std::thread stopping([&] { server_->Stop(/*drain_ms=*/20'000); });
  EXPECT_TRUE(idle.IsClosed());
  service_.Release();
  const Answer answer = busy.Read();
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.Field("Connection"), "close");
  EXPECT_TRUE(busy.IsClosed());
  stopping.join();
}

TEST_F(Serving, GivesUpWhatIsNotAnsweredInTime) {
  Start();
  service_.Hold();
  RawClient writer(address());
  writer.Send(absl::StrCat("PUT /api/v1/kv/a HTTP/1.1\r\nHost: x\r\n", kOctets,
                           "Content-Length: 1\r\n\r\nx"));
  service_.AwaitHeld(1);
  std::thread stopping([&] { server_->Stop(/*drain_ms=*/1); });
  const Answer answer = writer.Read();
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(answer.Json()["effect"], "unknown");
  stopping.join();
  server_.reset();
  service_.Release();  // A reply to a front that is gone.
}

TEST_F(Serving, NamesAnAddressThatCannotBeUsed) {
  Start();
  HttpServer second(options_, service_);
  EXPECT_EQ(second.Start(address()).message(),
            absl::StrCat(address(), ": address already in use; choose another with --listen-http"));
  for (const char* bad : {"", "7402", ":7402", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                          "::1:80", "256.0.0.1:80", "no such host:1"}) {
    HttpServer server(options_, service_);
    const absl::Status status = server.Start(bad);
    EXPECT_TRUE(absl::StrContains(status.message(), "--listen-http")) << bad << ": " << status;
  }
}

}  // namespace
}  // namespace lockstep::net
