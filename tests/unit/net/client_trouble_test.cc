// What the client library makes of lost replies, restarts, silence and servers that are not there.
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "net/client/store.h"
#include "tests/unit/net/requests.h"
#include "tests/unit/net/store_fixture.h"

namespace lockstep::client {
namespace {

using net::MeddlingService;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Nobody listens there: a port that was free a moment ago.
std::string DeadAddress() {
  class Nobody final : public net::Service {
    void Call(Bytes, Done) override {}
    void CallAll(std::vector<std::pair<Bytes, Done>>) override {}
  } nobody;
  net::RpcServer server(nobody);
  EXPECT_TRUE(server.Start("127.0.0.1:0").ok());
  return server.address();
}

template <class T>
std::pair<Callback<T>, std::future<absl::StatusOr<T>>> Promised() {
  auto promise = std::make_shared<std::promise<absl::StatusOr<T>>>();
  std::future<absl::StatusOr<T>> answer = promise->get_future();
  return {[promise](absl::StatusOr<T> result) { promise->set_value(std::move(result)); },
          std::move(answer)};
}

using ClientTroubleTest = StoreTest;

TEST_F(ClientTroubleTest, ExactlyOnceAcrossARestartWithLostReplies) {
  constexpr int kKeys = 20;
  ASSERT_TRUE(store().Append("warm", "x").ok());
  node().meddling().Meddle(MeddlingService::Way::kLoseReply, net::IsDirectAppend);
  std::vector<std::future<absl::StatusOr<WriteResult>>> answers;
  for (int i = 0; i < kKeys; ++i) {
    auto [done, answer] = Promised<WriteResult>();
    store().AppendAsync("k" + std::to_string(i), "once", std::move(done));
    answers.push_back(std::move(answer));
  }
  node().meddling().Await(kKeys);  // All were executed, and nobody has heard of it.
  Restart();
  int replayed = 0;
  for (auto& answer : answers) {
    const absl::StatusOr<WriteResult> result = answer.get();
    ASSERT_TRUE(result.ok()) << result.status();
    replayed += result->replayed ? 1 : 0;
  }
  EXPECT_EQ(replayed, kKeys);
  for (int i = 0; i < kKeys; ++i) {
    EXPECT_EQ(store().Get("k" + std::to_string(i))->value, "once");
  }
}

TEST_F(ClientTroubleTest, ADeadlineSaysWhatBecameOfTheCall) {
  ASSERT_TRUE(store().Put("a", "1").ok());
  const CallOptions hasty = {.timeout = milliseconds(150)};
  node().meddling().Meddle(MeddlingService::Way::kHold, net::IsDirectPut);
  const absl::Status put = store().Put("a", "2", hasty).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(put)) << put;
  EXPECT_EQ(EffectOf(put), Effect::kUnknown);
  EXPECT_EQ(FailureOf(put)->reason(), "TIMEOUT");
  node().meddling().Release();

  node().meddling().Meddle(MeddlingService::Way::kLoseRequest, net::IsDirectGet);
  const absl::Status get = store().Get("a", hasty).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(get)) << get;
  EXPECT_EQ(EffectOf(get), Effect::kNone);
}

TEST_F(ClientTroubleTest, WhatNeverLeftHadNoEffect) {
  const auto lonely = *Store::Open(QuickOptions({DeadAddress()}));
  const absl::Status put = lonely->Put("a", "1", {.timeout = milliseconds(200)}).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(put)) << put;
  EXPECT_EQ(EffectOf(put), Effect::kNone);
}

// The node goes while the client knows it: what is refused a connection was not executed.
TEST_F(ClientTroubleTest, ANodeThatIsGoneGetsNothing) {
  ASSERT_TRUE(store().Put("a", "1").ok());
  node_.reset();
  const absl::Status put = store().Put("a", "2", {.timeout = milliseconds(400)}).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(put)) << put;
  EXPECT_EQ(EffectOf(put), Effect::kNone);
}

TEST_F(ClientTroubleTest, UnreachableServersAreNamed) {
  const std::string first = DeadAddress();
  const std::string second = DeadAddress();
  const auto lonely = *Store::Open(QuickOptions({first, second}));
  const absl::Status ready = lonely->WaitReady(milliseconds(300));
  EXPECT_TRUE(absl::IsUnavailable(ready)) << ready;
  const absl::Status query = lonely->Query({}).status();
  EXPECT_TRUE(absl::IsUnavailable(query)) << query;
  EXPECT_EQ(EffectOf(query), Effect::kNone);
  EXPECT_NE(query.message().find(first), absl::string_view::npos) << query;
  EXPECT_NE(query.message().find(second), absl::string_view::npos) << query;
  v1::MoveRequest move;
  EXPECT_EQ(EffectOf(lonely->Move(move).status()), Effect::kNone);  // It never left.
}

TEST_F(ClientTroubleTest, OneServerOfSeveralIsEnough) {
  const auto other = *Store::Open(QuickOptions({DeadAddress(), node().grpc_address()}));
  ASSERT_TRUE(other->WaitReady(seconds(20)).ok());
  ASSERT_TRUE(other->Put("a", "1").ok());
  EXPECT_EQ(other->Get("a")->value, "1");
  const auto status = other->Status({});
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->nodes(0).grpc_address(), node().grpc_address());
}

