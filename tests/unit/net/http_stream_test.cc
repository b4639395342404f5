// The dashboard's data and its stream over a real loopback socket.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "net/http/http_server.h"
#include "tests/unit/net/http_dashboard_samples.h"
#include "tests/unit/net/http_fake_service.h"
#include "tests/unit/net/http_raw_client.h"

namespace lockstep::net {
namespace {

using http::Json;
using http_test::Answer;
using http_test::FakeService;
using http_test::FakeStore;
using http_test::RawClient;

constexpr char kStream[] = "/api/v1/dashboard/stream";

class Streaming : public testing::Test {
 protected:
  Streaming() {
    options_.dashboard_watched_ms = 10;
    SetCluster(http_test::CalmCluster());
  }
  void Start() {
    server_ = std::make_unique<HttpServer>(options_, service_);
    const absl::Status status = server_->Start("127.0.0.1:0");
    ASSERT_TRUE(status.ok()) << status;
  }
  void SetCluster(const lockstep::v1::StatusResponse& cluster) {
    service_.With([&](FakeStore& store) { store.cluster = cluster; });
  }
  std::string address() const { return server_->address(); }
  Json Metrics() const { return RawClient(address()).Ask("GET", "/metrics").Json()["api_metrics"]; }
  // Waits until the answer has it.
  Json Await(const char* path) const {
    Answer answer;
    do {
      answer = RawClient(address()).Ask("GET", path);
    } while (answer.status == 503);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.Json();
  }

  struct Event {
    std::string name;
    Json data;
  };
  // The next one; heartbeats are skipped.
  static Event Next(RawClient& client) {
    std::string text;
    do {
      text = client.ReadUntil("\n\n");
    } while (absl::StartsWith(text, ":"));
    Event event;
    const std::vector<std::string> lines = absl::StrSplit(text, '\n');
    for (const std::string& line : lines) {
      if (absl::StartsWith(line, "event: ")) event.name = line.substr(7);
      if (absl::StartsWith(line, "data: ")) event.data = Json::parse(line.substr(6));
    }
    return event;
  }

  HttpOptions options_;
  FakeService service_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Streaming, DataComeWithTheFirstSample) {
  Start();
  const Json all = Await("/api/v1/dashboard");
  EXPECT_EQ(all["success"], true);
  EXPECT_EQ(all["data"]["topology"]["cluster"], "test");
  EXPECT_EQ(all["data"]["metrics"]["totalKeys"], 40);
  EXPECT_EQ(all["data"]["shards"].size(), 4u);
  EXPECT_TRUE(all["data"]["events"].is_array());
  EXPECT_EQ(Await("/api/v1/topology")["data"]["totalShards"], 4);
  EXPECT_EQ(Await("/api/v1/metrics.json")["data"]["totalNodes"], 3);
  service_.With([](FakeStore& store) { EXPECT_TRUE(store.last.cluster_status().shards()); });
}

TEST_F(Streaming, TellsEverythingAndThenWhatIsNew) {
  Start();
  RawClient client(address());
  const Answer head = client.Ask("GET", kStream);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Field("Content-Type"), "text/event-stream");
  EXPECT_EQ(head.Field("Connection"), "close");
  EXPECT_EQ(head.Field("Content-Length"), "");
  const Event first = Next(client);
  EXPECT_EQ(first.name, "state");
  EXPECT_EQ(first.data["topology"]["totalShards"], 4);
  const Event second = Next(client);
  EXPECT_EQ(second.name, "update");
  EXPECT_EQ(second.data["metrics"]["series"]["at"].size(), 1u);

