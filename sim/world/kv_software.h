// The key-value node of the product, composed by core/node/roles and storage::Engine exactly as
// lockstepd composes it.
#ifndef LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_
#define LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_

#include <string>
#include <vector>

#include "core/node/roles.h"
#include "sim/world/group_placement.h"
#include "sim/world/software.h"
#include "storage/engine.h"

namespace lockstep::sim {

class KvSoftware : public Software {
 public:
  // At each boot `groups` says what the server hosts: `node.self`, `node.raft.self`, `node.groups`
  // and `engine.groups` follow. REQUIRES: every server hosts a group.
  KvSoftware(const node::NodeOptions& node, const storage::EngineOptions& engine,
             std::vector<GroupPlacement> groups);
  absl::StatusOr<Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                            const Host& host) override;
  std::string Describe(PacketKind kind, const Bytes& data) const override;

 private:
  const node::NodeOptions node_;
  const storage::EngineOptions engine_;
  const std::vector<GroupPlacement> groups_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_
