// A real node, and stubs of the public API at its gRPC front.
#ifndef LOCKSTEP_TESTS_UNIT_NET_RPC_FIXTURE_H_
#define LOCKSTEP_TESTS_UNIT_NET_RPC_FIXTURE_H_

#include <grpcpp/create_channel.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/proto/lockstep/v1/cluster.grpc.pb.h"
#include "core/proto/lockstep/v1/kv.grpc.pb.h"
#include "gtest/gtest.h"
#include "net/client/failure.h"
#include "tests/unit/net/store_fixture.h"

namespace lockstep::net {

inline v1::Failure FailureIn(const grpc::Status& status) {
  const auto failure = client::DecodeDetails(status.error_details());
  EXPECT_TRUE(failure.has_value()) << status.error_message();
  return failure.value_or(v1::Failure());
}

class RpcServerTest : public client::StoreTest {
 protected:
  void SetUp() override {
    client::StoreTest::SetUp();
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(node().grpc_address(), grpc::InsecureChannelCredentials(),
                                         arguments);
    kv_ = v1::KV::NewStub(channel_);
    cluster_ = v1::Cluster::NewStub(channel_);
  }

  // One call: a fresh context each, as gRPC wants it.
  template <class Request, class Response>
  grpc::Status Call(grpc::Status (v1::KV::Stub::*method)(grpc::ClientContext*, const Request&,
                                                         Response*),
                    const Request& request, Response* response,
                    std::chrono::milliseconds timeout = std::chrono::seconds(20)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    return (kv_.get()->*method)(&context, request, response);
  }
  grpc::Status Put(const std::string& key, const std::string& value) {
    v1::PutRequest put;
    put.set_key(key);
    put.set_value(value);
    v1::PutResponse response;
    return Call(&v1::KV::Stub::Put, put, &response);
  }
  v1::GetResponse Get(const std::string& key) {
    v1::GetRequest get;
    get.set_key(key);
    v1::GetResponse response;
    const grpc::Status status = Call(&v1::KV::Stub::Get, get, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response;
  }
  // All messages of an answer, and its status.
  std::pair<std::vector<v1::ListResponse>, grpc::Status> List(const v1::ListRequest& request) {
    grpc::ClientContext context;
    auto reader = kv_->List(&context, request);
    std::vector<v1::ListResponse> messages;
    v1::ListResponse message;
    while (reader->Read(&message)) messages.push_back(message);
    return {std::move(messages), reader->Finish()};
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::KV::Stub> kv_;
  std::unique_ptr<v1::Cluster::Stub> cluster_;
};

}  // namespace lockstep::net

#endif  // LOCKSTEP_TESTS_UNIT_NET_RPC_FIXTURE_H_
