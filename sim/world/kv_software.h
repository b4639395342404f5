// The key-value node of the product, composed by core/node/roles and storage::Engine exactly as
// lockstepd composes it.
#ifndef LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_
#define LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_

#include "core/node/roles.h"
#include "sim/world/software.h"
#include "storage/engine.h"

namespace lockstep::sim {

class KvSoftware : public Software {
 public:
  // `node.self` and `node.raft.self` are filled in at each boot.
  KvSoftware(const node::NodeOptions& node, const storage::EngineOptions& engine);
  absl::StatusOr<Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                            const Host& host) override;
  std::string Describe(PacketKind kind, const Bytes& data) const override;

 private:
  const node::NodeOptions node_;
  const storage::EngineOptions engine_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_KV_SOFTWARE_H_
