// Watches shards move between groups.
//
//   Shard Ownership      at most one group serves a shard; a group has exactly the shards that its
//                        configuration gives it
//   Handover Integrity   what arrives is what was frozen: every record of it, by the source's hash
//                        and by one computed from what was written into the destination's log
//   Session Monotony     a shard's versions, which order its sessions, never go back
//   Shard Convergence    in the end every member has come to the newest configuration, nothing is
//                        under way, and nothing is left of shards that have gone
//   Shard Accounting     the counts that are kept agree with what is there
//   Configuration        each configuration follows from the one before (ConfigurationChecker)
//
// What entries mean is decided by a model (ShardModel); what replicas say of themselves, by their
// answers to entries of the group itself.
#ifndef LOCKSTEP_SIM_CHECK_SHARD_CHECKER_H_
#define LOCKSTEP_SIM_CHECK_SHARD_CHECKER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/functional/function_ref.h"
#include "core/base/types.h"
#include "core/controller/options.h"
#include "core/runtime/journal.h"
#include "sim/check/checker.h"
#include "sim/check/configuration_checker.h"
#include "sim/check/controller_mirror.h"
#include "sim/check/group_checker.h"
#include "sim/check/shard_model.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

class ShardChecker final : public CommitListener {
 public:
  // `findings` outlives this object. `sessions_max`: of each shard.
  ShardChecker(Findings& findings, const controller::ControllerOptions& controller,
               uint64_t sessions_max)
      : findings_(findings),
        controller_sessions_max_(controller.sessions_max),
        mirror_(controller),
        model_(sessions_max) {}

  // From the checkers of the groups: of the controller's and of shard groups' logs.
  void OnCommitted(GroupId group, const Entry& entry) override;
  // kApplied of a shard group.
  void OnApplied(Instant now, NodeId node, const Note& note);

  // Why the shards have not come to rest yet; empty: they have.
  std::string StillMoving() const;
  using Visit = absl::FunctionRef<bool(absl::string_view key, absl::string_view value)>;
  // Something in a replica's table, by `scan`, that is of a shard which is not there (any more);
  // empty: nothing is.
  std::string LeftOver(GroupId group, absl::FunctionRef<void(Visit)> scan) const;
  // Once the shards have come to rest: the same, and what is there agrees with the counts.
  void CheckTable(NodeId node, GroupId group, absl::FunctionRef<void(Visit)> scan);

  uint64_t controller_sessions_max() const { return controller_sessions_max_; }
  const ShardModel& model() const { return model_; }
  const ControllerMirror& mirror() const { return mirror_; }
  void AppendCounters(Counters* counters) const;

 private:
  struct Frozen {
    std::string who;  // said so
    uint64_t content = 0;
    uint64_t keys = 0;
    uint64_t bytes = 0;
  };

  bool IsServed(GroupId group, const shardkv::TenureId& id) const;
  void Report(absl::string_view property, std::string evidence);
  void OnControllerCommitted(const Entry& entry);
  void CheckOwners(GroupId group, uint64_t num);
  void CheckServing(GroupId group);
  void CheckArrival(GroupId group, const ModelStep& step);
  void Compare(const TenureEnd& end, Frozen said);

  Findings& findings_;
  const uint64_t controller_sessions_max_;
  Instant now_{};
  ControllerMirror mirror_;
  ConfigurationChecker configurations_;
  ShardModel model_;
  absl::btree_map<TenureEnd, Frozen> frozen_;  // what was said of it first
  uint64_t tables_ = 0;
  uint64_t freezes_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_CHECK_SHARD_CHECKER_H_
