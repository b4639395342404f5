#include "core/node/duty.h"

#include "core/node/controller_duty.h"
#include "core/node/shard_duty.h"

namespace lockstep::node {

std::unique_ptr<Duty> MakeDuty(const NodeOptions& options, GroupId group, Rng rng,
                               Courier& courier) {
  switch (RoleOf(options, group)) {
    case GroupRole::kStore:
      return nullptr;
    case GroupRole::kController:
      return std::make_unique<ControllerDuty>(options, courier);
    case GroupRole::kShards:
      return std::make_unique<ShardDuty>(options, group, rng, courier);
  }
  return nullptr;
}

}  // namespace lockstep::node
