// Whether each configuration follows from the one before: an account of what joins, leaves, moves
// and pins must come to, kept apart from the controller, whose machine makes them.
//
//   owners     are members; changes of membership and lifted pins leave the shards divided evenly,
//              and no more of them move than that takes; a move changes one shard
//   pins       stay until their group leaves or somebody lifts them
//   handovers  are the changes of owners, and say where the data of each shard lies
//   former     groups are those that have left, in their order
//   members    of a group, also a former one, or of the controller, are replaced one group at a
//              time, which changes nothing else: by voters of a settled configuration that its log
//              has committed, and never by those of an older one
#ifndef LOCKSTEP_SIM_CHECK_CONFIGURATION_CHECKER_H_
#define LOCKSTEP_SIM_CHECK_CONFIGURATION_CHECKER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/controller/configuration.h"
#include "core/runtime/log.h"

namespace lockstep::sim {

class ConfigurationChecker {
 public:
  // The next one. What is wrong with it; empty: nothing is.
  std::string OnNew(const controller::Configuration& next);
  // A group's log has committed who its members are; told before any configuration can say so.
  void OnMembersCommitted(GroupId group, const Entry& entry);
  // Configurations that replaced members.
  uint64_t replacements() const { return replacements_; }

 private:
  // Where the data of a shard lies, and since when it is not the owner's.
  struct Holder {
    GroupId gid;
    controller::ConfigurationNum ended;
  };
  struct Share {
    uint64_t before = 0;
    uint64_t after = 0;
    uint64_t pinned = 0;
  };

  std::string CheckMembers(const controller::Configuration& next) const;
  bool Replaces(const controller::Configuration& next) const;
  std::vector<controller::Group> FormerIn(const controller::Configuration& next) const;
  std::string CheckReplacement(const controller::Configuration& next) const;
  std::string CheckVoters(GroupId group, uint64_t before, uint64_t membership,
                          const std::vector<NodeId>& nodes) const;
  std::string CheckPins(const controller::Configuration& next) const;
  std::string CheckHandovers(const controller::Configuration& next);
  std::string CheckBalance(const controller::Configuration& next) const;
  std::string CheckMoves(const controller::Configuration& next) const;
  bool SameGroups(const controller::Configuration& next) const;
  GroupId OwnerBefore(size_t shard) const;
  absl::btree_map<GroupId, Share> SharesIn(const controller::Configuration& next) const;

  controller::Configuration newest_;
  std::vector<Holder> holders_;  // by shard
  // The voters of each settled configuration that a group's log has committed, by group and id.
  absl::btree_map<std::pair<GroupId, uint64_t>, std::vector<NodeId>> committed_;
  uint64_t replacements_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_CONFIGURATION_CHECKER_H_
