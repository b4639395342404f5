// Asks one node how it is: the node alone, without any routing, so that the answer says nothing of
// others and waits for nobody.
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_NODE_PROBE_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_NODE_PROBE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/proto/lockstep/v1/cluster.pb.h"

namespace grpc {
class Channel;
}

namespace lockstep::system {

// Not thread-safe.
class NodeProbe {
 public:
  // `address`: of its gRPC port. Ends within `patience`.
  absl::StatusOr<v1::NodeStatus> Ask(const std::string& address, bool shards, Duration patience);

 private:
  std::map<std::string, std::shared_ptr<grpc::Channel>> channels_;
};

// A channel that tries again soon, and shares its connection with no other.
std::shared_ptr<grpc::Channel> EagerChannel(const std::string& address);

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_NODE_PROBE_H_
