// lockstep.v1.KV as any gRPC client calls it: at one node, and after an error at the next one. A
// call is never repeated.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_RPC_DOOR_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_RPC_DOOR_H_

#include <memory>
#include <string>
#include <vector>

#include "core/proto/lockstep/v1/kv.pb.h"
#include "tests/system/support/door.h"

namespace lockstep::system {

class RpcDoor : public Door {
 public:
  RpcDoor(const std::vector<std::string>& servers, Duration timeout);
  ~RpcDoor() override;

  absl::StatusOr<std::optional<std::string>> Get(const std::string& key) override;
  absl::Status Put(const std::string& key, const std::string& value) override;
  absl::Status Append(const std::string& key, const std::string& value) override;
  absl::Status Delete(const std::string& key) override;
  absl::StatusOr<Swap> CompareAndSwap(const std::string& key,
                                      const std::optional<std::string>& expected,
                                      const std::optional<std::string>& value) override;

 private:
  struct Stubs;
  template <class Method, class Request, class Response>
  absl::Status Call(Method method, const Request& request, Response* response);

  const std::unique_ptr<Stubs> stubs_;
  const Duration timeout_;
  size_t current_ = 0;
};

v1::CompareAndSwapRequest SwapRequestOf(const std::string& key,
                                        const std::optional<std::string>& expected,
                                        const std::optional<std::string>& value);
Swap SwapOf(const v1::CompareAndSwapResponse& response);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_RPC_DOOR_H_