  lockstep::v1::StatusResponse status = http_test::CalmCluster();
  http_test::Silence(&status, 3);
  SetCluster(status);
  Event event;
  do {
    event = Next(client);
    ASSERT_EQ(event.name, "update");
  } while (event.data["events"].empty());
  EXPECT_EQ(event.data["events"].size(), 1u);
  EXPECT_EQ(event.data["events"][0]["kind"], "node_offline");
  EXPECT_TRUE(Next(client).data["events"].empty()) << "once";
}

TEST_F(Streaming, LivesWithoutNews) {
  options_.dashboard_heartbeat_ms = 20;
  Start();
  service_.Hold();
  RawClient client(address());
  client.Ask("GET", kStream);
  EXPECT_EQ(client.ReadUntil("\n\n"), ": alive\n\n");
  EXPECT_EQ(client.ReadUntil("\n\n"), ": alive\n\n");
  service_.Release();
  EXPECT_EQ(Next(client).name, "state");
}

TEST_F(Streaming, AreOnlySoMany) {
  options_.dashboard_streams_max = 2;
  Start();
  RawClient first(address());
  auto second = std::make_unique<RawClient>(address());
  EXPECT_EQ(first.Ask("GET", kStream).status, 200);
  EXPECT_EQ(second->Ask("GET", kStream).status, 200);
  RawClient third(address());
  const Answer refused = third.Ask("GET", kStream);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.Code(), "OVERLOADED");
  EXPECT_EQ(refused.Json()["effect"], "none");
  EXPECT_TRUE(absl::StrContains(refused.body, "dashboard_streams_max (2)"));
  second.reset();
  while (third.Ask("GET", kStream).status == 503) std::this_thread::yield();
  EXPECT_EQ(Next(third).name, "state") << "on the connection that was refused before";
}

// Three megabytes at a time, to a client that takes none: one event is on its way, no more.
TEST_F(Streaming, AReaderThatStopsIsLetGo) {
  options_.stall_ms_max = 1500;
  lockstep::v1::StatusResponse status = http_test::CalmCluster();
  status.set_cluster(std::string(size_t{3} << 20, 'x'));
  SetCluster(status);
  Start();
  RawClient client(address());
  client.Send(absl::StrCat("GET ", kStream, " HTTP/1.1\r\nHost: x\r\n\r\n"));
  uint64_t most = 0;
  bool seen = false;
  while (true) {
    const Json metrics = Metrics();
    const auto outstanding = metrics["outstanding_bytes"].get<uint64_t>();
    most = std::max(most, outstanding);
    seen = seen || outstanding > 0;
    if (seen && metrics["connections"] == 1) break;  // ours alone: the stream is closed
  }
  EXPECT_LT(most, uint64_t{8} << 20);
  EXPECT_EQ(Metrics()["outstanding_bytes"], 0);
  EXPECT_TRUE(client.IsClosed());
}

// Having missed something, it is told everything.
TEST_F(Streaming, AReaderThatIsSlowMissesUpdates) {
  lockstep::v1::StatusResponse status = http_test::CalmCluster();
  status.set_cluster(std::string(size_t{3} << 20, 'x'));
  SetCluster(status);
  Start();
  RawClient client(address());
  client.Ask("GET", kStream);
  EXPECT_EQ(Next(client).name, "state");
  while (Metrics()["outstanding_bytes"] == 0) std::this_thread::yield();  // It is full.
  const uint64_t answered = Metrics()["total_requests"].get<uint64_t>();
  EXPECT_GT(answered, 0u);
  std::string name;
  do {
    name = Next(client).name;
  } while (name == "update");
  EXPECT_EQ(name, "state");
}

TEST_F(Streaming, EndWhenTheNodeDoes) {
  Start();
  RawClient client(address());
  client.Ask("GET", kStream);
  EXPECT_EQ(Next(client).name, "state");
  server_->Stop(/*drain_ms=*/20'000);
  EXPECT_TRUE(client.IsClosed());
}

TEST_F(Streaming, TakeNoMoreRequests) {
  Start();
  RawClient client(address());
  client.Ask("GET", kStream);
  EXPECT_EQ(Next(client).name, "state");
  client.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.IsClosed());
  RawClient other(address());
  EXPECT_EQ(other.Ask("HEAD", kStream).status, 200);
  EXPECT_EQ(other.Ask("GET", "/").status, 200) << "a HEAD is no stream";
}

// With nobody who watches the cluster is asked seldom, but it is.
TEST_F(Streaming, TheClusterIsLookedAtUnasked) {
  options_.dashboard_idle_ms = 50;
  Start();
  uint64_t asked = 0;
  while (asked < 2) {
    service_.With([&](FakeStore& store) { asked = store.asked; });
  }
}

}  // namespace
}  // namespace lockstep::net
