// The simulated world as every scenario has it: servers, their disks, a network and clients, and
// the verbs that move them. What the servers are for is said by those that build on it: one group
// (cluster.h), or a controller and groups of shards (sharded_cluster.h).
//
// The checkers of the simulator follow every note of every server, and everything that clients do
// goes into one history. Deterministic: equal options give equal runs.
//
// In files by what the verbs move: stage.cc (time, servers), stage_disks.cc, stage_verdict.cc.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_STAGE_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_STAGE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/client/caller.h"
#include "core/controller/options.h"
#include "core/node/roles.h"
#include "sim/disk/crash_options.h"
#include "sim/trace/trace.h"
#include "sim/workload/recorder.h"
#include "sim/world/group_placement.h"
#include "sim/world/world.h"
#include "storage/engine.h"
#include "tests/scenario/support/client.h"
#include "tests/scenario/support/links.h"
#include "tests/scenario/support/replicas.h"
#include "tests/scenario/support/traffic.h"
#include "tests/scenario/support/watch.h"

namespace lockstep::scenario {

// The labs' times. A silent leader is missed after 1 to 2 s.
inline constexpr Duration kElectionTimeout = std::chrono::seconds(2);
inline constexpr Duration kHeartbeat = std::chrono::milliseconds(100);
// Plenty for the election of a leader, when one can be elected.
inline constexpr Duration kElectionPatience = std::chrono::seconds(20);
// Each attempt without an answer doubles the patience for the next. From the labs' 500 ms on that
// would be half a minute where messages are lost one after the other, as they never are over TCP.
inline constexpr Duration kAttemptTimeout = std::chrono::milliseconds(100);
inline constexpr Duration kBackoffMax = std::chrono::milliseconds(200);

// Plenty to come to rest, once everything works.
inline constexpr Duration kHealPatience = std::chrono::seconds(60);

struct StageOptions {
  uint64_t seed = 1;
  uint16_t servers = 3;
  uint16_t hosts = 1;  // of clients, those included that scenarios do not see
  Weather weather = Weather::kReliable;
  sim::CrashOptions crash = {};        // what a power failure leaves of unsynced data
  node::NodeOptions node = {};         // without its groups, and with the labs' times
  storage::EngineOptions engine = {};  // without its groups
  std::vector<sim::GroupPlacement> groups = {};
};

class Stage {
 public:
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // --- Time ---
  Instant now() { return world_.timeline().instant(); }
  void RunFor(Duration span);
  // True as soon as the condition holds; false when it does not within the time.
  bool RunUntil(const std::function<bool()>& condition, Duration within);
  // Chance for the scenario's own choices.
  Rng& rng() { return rng_; }

  // --- Servers, numbered from 1 ---
  Side Servers() const;
  Side RunningServers();
  bool IsUp(NodeId server) { return HostOf(server).up(); }
  // Power fails: memory is gone, and of the disk what had not been synced, perhaps.
  void Crash(NodeId server);
  // The process dies, and the machine goes on.
  void Kill(NodeId server);
  // Its peers hear that their connections to it broke, as those of a process that has died do.
  void BreakConnections(NodeId server);
  // One of them does; the peer, which is well, may not know.
  void BreakConnection(NodeId server, NodeId peer);
  void Restart(NodeId server);
  void CrashAll();
  void RestartAll();
  // It stands still for a while.
  void Pause(NodeId server, Duration span);
  // Before that while is over. Its disk goes on, too.
  void Resume(NodeId server) { HostOf(server).Recover(); }

  // --- Network (links.h) ---
  void SetWeather(Weather weather) { links_.SetWeather(weather); }
  void Disconnect(NodeId server) { links_.Disconnect(server); }
  void Connect(NodeId server) { links_.Connect(server); }
  bool IsConnected(NodeId server) const { return links_.IsConnected(server); }
  void Partition(const std::vector<Side>& sides) { links_.Partition(sides); }
  void EndPartition() { links_.EndPartition(); }
  void CutOneWay(NodeId from, NodeId to) { links_.CutOneWay(from, to); }
  void MendOneWay(NodeId from, NodeId to) { links_.MendOneWay(from, to); }
  // The client reaches these servers alone.
  void LetReach(uint16_t client, const Side& servers) { links_.LetReach(client, servers); }
  void LetReachAll(uint16_t client) { links_.LetReachAll(client); }
  // What servers have sent to each other until now.
  Traffic traffic() const { return software_.total(); }

