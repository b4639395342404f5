// What a scenario sees of its servers: who leads, in which term, what is in whose log, all of it
// from the notes that the servers write. Every note goes through the checkers too, so that a
// scenario fails on any violation, whatever it asserts itself.
//
// It also holds the traps that a scenario has set for the disks: what happens to the next storage
// job of a kind.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_WATCH_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_WATCH_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/types.h"
#include "core/controller/options.h"
#include "core/raft/io.h"
#include "core/runtime/log.h"
#include "sim/check/checker.h"
#include "sim/check/cluster_checkers.h"
#include "sim/check/shard_checker.h"
#include "sim/world/node_host.h"
#include "sim/world/observer.h"

namespace lockstep::scenario {

// A replica as it describes itself.
struct ReplicaState {
  bool running = false;
  raft::Role role = raft::Role::kFollower;
  Term term;
  NodeId vote;
  NodeId leader;  // as far as it knows
  Index commit;
  Index base;                        // the log begins after it
  Index last;                        // of the log
  uint64_t log_bytes = 0;            // of the commands in it
  std::deque<uint64_t> entry_bytes;  // of each entry of the log
  uint64_t snapshots_installed = 0;
  uint64_t snapshots_sent = 0;
};

// Springs when a storage job fits.
struct Trap {
  std::function<bool(const StorageJob&)> fits;
  sim::Interference what;
};

class Watch : public sim::WorldObserver {
 public:
  // `sessions_max`: how many sessions a group, or a shard, keeps. `controller`: what it allows;
  // null: there is none, and so there are no shards.
  Watch(uint64_t sessions_max, const controller::ControllerOptions* controller);

  const ReplicaState& replica(NodeId node, GroupId group) { return replicas_[{group, node}]; }
  sim::Findings& findings() { return findings_; }
  sim::ClusterCheckers& checkers() { return checkers_; }
  // REQUIRES: there is a controller.
  sim::ShardChecker& shards() { return *shards_; }
  // Leaders that took office so far.
  uint64_t elections() const { return elections_; }

  // One trap a server; a later one replaces it.
  void Set(NodeId node, Trap trap) { traps_[node] = std::move(trap); }
  void SetAtBoot(NodeId node, sim::Interference what) { boot_traps_[node] = what; }
  // Whether the server's trap has not sprung yet.
  bool IsSet(NodeId node) const { return traps_.contains(node) || boot_traps_.contains(node); }

  // Called with every note, after the checkers. May be empty.
  std::function<void(NodeId, const Note&)> on_note;

  // sim::WorldObserver.
  void OnWorldEvent(const sim::Event&) override {}  // The end of a wait.
  void OnNote(sim::NodeHost& host, const Note& note) override;
  void OnRequest(sim::NodeHost& host, RequestId id) override;
  void OnSubmitted(sim::NodeHost&, const StorageJob&) override {}
  sim::Interference BeforeStorage(sim::NodeHost& host, const StorageJob& job) override;
  void OnStored(sim::NodeHost& host, const StorageJob& job, const StorageResult& result) override;
  sim::Interference BeforeBoot(sim::NodeHost& host) override;
  void OnCrashed(sim::NodeHost& host) override;
  void OnBroken(sim::NodeHost& host, std::string property, std::string evidence) override;

  // The world's clock: notes have no time of their own.
  std::function<Instant()> now;

 private:
  void Follow(ReplicaState& replica, const Note& note);
  void FollowRole(ReplicaState& replica, const Note& note);

  sim::Findings findings_;
  const std::unique_ptr<sim::ShardChecker> shards_;
  sim::ClusterCheckers checkers_;
  std::map<std::pair<GroupId, NodeId>, ReplicaState> replicas_;
  std::map<NodeId, Trap> traps_;
  std::map<NodeId, sim::Interference> boot_traps_;
  uint64_t elections_ = 0;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_WATCH_H_
