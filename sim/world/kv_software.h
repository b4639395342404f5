// The key-value node of the product, composed by core/gateway, core/node/roles and storage::Engine
// exactly as lockstepd composes it.
#ifndef LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_
#define LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/gateway/options.h"
#include "core/gateway/surroundings.h"
#include "core/node/roles.h"
#include "sim/world/group_placement.h"
#include "sim/world/software.h"
#include "storage/engine.h"

namespace lockstep::sim {

// What the gateways of simulated servers know of the world: who is there.
class ServerSurroundings final : public gateway::Surroundings {
 public:
  // All members of the groups.
  explicit ServerSurroundings(const std::vector<GroupPlacement>& groups);
  std::vector<lockstep::v1::NodeStatus> KnownNodes() const override;
  void Mention(NodeId node, const std::string& peer_address) override;
  void Describe(lockstep::v1::NodeStatus* status) const override;
  // As a file that is written at once: survives every crash.
  void RememberControllers(uint64_t membership, const std::vector<NodeId>& nodes) override;
  const std::vector<NodeId>& controllers() const { return controllers_; }
  static std::string AddressOf(NodeId server);

 private:
  std::vector<NodeId> servers_;  // ascending
  uint64_t membership_ = 0;
  std::vector<NodeId> controllers_;  // of that membership; empty: those of the beginning
};

class KvSoftware : public Software {
 public:
  // At each boot `groups` says what the server hosts: `node.self`, `node.raft.self`, `node.groups`
  // and `engine.groups` follow. `gateway`: every server has one, and its `life` follows; none: the
  // servers are bare nodes. REQUIRES: every server hosts a group.
  KvSoftware(const node::NodeOptions& node, const storage::EngineOptions& engine,
             std::vector<GroupPlacement> groups,
             std::optional<gateway::GatewayOptions> gateway = std::nullopt);
  absl::StatusOr<Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                            const Host& host) override;
  std::string Describe(PacketKind kind, const Bytes& data) const override;

 private:
  const node::NodeOptions node_;
  const storage::EngineOptions engine_;
  const std::vector<GroupPlacement> groups_;
  const std::optional<gateway::GatewayOptions> gateway_;
  absl::btree_map<NodeId, uint64_t> lives_;            // begun so far
  std::map<NodeId, ServerSurroundings> surroundings_;  // each server's; addresses stay
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_
