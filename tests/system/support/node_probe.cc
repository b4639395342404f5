#include "tests/system/support/node_probe.h"

#include <grpcpp/grpcpp.h>

#include <chrono>

#include "core/proto/client.pb.h"
#include "core/proto/lockstep/v1/cluster.grpc.pb.h"

namespace lockstep::system {

std::shared_ptr<grpc::Channel> EagerChannel(const std::string& address) {
  constexpr int kBackoffMs = 100;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kBackoffMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

absl::StatusOr<v1::NodeStatus> NodeProbe::Ask(const std::string& address, bool shards,
                                              Duration patience) {
  std::shared_ptr<grpc::Channel>& channel = channels_[address];
  if (channel == nullptr) channel = EagerChannel(address);
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::duration_cast<std::chrono::microseconds>(patience));
  const std::unique_ptr<v1::Direct::Stub> stub = v1::Direct::NewStub(channel);
  const auto stream = stub->Exchange(&context);
  proto::ClientRequest question;
  question.mutable_get_node_status()->set_shards(shards);
  v1::ExchangeRequest request;
  v1::DirectCall& call = *request.add_calls();
  call.set_id(1);
  call.set_request(question.SerializeAsString());
  v1::ExchangeReply reply;
  const bool answered = stream->Write(request) && stream->Read(&reply);
  stream->WritesDone();
  context.TryCancel();
  const grpc::Status status = stream->Finish();
  proto::ClientReply answer;
  if (!answered || reply.answers_size() == 0 || !answer.ParseFromString(reply.answers(0).reply())) {
    return absl::UnavailableError(status.error_message());
  }
  return answer.node_status();
}

}  // namespace lockstep::system
