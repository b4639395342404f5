// Who serves which shard, as far as a client needs it: a configuration without its history.
//
// Invariant: either every shard has an owner, and the owner nodes, or there are no groups at all.
#ifndef LOCKSTEP_CORE_CLIENT_ROUTES_H_
#define LOCKSTEP_CORE_CLIENT_ROUTES_H_

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "core/base/types.h"
#include "core/client/events.h"
#include "core/proto/shard.pb.h"

namespace lockstep::client {

// A Router has a place for each shard; the controller allows far fewer.
inline constexpr uint32_t kRoutedShardsMax = uint32_t{1} << 19;

class Routes {
 public:
  Routes() = default;  // before the first configuration: number 0, no groups

  // InvalidArgument: what makes it useless. It came from elsewhere.
  static absl::StatusOr<Routes> From(const proto::Configuration& configuration);

  uint64_t num() const { return num_; }
  // 0: not known yet.
  uint32_t shards() const { return static_cast<uint32_t>(owners_.size()); }
  // Without groups nobody serves anything.
  bool has_groups() const { return !nodes_.empty(); }
  // REQUIRES: has_groups(), shard < shards().
  GroupId OwnerOf(ShardId shard) const { return owners_[shard.value()]; }
  // Null: no member.
  const std::vector<NodeId>* NodesOf(GroupId group) const;
  // The controller's members; membership 0: those of its beginning, which it does not name.
  const LearnControllers& controllers() const { return controllers_; }

 private:
  uint64_t num_ = 0;
  std::vector<GroupId> owners_;
  LearnControllers controllers_;
  absl::btree_map<GroupId, std::vector<NodeId>> nodes_;
};

}  // namespace lockstep::client

#endif  // LOCKSTEP_CORE_CLIENT_ROUTES_H_
