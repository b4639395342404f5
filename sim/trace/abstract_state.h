// What a cluster looks like from far away, as numbers: which roles its replicas have, how far they
// are behind the foremost in terms and logs, in which phase of a change their configurations are,
// what states shards are in. Told in pairs: the replica that has just changed, and each other one
// of its group; whole clusters would be new again and again. Runs that show new numbers are worth
// going on from: that is the feedback of schedule fuzzing beside the edges of the code (Mallory and
// ModelFuzz have the same idea).
//
// Servers are interchangeable, distances are none, one, a few or many. Pure.
#ifndef LOCKSTEP_SIM_TRACE_ABSTRACT_STATE_H_
#define LOCKSTEP_SIM_TRACE_ABSTRACT_STATE_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "core/base/types.h"
#include "core/raft/group_configuration.h"
#include "core/runtime/journal.h"
#include "sim/check/shard_model.h"
#include "sim/trace/state_sink.h"

namespace lockstep::sim {

class AbstractState {
 public:
  // `shards` may be nullptr. Everything outlives it.
  AbstractState(StateSink& sink, const ShardModel* shards) : sink_(sink), shards_(shards) {}

  void OnNote(NodeId node, const Note& note);
  void OnCrash(NodeId node);

 private:
  enum class Role : uint8_t { kDown, kFollower, kPreCandidate, kCandidate, kLeader };
  struct Replica {
    Role role = Role::kDown;
    Term term;
    Index base;
    Index last;
    Index commit;
    raft::ChangePhase phase = raft::ChangePhase::kSettled;  // of the newest configuration it holds
  };
  using Replicas = absl::btree_map<NodeId, Replica>;

  // False: nothing that shows from far away.
  static bool Take(const Note& note, Replica& replica);
  static uint64_t WordOf(const Replica& replica, const Replica& front);
  void Tell(GroupId group, NodeId changed);
  uint64_t ShardsOf(GroupId group) const;

  StateSink& sink_;
  const ShardModel* const shards_;
  absl::btree_map<GroupId, Replicas> groups_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_TRACE_ABSTRACT_STATE_H_
