#include "tests/system/support/rpc_door.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "core/proto/lockstep/v1/kv.grpc.pb.h"
#include "net/client/failure.h"
#include "tests/system/support/node_probe.h"

namespace lockstep::system {

using Stub = v1::KV::Stub;

struct RpcDoor::Stubs {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  std::vector<std::unique_ptr<Stub>> stubs;
};

RpcDoor::RpcDoor(const std::vector<std::string>& servers, Duration timeout)
    : stubs_(std::make_unique<Stubs>()), timeout_(timeout) {
  for (const std::string& server : servers) {
    stubs_->channels.push_back(EagerChannel(server));
    stubs_->stubs.push_back(v1::KV::NewStub(stubs_->channels.back()));
  }
}

RpcDoor::~RpcDoor() = default;

template <class Method, class Request, class Response>
absl::Status RpcDoor::Call(Method method, const Request& request, Response* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::duration_cast<std::chrono::microseconds>(timeout_));
  Stub& stub = *stubs_->stubs[current_];
  const grpc::Status status = (stub.*method)(&context, request, response);
  if (status.ok()) return absl::OkStatus();
  current_ = (current_ + 1) % stubs_->stubs.size();
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const std::optional<v1::Failure> failure = client::DecodeDetails(status.error_details());
  absl::Status answer(code, status.error_message());
  return failure.has_value() ? client::WithFailure(std::move(answer), *failure) : answer;
}

absl::StatusOr<std::optional<std::string>> RpcDoor::Get(const std::string& key) {
  v1::GetRequest request;
  request.set_key(key);
  v1::GetResponse response;
  const absl::Status status = Call(&Stub::Get, request, &response);
  if (!status.ok()) return status;
  if (!response.found()) return std::optional<std::string>();
  return std::optional<std::string>(response.value());
}

absl::Status RpcDoor::Put(const std::string& key, const std::string& value) {
  v1::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  v1::PutResponse response;
  return Call(&Stub::Put, request, &response);
}

absl::Status RpcDoor::Append(const std::string& key, const std::string& value) {
  v1::AppendRequest request;
  request.set_key(key);
  request.set_value(value);
  v1::AppendResponse response;
  return Call(&Stub::Append, request, &response);
}

absl::Status RpcDoor::Delete(const std::string& key) {
  v1::DeleteRequest request;
  request.set_key(key);
  v1::DeleteResponse response;
  return Call(&Stub::Delete, request, &response);
}

absl::StatusOr<Swap> RpcDoor::CompareAndSwap(const std::string& key,
                                             const std::optional<std::string>& expected,
                                             const std::optional<std::string>& value) {
  v1::CompareAndSwapResponse response;
  const absl::Status status =
      Call(&Stub::CompareAndSwap, SwapRequestOf(key, expected, value), &response);
  if (!status.ok()) return status;
  return SwapOf(response);
}

v1::CompareAndSwapRequest SwapRequestOf(const std::string& key,
                                        const std::optional<std::string>& expected,
                                        const std::optional<std::string>& value) {
  v1::CompareAndSwapRequest request;
  request.set_key(key);
  if (expected.has_value()) request.set_expected(*expected);
  if (value.has_value()) request.set_value(*value);
  return request;
}

Swap SwapOf(const v1::CompareAndSwapResponse& response) {
  Swap swap;
  swap.swapped = response.swapped();
  if (response.has_actual()) swap.actual = response.actual();
  swap.actual_known = !response.actual_omitted();
  return swap;
}

}  // namespace lockstep::system