  // --- Disks (stage_disks.cc) ---
  // Power fails at the sync of the next write to the log: the bytes are written, not durable.
  void LosePowerAtNextFsync(NodeId server) { LosePowerInNextLogWrite(server, /*change=*/2); }
  // Power fails in the middle of the `change`th change to the disk that the next write to the log
  // makes.
  void LosePowerInNextLogWrite(NodeId server, uint64_t change);
  // The same for the next checkpoint of the table, and for the installation of a snapshot.
  void LosePowerInNextCheckpoint(NodeId server, uint64_t change);
  void LosePowerInNextSnapshotPart(NodeId server, uint64_t change);
  // The same while it starts.
  void LosePowerInNextBoot(NodeId server, uint64_t change);
  // The next sync of the log fails: the server has to stop itself.
  void FailNextFsync(NodeId server);
  // Runs until what was prepared for the server has happened. Fails if it does not within 10 s.
  void ExpectTrapSprings(NodeId server);
  // A bit flips in what was durable for long. A log is read whole at the next start. Damage in a
  // table may never be found: nobody counts on such a server at the end.
  void FlipBit(NodeId server, Part part);
  // Its log, or its table, completes nothing for a while.
  void StallDisk(NodeId server, Part part, Duration span);
  uint64_t BytesOnDisk(NodeId server, Part part);

  // --- Replicas ---
  const ReplicaState& ReplicaOn(NodeId server, GroupId group) {
    return watch_.replica(server, group);
  }
  Index AppliedOf(NodeId server, GroupId group) { return HostOf(server).applied(group).index; }
  uint64_t elections() const { return watch_.elections(); }
  // The group's leader of the highest term among these; none: nobody leads.
  NodeId LeaderAmong(const Side& servers, GroupId group);

  // --- Clients ---
  Client& client(uint16_t number = 0) { return *clients_[number]; }
  uint16_t clients() const { return static_cast<uint16_t>(clients_.size()); }

  // Something was found that must never be.
  bool broken() const { return broken_; }

 protected:
  // To begin with: the labs' times, and storage that rolls over early.
  static node::NodeOptions LabNode();
  static storage::EngineOptions SmallEngine();

  // `controller`: what it allows; null where there is none, and no shards.
  Stage(const StageOptions& options, const controller::ControllerOptions* controller);
  ~Stage() = default;

  // The next client of the scenario. `shards`: see Client.
  void AddClient(std::unique_ptr<client::Caller> caller, uint32_t shards);
  // All servers boot. Clients must be there.
  void Begin();
  Wait Waits();
  sim::NodeHost& HostOf(NodeId server) {
    return world_.server(static_cast<uint16_t>(server.value()));
  }
  // Tells a finding, once.
  void LookForFindings();

  // --- Verdict (stage_verdict.cc) ---
  void Heal();
  // What clients still have under way is waited for.
  void LetClientsFinish();
  void ReadEveryKey();
  // Of a replica whose state is that at its last applied entry.
  void JudgeTable(NodeId server, GroupId group);
  // The answers to all clients and the history as a whole.
  void JudgeHistory(GroupId group);
  // Its disk has lost what was durable: nobody counts on it.
  bool IsLost(NodeId server) const { return lost_.contains(server); }
  // False: the end has been reached before.
  bool BeginEnd();

  const StageOptions options_;
  const Rng root_;
  Rng rng_;
  std::unique_ptr<sim::TraceSink> trace_;  // set by LOCKSTEP_TRACE in the environment
  Watch watch_;
  MeteredSoftware software_;
  sim::World world_;
  Links links_;
  std::vector<std::string> keys_;  // that clients have named, ascending
  sim::Recorder recorder_;
  std::vector<std::unique_ptr<Client>> clients_;

 private:
  uint32_t NoteFault(sim::FaultKind kind, NodeId server);
  void SetPowerTrap(NodeId server, uint64_t change, std::function<bool(const StorageJob&)> fits);
  bool ClientsAreIdle() const;

  std::set<NodeId> lost_;  // servers whose disks have lost what was durable
  bool broken_ = false;
  bool finished_ = false;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_STAGE_H_
