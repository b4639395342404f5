// What a gateway knows of the world around its node, beyond the protocol: addresses and counters;
// and what the world shall remember for it.
#ifndef LOCKSTEP_CORE_GATEWAY_SURROUNDINGS_H_
#define LOCKSTEP_CORE_GATEWAY_SURROUNDINGS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/proto/lockstep/v1/cluster.pb.h"

namespace lockstep::gateway {

// Lives on the process's thread; outlives the gateway.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  // Every node of the cluster that is known, with the addresses that are; ascending, this one too.
  virtual std::vector<lockstep::v1::NodeStatus> KnownNodes() const = 0;
  // Somebody says where the node's peers reach it (host:port). What the node itself has said, and
  // what is known already, stays.
  virtual void Mention(NodeId node, const std::string& peer_address) = 0;
  // Adds to this node's own status what the process cannot know: addresses, version, disk,
  // counters.
  virtual void Describe(lockstep::v1::NodeStatus* status) const = 0;
  // The controllers are these now, ascending, by their own configuration with the id `membership`:
  // whom to ask first after a restart. Each time that they are others; ids grow.
  virtual void RememberControllers(uint64_t membership, const std::vector<NodeId>& nodes) = 0;
};

}  // namespace lockstep::gateway

#endif  // LOCKSTEP_CORE_GATEWAY_SURROUNDINGS_H_
