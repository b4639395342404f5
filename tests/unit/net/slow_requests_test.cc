// What took long is told in one line, with where its time went, and not too often.
#include "net/metrics/slow_requests.h"

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/kv/command.h"
#include "core/proto/gateway.pb.h"
#include "core/proto/lockstep/v1/kv.grpc.pb.h"
#include "net/http/http_server.h"
#include "net/rpc/rpc_server.h"
#include "tests/unit/net/http_fake_service.h"
#include "tests/unit/net/http_raw_client.h"

namespace lockstep::net {
namespace {

using http_test::FakeService;
using http_test::FakeStore;
using http_test::RawClient;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Fields = std::map<std::string, std::string>;

constexpr milliseconds kSlow{50};

// Lines, as their fields. Thread-safe.
class Lines {
 public:
  LogSink Sink() {
    return [this](LogLevel level, absl::string_view part, absl::string_view text,
                  const std::vector<LogField>& fields) {
      EXPECT_EQ(level, LogLevel::kWarn);
      EXPECT_EQ(text, "slow request");
      Fields line = {{"part", std::string(part)}};
      for (const LogField& field : fields) line[field.name] = field.value;
      const std::lock_guard<std::mutex> lock(mutex_);
      lines_.push_back(std::move(line));
    };
  }
  std::vector<Fields> all() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return lines_;
  }
  // The next line, which comes before an answer reaches its caller, or soon after.
  Fields Await(size_t count) const {
    for (int i = 0; i < 1000 && all().size() < count; ++i) {
      std::this_thread::sleep_for(milliseconds(10));
    }
    EXPECT_EQ(all().size(), count);
    return all().empty() ? Fields() : all().back();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Fields> lines_;
};

proto::GatewayReply SlowReply() {
  proto::GatewayReply reply;
  reply.set_kind(proto::GatewayReply::OK);
  reply.mutable_result()->set_code(proto::OK);
  reply.set_route_us(1);
  reply.set_hop_us(20);
  reply.mutable_stages()->set_queue_us(300);
  reply.mutable_stages()->set_log_us(4000);
  reply.mutable_stages()->set_replicate_us(50'000);
  reply.mutable_stages()->set_apply_us(600'000);
  return reply;
}

Bytes Question(proto::Command command) {
  proto::GatewayRequest request;
  *request.mutable_command() = std::move(command);
  return kv::Encode(request);
}

uint64_t Number(const Fields& line, const std::string& name) {
  const auto found = line.find(name);
  return found == line.end() ? 0 : std::stoull(found->second);
}

void ExpectAddsUp(const Fields& line) {
  uint64_t sum = 0;
  for (const auto& [name, value] : line) {
    if (absl::EndsWith(name, "_us") && name != "took_us") sum += std::stoull(value);
  }
  EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(Number(line, "took_us")), 3)
      << "but for what rounding takes";
}

TEST(SlowRequestsTest, EachStageIsToldAndTheyAddUp) {
  Lines lines;
  SlowRequests slow(kSlow, lines.Sink());
  slow.SetShards(16);
  const SlowRequests::Time began(seconds(1000));
  RequestTimer timer(began, &slow);
  timer.Asked(began + milliseconds(7), Question(kv::MakePut("secret-key", "secret-value")));
  timer.Replied(began + milliseconds(700), kv::Encode(SlowReply()));
  slow.Answered("grpc", "Put", "OK", timer, began + milliseconds(705));
  const Fields line = lines.Await(1);
  const Fields want = {{"part", "grpc"},
                       {"api", "grpc"},
                       {"method", "Put"},
                       {"status", "OK"},
                       {"took_us", "705000"},
                       {"front_us", "7000"},
                       {"loop_us", "38679"},
                       {"route_us", "1"},
                       {"hop_us", "20"},
                       {"queue_us", "300"},
                       {"log_us", "4000"},
                       {"replicate_us", "50000"},
                       {"apply_us", "600000"},
                       {"answer_us", "5000"},
                       {"shard", line.at("shard")},
                       {"key_digest", line.at("key_digest")}};
  EXPECT_EQ(line, want);
  ExpectAddsUp(line);
  EXPECT_EQ(line.at("key_digest").size(), 16u);
  for (const auto& [name, value] : line) {
    EXPECT_FALSE(absl::StrContains(value, "secret")) << "neither keys nor values are told";
  }
}

TEST(SlowRequestsTest, TheKeyIsFoundInWhateverIsAsked) {
  proto::GatewayRequest bulk;
  bulk.mutable_bulk()->add_operations()->mutable_delete_()->set_key("k");
  proto::GatewayRequest session;
  session.mutable_command()->mutable_register_session();
  session.set_key("k");
  proto::GatewayRequest get;
  *get.mutable_query() = kv::MakeGet("k");
  proto::GatewayRequest many;
  *many.mutable_query() = kv::MakeGetMany({"k", "other"});
  proto::GatewayRequest batch;
  batch.mutable_command()->mutable_batch()->add_operations()->mutable_append()->set_key("k");
  proto::GatewayRequest list;
  *list.mutable_query() = kv::MakeList("k");
  Lines lines;
  SlowRequests slow(kSlow, lines.Sink());
  const SlowRequests::Time began(seconds(1000));
  const auto digest_of = [&](const Bytes& request, int second) {
    const SlowRequests::Time then = began + seconds(second);
    RequestTimer timer(then, &slow);
    timer.Asked(then, request);
    slow.Answered("http", "x", "200", timer, then + kSlow);
    const Fields line = lines.all().back();
    return line.contains("key_digest") ? line.at("key_digest") : "";
  };
  const std::string want = digest_of(Question(kv::MakePut("k", "v")), 0);
  EXPECT_FALSE(want.empty());
  int second = 0;
  for (const auto& request : {bulk, session, get, many, batch}) {
    EXPECT_EQ(digest_of(kv::Encode(request), ++second), want) << second;
  }
  EXPECT_NE(digest_of(Question(kv::MakePut("l", "v")), 10), want);
  EXPECT_EQ(digest_of(kv::Encode(list), 11), "") << "a list is about no key";
  EXPECT_EQ(digest_of(Bytes::Copy("\xFF\xFF rubbish"), 12), "");
}

TEST(SlowRequestsTest, OnlyWhatIsSlowIsTold) {
  Lines lines;
  SlowRequests slow(kSlow, lines.Sink());
  SlowRequests off(Duration(0), lines.Sink());
  const SlowRequests::Time began(seconds(1000));
  slow.Answered("http", "Get", "200", RequestTimer(began, &slow), began + kSlow - milliseconds(1));
  off.Answered("http", "Get", "200", RequestTimer(began, &off), began + seconds(100));
  slow.Answered("http", "Get", "200", RequestTimer(began, nullptr), began + seconds(100));
  EXPECT_TRUE(lines.all().empty());
  slow.Answered("http", "Get", "200", RequestTimer(began, &slow), began + kSlow);
  EXPECT_EQ(lines.all().size(), 1u);
}

TEST(SlowRequestsTest, WhatWasNotAnsweredSaysHowLongItWaited) {
  Lines lines;
  SlowRequests slow(kSlow, lines.Sink());
  const SlowRequests::Time began(seconds(1000));
  RequestTimer timer(began, &slow);
  timer.Asked(began + milliseconds(1), Question(kv::MakePut("k", "v")));
  slow.Answered("grpc", "Put", "CANCELLED", timer, began + milliseconds(90));
  const Fields line = lines.Await(1);
  EXPECT_EQ(line.at("unanswered_us"), "89000");
  ExpectAddsUp(line);
}

// Of pages each counts; what the caller takes for them is part of the answer.
TEST(SlowRequestsTest, OfSeveralCallsAllCount) {
  Lines lines;
  SlowRequests slow(kSlow, lines.Sink());
  const SlowRequests::Time began(seconds(1000));
  RequestTimer timer(began, &slow);
  for (int page = 0; page < 3; ++page) {
    const SlowRequests::Time asked = began + seconds(page);
    timer.Asked(asked, Question(kv::MakePut("k", "v")));
    timer.Replied(asked + milliseconds(700), kv::Encode(SlowReply()));
  }
  slow.Answered("grpc", "List", "OK", timer, began + seconds(3));
  const Fields line = lines.Await(1);
  EXPECT_EQ(line.at("apply_us"), "1800000");
  EXPECT_EQ(line.at("answer_us"), "900000");
  ExpectAddsUp(line);
}

TEST(SlowRequestsTest, LinesAreFewAndSayWhatIsLeftOut) {
  Lines lines;
  SlowRequests slow(kSlow, lines.Sink());
  const SlowRequests::Time began(seconds(1000));
  const auto answer = [&](int count, SlowRequests::Time now) {
    for (int i = 0; i < count; ++i) {
      slow.Answered("grpc", "Put", "OK", RequestTimer(now - kSlow, &slow), now);
    }
  };
  answer(25, began);
  EXPECT_EQ(lines.all().size(), SlowRequests::kLinesPerSecondMax);
  answer(5, began + milliseconds(999));
  EXPECT_EQ(lines.all().size(), SlowRequests::kLinesPerSecondMax);
  answer(2, began + milliseconds(1000));
  ASSERT_EQ(lines.all().size(), SlowRequests::kLinesPerSecondMax + 2);
  EXPECT_EQ(lines.all()[SlowRequests::kLinesPerSecondMax].at("left_out"), "20");
  EXPECT_FALSE(lines.all().back().contains("left_out"));
}

// Through the fronts: a service that takes its time.
class SlowFronts : public testing::Test {
 protected:
  // Lets the call that is held pass after it has become slow.
  std::thread LateAnswer() {
    service_.Hold();
    service_.With([](FakeStore& store) { store.planted = SlowReply(); });
    return std::thread([this] {
      service_.AwaitHeld(1);
      std::this_thread::sleep_for(kSlow + milliseconds(20));
      service_.Release();
    });
  }

  Lines lines_;
  const std::shared_ptr<SlowRequests> slow_ = std::make_shared<SlowRequests>(kSlow, lines_.Sink());
  FakeService service_;
};

TEST_F(SlowFronts, HttpTellsOfASlowRequest) {
  HttpOptions options;
  options.slow = slow_;
  HttpServer server(options, service_);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  RawClient client(server.address());
  std::thread late = LateAnswer();
  EXPECT_EQ(client.Ask("PUT", "/api/v1/kv/k", R"({"value":"aGVsbG8="})").status, 200);
  late.join();
  const Fields line = lines_.Await(1);
  EXPECT_EQ(line.at("api"), "http");
  EXPECT_EQ(line.at("method"), "Put");
  EXPECT_EQ(line.at("status"), "200");
  EXPECT_EQ(line.at("log_us"), "4000");
  EXPECT_TRUE(line.contains("key_digest"));
  EXPECT_GE(Number(line, "took_us"), Number(line, "front_us") + 70'000);
}

TEST_F(SlowFronts, GrpcTellsOfASlowCallAndOfASlowList) {
  RpcOptions options;
  options.slow = slow_;
  RpcServer server(service_, options);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  const auto kv =
      v1::KV::NewStub(grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
  std::thread late = LateAnswer();
  {
    grpc::ClientContext context;
    v1::PutRequest put;
    put.set_key("k");
    v1::PutResponse response;
    EXPECT_TRUE(kv->Put(&context, put, &response).ok());
  }
  late.join();
  Fields line = lines_.Await(1);
  EXPECT_EQ(line.at("api"), "grpc");
  EXPECT_EQ(line.at("method"), "Put");
  EXPECT_EQ(line.at("status"), "OK");
  EXPECT_EQ(line.at("replicate_us"), "50000");
  late = LateAnswer();
  {
    grpc::ClientContext context;
    const auto reader = kv->List(&context, v1::ListRequest());
    v1::ListResponse page;
    while (reader->Read(&page)) continue;
    EXPECT_TRUE(reader->Finish().ok());
  }
  late.join();
  line = lines_.Await(2);
  EXPECT_EQ(line.at("method"), "List");
  EXPECT_FALSE(line.contains("key_digest"));
  server.Shutdown(seconds(1));
}

}  // namespace
}  // namespace lockstep::net
