#include "core/node/roles.h"

#include <utility>

#include "core/node/node.h"

namespace lockstep::node {

std::unique_ptr<MachineFactory> MakeMachines(const NodeOptions& options) {
  return std::make_unique<kv::KvMachineFactory>(options.kv);
}

std::unique_ptr<Process> MakeNode(const NodeOptions& options, std::vector<ReplicaImage> images,
                                  Rng rng, const Host& host) {
  return std::make_unique<Node>(options, std::move(images), rng, host);
}

}  // namespace lockstep::node
