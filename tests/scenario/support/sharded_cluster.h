// A sharded cluster for a scripted scenario: a controller, groups of shards, clients that find the
// group of each key, and administrators. Groups have the labs' numbers, from 100 on.
//
//   ShardedCluster cluster({.groups = 2});
//   cluster.Join({k100});
//   cluster.client().Put("key", "value");
//   cluster.Join({k101});
//   cluster.ExpectSettled();
//   EXPECT_EQ(cluster.client().Get("key"), "value");
//
// All checkers look on all along. At the end everything is healed; then all shards must come to
// rest where the newest configuration wants them, every key is read once more, replicas must hold
// equal tables, with nothing left in them of shards that have gone, and the history of all clients
// must be linearizable.
//
// What is not of shards is in stage.h. In files: sharded_cluster.cc (groups, administration),
// sharded_watch.cc (what can be seen), sharded_verdict.cc.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_SHARDED_CLUSTER_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_SHARDED_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/placement.h"
#include "core/base/types.h"
#include "core/controller/configuration.h"
#include "core/shardkv/agent.h"
#include "sim/check/shard_model.h"
#include "tests/scenario/support/administrator.h"
#include "tests/scenario/support/stage.h"

namespace lockstep::scenario {

inline constexpr GroupId k100{100};
inline constexpr GroupId k101{101};
inline constexpr GroupId k102{102};

using Gids = std::vector<GroupId>;

// How long shards may take to come to rest when everything works.
inline constexpr Duration kSettlePatience = std::chrono::seconds(30);

struct ShardedOptions {
  uint16_t controllers = 3;
  uint16_t groups = 3;
  uint16_t servers_per_group = 3;
  // The servers of each group, which may be in several. Empty: each has servers of its own, behind
  // the controllers.
  std::vector<Side> members = {};
  uint32_t shards = 10;
  uint16_t clients = 1;
  uint16_t administrators = 1;
  uint64_t seed = 1;
  Weather weather = Weather::kReliable;
  uint64_t log_entries_max = 100'000;
  uint64_t log_bytes_max = uint64_t{64} << 20;
  shardkv::AgentOptions agent = {};
  uint64_t configurations_kept = 100;
  uint32_t sweep_records_max = 1000;
};

class ShardedCluster : public Stage {
 public:
  explicit ShardedCluster(const ShardedOptions& options);
  // Judges (Finish).
  ~ShardedCluster();

  // --- Groups ---
  Gids AllGroups() const;
  // The servers of a group, or of the controller.
  const Side& ServersOf(GroupId gid) const { return servers_.at(gid); }
  Side ServersBut(GroupId gid) const;
  controller::Group GroupOf(GroupId gid) const;
  NodeId LeaderOf(GroupId gid) { return LeaderAmong(ServersOf(gid), gid); }
  // Fails unless there soon is one. Never 0.
  NodeId ExpectLeaderOf(GroupId gid);
  // Of the group, and not the leader.
  NodeId FollowerOf(GroupId gid);
  // Power fails on all of its servers.
  void ShutDown(GroupId gid);
  void Start(GroupId gid);
  // Its servers hear each other only, of all servers; or all but the controller's. Clients reach
  // them.
  void CutOff(GroupId gid);
  void CutOffFromController(GroupId gid);
  void CutBetween(GroupId a, GroupId b) { links_.CutBetween(ServersOf(a), ServersOf(b)); }
  void MendBetween(GroupId a, GroupId b) { links_.MendBetween(ServersOf(a), ServersOf(b)); }
  void EndCuts() { links_.MendAll(); }
  // What groups say to each other about shards: see Listener.
  void Listen(Listener listener) { software_.Listen(std::move(listener)); }
  void Repeat(const ShardTalk& talk) { software_.Repeat(talk); }

  // --- Administration. Each must succeed. ---
  void Join(const Gids& gids);
  void Leave(const Gids& gids);
  // The last groups may go, too.
  void LeaveByForce(const Gids& gids);
  void Move(uint32_t shard, GroupId gid);
  void Unpin(uint32_t shard);
  controller::Configuration Query(uint64_t num = 0);
  Administrator& administrator(uint16_t number = 0) { return *administrators_[number]; }

  // --- Shards (sharded_watch.cc) ---
  uint32_t shards() const { return shards_; }
  uint32_t ShardOf(const std::string& key) const {
    return static_cast<uint32_t>(lockstep::ShardOf(key, shards_).value());
  }
  // A key of the shard; others for other numbers.
  std::string KeyIn(uint32_t shard, uint64_t number = 0) const;
  // As the controller's log has it.
  const controller::Configuration& newest() { return watch_.shards().mirror().newest(); }
  uint64_t newest_num() { return newest().num.value(); }
  GroupId OwnerOf(uint32_t shard) { return newest().owners[shard]; }
  // Who serves it, by the logs of the groups; 0: nobody does, just now.
  GroupId ServerOf(uint32_t shard);
  bool ExpectServedBy(uint32_t shard, GroupId gid, Duration within = kSettlePatience);
  // How far the group has come, and what it has of the shard: its newest tenure.
  uint64_t ConfigurationOf(GroupId gid);
  sim::ModelTenure TenureOf(GroupId gid, uint32_t shard);
  // Empty: all shards are where the newest configuration wants them, and nothing is left to do.
  std::string StillMoving() { return watch_.shards().StillMoving(); }
  bool ExpectSettled(Duration within = kSettlePatience);
  // The moment at which something has become of the shard at the group: to strike there. Fails
  // when it does not come.
  void RunUntilState(GroupId gid, uint32_t shard, proto::ShardState state);
  void RunUntilPartInstalled(GroupId gid, uint32_t shard, uint64_t part);
  uint64_t moves() { return watch_.shards().model().moves(); }

  // --- Footprints (sharded_watch.cc) ---
  uint64_t LogEntriesOf(NodeId server, GroupId gid) {
    return ReplicaOn(server, gid).entry_bytes.size();
  }
  uint64_t LogBytesOf(NodeId server, GroupId gid) { return ReplicaOn(server, gid).log_bytes; }
  // All entries that its log ever had.
  uint64_t EntriesEverOf(NodeId server, GroupId gid) { return ReplicaOn(server, gid).last.value(); }
  // Of keys and values in the replica's table, whatever they are for.
  uint64_t TableBytesOf(NodeId server, GroupId gid);

  // --- Verdict (sharded_verdict.cc) ---
  // Heals everything and judges. Implied by the end of the scenario.
  void Finish();

 private:
  void ExpectOk(proto::Code code, const std::string& what);
  std::string WhyNotAtRest();
  void JudgeShards(NodeId server, GroupId gid);

  const uint32_t shards_;
  std::map<GroupId, Side> servers_;
  std::vector<std::unique_ptr<Client>> administrations_;  // of the administrators
  std::vector<std::unique_ptr<Administrator>> administrators_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_SHARDED_CLUSTER_H_
