#include "tests/system/support/door.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "tests/system/support/rpc_door.h"

namespace lockstep::system {
namespace {

// By what the command line speaks: the client library, or HTTP.
class ApiDoor : public Door {
 public:
  explicit ApiDoor(std::unique_ptr<bin::Api> api) : api_(std::move(api)) {}

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) override {
    v1::GetRequest request;
    request.set_key(key);
    absl::StatusOr<v1::GetResponse> response = api_->Get(request);
    if (!response.ok()) return response.status();
    if (!response->found()) return std::optional<std::string>();
    return std::optional<std::string>(response->value());
  }

  absl::Status Put(const std::string& key, const std::string& value) override {
    v1::PutRequest request;
    request.set_key(key);
    request.set_value(value);
    return api_->Put(request).status();
  }

  absl::Status Append(const std::string& key, const std::string& value) override {
    v1::AppendRequest request;
    request.set_key(key);
    request.set_value(value);
    return api_->Append(request).status();
  }

  absl::Status Delete(const std::string& key) override {
    v1::DeleteRequest request;
    request.set_key(key);
    return api_->Delete(request).status();
  }

  absl::StatusOr<Swap> CompareAndSwap(const std::string& key,
                                      const std::optional<std::string>& expected,
                                      const std::optional<std::string>& value) override {
    absl::StatusOr<v1::CompareAndSwapResponse> response =
        api_->CompareAndSwap(SwapRequestOf(key, expected, value));
    if (!response.ok()) return response.status();
    return SwapOf(*response);
  }

 private:
  const std::unique_ptr<bin::Api> api_;
};

std::vector<std::string> Rotated(std::vector<std::string> servers, size_t first) {
  const auto middle = servers.begin() + static_cast<std::ptrdiff_t>(first % servers.size());
  std::rotate(servers.begin(), middle, servers.end());
  return servers;
}

}  // namespace

std::unique_ptr<Door> OpenDoor(const DoorOptions& options) {
  if (options.kind == DoorKind::kGrpc) {
    return std::make_unique<RpcDoor>(Rotated(options.grpc, options.first), options.timeout);
  }
  const bool http = options.kind == DoorKind::kHttp;
  bin::ApiOptions api;
  api.servers = Rotated(http ? options.http : options.grpc, options.first);
  api.timeout = options.timeout;
  auto opened = http ? bin::OpenHttpApi(api) : bin::OpenGrpcApi(api);
  Check(opened.ok(), "a door cannot be opened");
  return std::make_unique<ApiDoor>(*std::move(opened));
}

}  // namespace lockstep::system
