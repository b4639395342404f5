// How calls at the gRPC front, and the front itself, begin and end.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "net/rpc/awake_pollers.h"
#include "net/rpc/rpc_server.h"
#include "tests/unit/net/requests.h"
#include "tests/unit/net/rpc_fixture.h"

namespace lockstep::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using RpcLifeTest = RpcServerTest;

// Whatever they live through: with a server beside them, the last of them and the first.
TEST(AwakePollers, HaveSomethingToRunAgainAndAgain) {
  for (int life = 0; life < 3; ++life) {
    const AwakePollers awake(milliseconds(1));
    while (awake.awoken() < 5) std::this_thread::sleep_for(milliseconds(1));
  }
  const AwakePollers late(std::chrono::hours(1));  // ends at once all the same
  EXPECT_EQ(late.awoken(), 0u);
}

// The gateway is told how long the caller waits, and the caller's deadline ends the call.
TEST_F(RpcLifeTest, DeadlinesAreHonoured) {
  std::atomic<uint64_t> patience_us{0};
  node().meddling().Meddle(MeddlingService::Way::kHold, [&](const Bytes& request) {
    if (!IsGatewayPut(request)) return false;
    patience_us = ParseGateway(request).patience_us();
    return true;
  });
  v1::PutRequest put;
  put.set_key("a");
  v1::PutResponse response;
  const grpc::Status late = Call(&v1::KV::Stub::Put, put, &response, milliseconds(200));
  EXPECT_EQ(late.error_code(), grpc::DEADLINE_EXCEEDED);
  EXPECT_LT(0u, patience_us);
  EXPECT_LT(patience_us, 200000u);
  node().meddling().Release();
  EXPECT_TRUE(Put("b", "2").ok());  // What was answered late harms nobody.
}

TEST_F(RpcLifeTest, CancelledCallsLeaveTheirPlace) {
  node().meddling().Meddle(MeddlingService::Way::kHold, IsGatewayPut);
  grpc::ClientContext context;
  grpc::Status status;
  std::thread caller([&] {
    v1::PutRequest put;
    put.set_key("a");
    v1::PutResponse response;
    status = kv_->Put(&context, put, &response);
  });
  node().meddling().Await(1);
  context.TryCancel();
  caller.join();
  EXPECT_EQ(status.error_code(), grpc::CANCELLED);
  // Nothing is under way any more, or this would take as long as it may.
  const auto began = std::chrono::steady_clock::now();
  store_.reset();
  node().rpc().Shutdown(seconds(30));
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(20));
}

TEST_F(RpcLifeTest, ShutdownAnswersWhatIsUnderWay) {
  node().meddling().Meddle(MeddlingService::Way::kHold, IsGatewayPut);
  grpc::Status status;
  std::thread caller([&] { status = Put("a", "1"); });
  node().meddling().Await(1);
  std::thread shutdown([&] { node().rpc().Shutdown(seconds(30)); });
  // While it waits, new calls are refused: without effect, whoever refuses them. It has begun when
  // the node is not healthy any more.
  while (store().Health(node().grpc_address()).ok()) std::this_thread::yield();
  grpc::Status refused;
  do {
    refused = Put("b", "2");
    if (refused.ok()) node().meddling().Await(1);
  } while (refused.ok());
  node().meddling().Release();
  caller.join();
  shutdown.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(refused.error_code(), grpc::UNAVAILABLE);
}

TEST_F(RpcLifeTest, ShutdownCancelsWhatTakesTooLong) {
  node().meddling().Meddle(MeddlingService::Way::kHold, IsGatewayPut);
  grpc::Status status;
  std::thread caller([&] { status = Put("a", "1"); });
  node().meddling().Await(1);
  node().rpc().Shutdown(milliseconds(50));
  caller.join();
  EXPECT_FALSE(status.ok());
  node().meddling().Release();  // Its answer goes nowhere.
}

TEST_F(RpcLifeTest, HealthCanBeSet) {
  EXPECT_TRUE(store().Health(node().grpc_address()).ok());
  node().rpc().SetServing(false);
  const absl::Status leaving = store().Health(node().grpc_address());
  EXPECT_TRUE(absl::IsUnavailable(leaving)) << leaving;
  node().rpc().SetServing(true);
  EXPECT_TRUE(store().Health(node().grpc_address()).ok());
}

TEST_F(RpcLifeTest, AddressesThatCannotBeListenedOnAreExplained) {
  struct Row {
    std::string address;
    absl::StatusCode want;
  };
  const std::vector<Row> rows = {
      {node().grpc_address(), absl::StatusCode::kAlreadyExists},
      {"127.0.0.1", absl::StatusCode::kInvalidArgument},
      {":7401", absl::StatusCode::kInvalidArgument},
      {"127.0.0.1:99999", absl::StatusCode::kInvalidArgument},
      {"127.0.0.1:http", absl::StatusCode::kInvalidArgument},
      {"192.0.2.1:0", absl::StatusCode::kInvalidArgument},
      {"[::1:0", absl::StatusCode::kInvalidArgument},
  };
  for (const Row& row : rows) {
    RpcServer server(node().meddling());
    const absl::Status status = server.Start(row.address);
    EXPECT_EQ(status.code(), row.want) << status;
    EXPECT_NE(status.message().find(row.address), absl::string_view::npos) << status;
    EXPECT_EQ(status.message().find('\n'), absl::string_view::npos);
    EXPECT_EQ(server.address(), "");
    server.Shutdown(milliseconds(0));
  }
}

}  // namespace
}  // namespace lockstep::net