// A change whose answer is lost may have happened: it is not made again elsewhere.
TEST_F(ClientTroubleTest, AChangeWithoutAnswerIsUnknownAndNotRepeated) {
  net::RealNodeOptions options;
  options.self = 2;
  options.directory = net::FreshDirectory("second");
  net::RealNode second(options);
  second.Know(node());
  const auto both = *Store::Open(QuickOptions({second.grpc_address(), node().grpc_address()}));
  second.meddling().Meddle(MeddlingService::Way::kLoseRequest, net::IsGatewayMove);
  node().meddling().Meddle(MeddlingService::Way::kLoseRequest, net::IsGatewayMove);
  ASSERT_TRUE(both->Query({}).ok());
  v1::MoveRequest move;
  move.set_shard(3);
  move.set_gid(net::kRealGroup);
  const absl::Status moved = both->Move(move, {.timeout = milliseconds(300)}).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(moved)) << moved;
  EXPECT_EQ(EffectOf(moved), Effect::kUnknown);
  second.meddling().Await(1);
  EXPECT_EQ(node().meddling().meddled(), 0u);
}

// Of what only reads, the next server is asked when one hangs.
TEST_F(ClientTroubleTest, AQuestionGoesOnToTheNextServer) {
  net::RealNodeOptions options;
  options.self = 2;
  options.directory = net::FreshDirectory("second");
  net::RealNode second(options);
  second.meddling().Meddle(MeddlingService::Way::kLoseRequest, net::IsGatewayStatus);
  const auto both = *Store::Open(QuickOptions({second.grpc_address(), node().grpc_address()}));
  const auto status = both->Status({}, {.timeout = seconds(4)});
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->answered_by(), 1u);
}

TEST_F(ClientTroubleTest, CloseEndsWhatIsUnderWay) {
  ASSERT_TRUE(store().Put("a", "1").ok());
  node().meddling().Meddle(MeddlingService::Way::kHold, [](const Bytes& request) {
    return net::IsDirectPut(request) || net::IsDirectGet(request);
  });
  auto [put_done, put] = Promised<WriteResult>();
  auto [get_done, get] = Promised<GetResult>();
  store().PutAsync("a", "2", std::move(put_done));
  store().GetAsync("a", std::move(get_done));
  node().meddling().Await(2);
  EXPECT_EQ(store().unfinished(), 2u);
  store().Close(milliseconds(50));
  EXPECT_EQ(store().unfinished(), 0u);
  const absl::Status put_status = put.get().status();
  EXPECT_TRUE(absl::IsCancelled(put_status)) << put_status;
  EXPECT_EQ(EffectOf(put_status), Effect::kUnknown);
  EXPECT_EQ(EffectOf(get.get().status()), Effect::kNone);

  const absl::Status late = store().Put("a", "3").status();
  EXPECT_TRUE(absl::IsCancelled(late)) << late;
  EXPECT_EQ(EffectOf(late), Effect::kNone);
  EXPECT_TRUE(absl::IsCancelled(store().Query({}).status()));
  store().Close();
}

// With patience, what is answered in time is answered.
TEST_F(ClientTroubleTest, CloseWaitsAsLongAsItIsTold) {
  ASSERT_TRUE(store().Put("a", "1").ok());
  node().meddling().Meddle(MeddlingService::Way::kHold, net::IsDirectPut);
  auto [done, answer] = Promised<WriteResult>();
  store().PutAsync("a", "2", std::move(done));
  node().meddling().Await(1);
  std::thread release([this] { node().meddling().Release(); });
  store().Close(seconds(20));
  release.join();
  EXPECT_TRUE(answer.get().ok());
}

TEST_F(ClientTroubleTest, MoreThanTheLimitIsRefused) {
  StoreOptions options = QuickOptions({node().grpc_address()});
  options.router.unfinished_max = 2;
  options.unfinished_bytes_max = 1000;
  const auto small = *Store::Open(options);
  ASSERT_TRUE(small->Put("a", std::string(5000, 'v')).ok());  // One alone may be larger.
  node().meddling().Meddle(MeddlingService::Way::kHold, net::IsDirectPut);
  auto [first_done, first] = Promised<WriteResult>();
  small->PutAsync("a", std::string(900, 'v'), std::move(first_done));
  const absl::Status heavy = small->Put("b", std::string(900, 'v')).status();
  EXPECT_TRUE(absl::IsResourceExhausted(heavy)) << heavy;
  EXPECT_EQ(EffectOf(heavy), Effect::kNone);
  auto [second_done, second] = Promised<WriteResult>();
  small->PutAsync("b", "v", std::move(second_done));
  const absl::Status third = small->Put("c", "v").status();
  EXPECT_TRUE(absl::IsResourceExhausted(third)) << third;
  node().meddling().Await(2);
  node().meddling().Release();
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
}

TEST(StoreOptionsTest, WhatIsWrongIsNamed) {
  EXPECT_TRUE(absl::IsInvalidArgument(Store::Open({}).status()));
  StoreOptions options;
  options.servers = {"nowhere"};
  EXPECT_TRUE(absl::IsInvalidArgument(Store::Open(options).status()));
  options.servers = {"a:1"};
  options.timeout = Duration(0);
  EXPECT_TRUE(absl::IsInvalidArgument(Store::Open(options).status()));
  options = StoreOptions();
  options.servers = {"a:1"};
  options.router.outstanding_max = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(Store::Open(options).status()));
}

}  // namespace
}  // namespace lockstep::client
