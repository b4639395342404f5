// Everything that the nodes' notes can prove or refute, across nodes and across crashes: Raft's
// five invariants, the durability of promises, and exactly-once execution. One GroupChecker a
// group; this class only routes.
#ifndef LOCKSTEP_SIM_CHECK_CLUSTER_CHECKERS_H_
#define LOCKSTEP_SIM_CHECK_CLUSTER_CHECKERS_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/types.h"
#include "core/runtime/journal.h"
#include "core/runtime/log.h"
#include "sim/check/checker.h"
#include "sim/check/group_checker.h"
#include "sim/check/session_model.h"
#include "sim/check/shard_checker.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

class ClusterCheckers : public Checker {
 public:
  // `findings` outlives this object. `sessions_max`: how many sessions a group keeps;
  // what the controller keeps, `shards` knows, which outlives this too; null where there are none.
  explicit ClusterCheckers(Findings& findings, uint64_t sessions_max = UINT64_MAX,
                           ShardChecker* shards = nullptr)
      : findings_(findings), sessions_max_(sessions_max), shards_(shards) {}

  void OnNote(Instant now, NodeId node, const Note& note) override;
  void OnCrash(Instant now, NodeId node) override;
  void AtEnd() override;

  // The node's disk was damaged, so that its replicas may lose what they had promised, once each.
  void OnDamage(NodeId node);
  // Before anything is heard of the group: its members, until its log says otherwise. Groups of
  // which nothing is declared begin with all replicas that boot.
  void DeclareMembers(GroupId group, raft::Membership members) {
    GroupOf(group).DeclareMembers(std::move(members));
  }

  std::optional<std::vector<NodeId>> MembersCommittedAs(GroupId group, Index id) {
    return GroupOf(group).MembersCommittedAs(id);
  }
  std::vector<raft::GroupConfiguration> Deciding(GroupId group) {
    return GroupOf(group).Deciding();
  }

  // A request has reached `node`; which group it is for is not known yet.
  void OnRequest(NodeId node, RequestId id);

  // A digest of `node`'s table as of `applied` (storage::Engine::TableDigest): replicas that have
  // applied the same entries must hold equal tables. Optional; ask as often as it is affordable.
  void OnTableDigest(NodeId node, GroupId group, LogPosition applied, uint64_t digest);

  // Where each command of a group without shards was executed.
  const SessionModel& sessions(GroupId group) { return GroupOf(group).sessions(); }
  // Where a command took effect, by a model of the session rules: a version of the group's state,
  // or of the shard's. None: nowhere.
  Index FirstOf(GroupId group, const CommandIdentity& command) {
    return shards_ != nullptr ? shards_->model().FirstOf(command)
                              : GroupOf(group).sessions().FirstOf(command);
  }

  // Null where there are no shards.
  const ShardModel* shard_model() const { return shards_ == nullptr ? nullptr : &shards_->model(); }

  // Elections, commits, truncations and the like, summed over the groups.
  void AppendCounters(Counters* counters) const;

 private:
  GroupChecker& GroupOf(GroupId group);

  Findings& findings_;
  const uint64_t sessions_max_;
  ShardChecker* const shards_;
  std::vector<std::unique_ptr<GroupChecker>> groups_;  // few: searched one by one
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_CLUSTER_CHECKERS_H_
