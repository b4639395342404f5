// What the gRPC front refuses, and how a peer that does not read is held up.
#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/proto/lockstep/v1/cluster.grpc.pb.h"
#include "core/proto/lockstep/v1/kv.grpc.pb.h"
#include "gtest/gtest.h"
#include "net/client/failure.h"
#include "net/rpc/rpc_server.h"

namespace lockstep::net {
namespace {

using std::chrono::milliseconds;

// Answers every call at once with so many bytes, or keeps it for ever.
class BigService final : public Service {
 public:
  explicit BigService(size_t bytes) : answer_(Bytes::Copy(std::string(bytes, 'a'))) {}
  void Call(Bytes request, Done done) override {
    if (request.view() == "never") {
      const std::lock_guard<std::mutex> lock(mutex_);
      return kept_.push_back(std::move(done));
    }
    done(answer_);
  }
  void CallAll(std::vector<std::pair<Bytes, Done>> calls) override {
    for (auto& [request, done] : calls) Call(std::move(request), std::move(done));
  }

 private:
  const Bytes answer_;
  std::mutex mutex_;
  std::vector<Done> kept_;
};

class Stream {
 public:
  explicit Stream(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::Direct::NewStub(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    stream_ = stub_->Exchange(&context_);
  }
  bool Send(uint64_t id, const std::string& request) {
    v1::ExchangeRequest message;
    message.add_calls()->set_id(id);
    message.mutable_calls(0)->set_request(request);
    return stream_->Write(message);
  }
  bool Send(const v1::ExchangeRequest& message) { return stream_->Write(message); }
  bool Read(v1::ExchangeReply* message) { return stream_->Read(message); }
  void WritesDone() { stream_->WritesDone(); }
  grpc::Status Finish() { return stream_->Finish(); }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::Direct::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ExchangeRequest, v1::ExchangeReply>> stream_;
};

TEST(RpcLimits, EveryCallOfAStreamIsAnsweredOnceAlthoughReadingStops) {
  constexpr uint64_t kCalls = 100;
  BigService service(size_t{1} << 20);
  RpcOptions options;
  options.stream_answers_bytes_max = size_t{2} << 20;
  options.stream_calls_max = 3;
  RpcServer server(service, options);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  Stream stream(server.address());
  std::thread writer([&] {
    for (uint64_t id = 1; id <= kCalls; ++id) EXPECT_TRUE(stream.Send(id, "x"));
    stream.WritesDone();
  });
  std::vector<int> answers(kCalls + 1, 0);
  v1::ExchangeReply message;
  while (stream.Read(&message)) {
    for (const v1::DirectAnswer& answer : message.answers()) {
      ++answers.at(answer.id());
      EXPECT_EQ(answer.reply().size(), size_t{1} << 20);
    }
  }
  writer.join();
  EXPECT_TRUE(stream.Finish().ok());
  for (uint64_t id = 1; id <= kCalls; ++id) EXPECT_EQ(answers[id], 1) << id;
}

// Its last user would wait for its threads, up to ten seconds after a large answer.
TEST(RpcLimits, TheLibraryOutlivesItsLastUser) {
  BigService service(1);
  {
    RpcServer server(service);
    ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  }
  EXPECT_NE(grpc_is_initialized(), 0);
}

// 256 MiB are asked for and never read: the server holds a bounded part of the answers, and ends
// without them.
TEST(RpcLimits, APeerThatDoesNotReadIsNotServedForEver) {
  BigService service(size_t{1} << 20);
  RpcServer server(service);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  Stream stream(server.address());
  v1::ExchangeRequest message;
  for (uint64_t id = 1; id <= 8; ++id) message.add_calls()->set_id(id);
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(stream.Send(message));
  server.Shutdown(milliseconds(50));
  stream.Cancel();
  EXPECT_FALSE(stream.Finish().ok());
}

TEST(RpcLimits, MessagesWithTooManyCallsAreRefused) {
  BigService service(1);
  RpcServer server(service);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  Stream stream(server.address());
  v1::ExchangeRequest message;
  for (uint32_t i = 0; i <= kExchangePiecesMax; ++i) message.add_calls()->set_id(i);
  ASSERT_TRUE(stream.Send(message));
  v1::ExchangeReply reply;
  EXPECT_FALSE(stream.Read(&reply));
  EXPECT_EQ(stream.Finish().error_code(), grpc::INVALID_ARGUMENT);
}

TEST(RpcLimits, MoreStreamsThanAllowedAreRefused) {
  BigService service(1);
  RpcOptions options;
  options.streams_max = 1;
  RpcServer server(service, options);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  Stream first(server.address());
  v1::ExchangeReply reply;
  ASSERT_TRUE(first.Send(1, "x"));
  ASSERT_TRUE(first.Read(&reply));
  Stream second(server.address());
  EXPECT_FALSE(second.Read(&reply));
  EXPECT_EQ(second.Finish().error_code(), grpc::RESOURCE_EXHAUSTED);
  first.Cancel();
}

TEST(RpcLimits, MessagesThatAreTooLargeAreRefused) {
  BigService service(1);
  RpcOptions options;
  options.message_bytes_max = 1000;
  RpcServer server(service, options);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  const auto kv =
      v1::KV::NewStub(grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::PutRequest put;
  put.set_key("a");
  put.set_value(std::string(2000, 'v'));
  v1::PutResponse response;
  EXPECT_EQ(kv->Put(&context, put, &response).error_code(), grpc::RESOURCE_EXHAUSTED);
}

TEST(RpcLimits, ShutdownEndsStreamsThatAreIdleAtOnceAndOthersLater) {
  BigService service(1);
  RpcServer server(service);
  ASSERT_TRUE(server.Start("127.0.0.1:0").ok());
  v1::ExchangeReply reply;
  Stream idle(server.address());
  ASSERT_TRUE(idle.Send(1, "x"));
  ASSERT_TRUE(idle.Read(&reply));
  Stream busy(server.address());
  ASSERT_TRUE(busy.Send(1, "x"));
  ASSERT_TRUE(busy.Send(2, "never"));
  ASSERT_TRUE(busy.Read(&reply));
  server.Shutdown(milliseconds(100));
  EXPECT_FALSE(idle.Read(&reply));
  const grpc::Status left = idle.Finish();
  EXPECT_EQ(left.error_code(), grpc::UNAVAILABLE);
  EXPECT_NE(left.error_message().find("leaving"), std::string::npos) << left.error_message();
  EXPECT_FALSE(busy.Read(&reply));
  EXPECT_FALSE(busy.Finish().ok());
}

}  // namespace
}  // namespace lockstep::net
