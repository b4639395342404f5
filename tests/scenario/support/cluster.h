// A cluster for a scripted scenario: servers, disks, a network and clients in the simulated world,
// and the verbs to move them with. A scenario reads like the story it tells:
//
//   Cluster cluster({.servers = 3});
//   const NodeId first = cluster.ExpectOneLeader();
//   cluster.Disconnect(first);
//   EXPECT_NE(cluster.ExpectOneLeader(), first);
//
// Whatever a scenario asserts itself, every cluster is judged as a whole: the checkers of the
// simulator follow every note of every server (Raft's five properties, durable promises,
// exactly-once), and at its end the cluster is healed and must serve again, all servers must come
// to hold equal tables, every key is read once more, and the history of all clients must be
// linearizable. Deterministic: equal options give equal runs.
//
// In files by what the verbs move: cluster.cc (time, servers), cluster_disks.cc, cluster_raft.cc,
// cluster_verdict.cc.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLUSTER_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/base/types.h"
#include "core/node/roles.h"
#include "sim/disk/crash_options.h"
#include "sim/trace/trace.h"
#include "sim/workload/recorder.h"
#include "sim/world/world.h"
#include "storage/engine.h"
#include "tests/scenario/support/client.h"
#include "tests/scenario/support/links.h"
#include "tests/scenario/support/proposer.h"
#include "tests/scenario/support/replicas.h"
#include "tests/scenario/support/traffic.h"
#include "tests/scenario/support/watch.h"

namespace lockstep::scenario {

// The labs' times. A silent leader is missed after 1 to 2 s.
inline constexpr Duration kElectionTimeout = std::chrono::seconds(2);
inline constexpr Duration kHeartbeat = std::chrono::milliseconds(100);
// Plenty for the election of a leader, when one can be elected.
inline constexpr Duration kElectionPatience = std::chrono::seconds(20);

inline constexpr GroupId kOnlyGroup = GroupId(1);

struct ClusterOptions {
  uint16_t servers = 3;
  uint16_t clients = 1;
  uint64_t seed = 1;
  Weather weather = Weather::kReliable;
  // When logs are compacted and how much of them is then kept (node::NodeOptions).
  uint64_t log_entries_max = 100'000;
  uint64_t log_bytes_max = uint64_t{64} << 20;
  uint64_t log_entries_kept = 0;
  uint64_t append_entries_max = 1024;  // in one message
  uint64_t wal_segment_bytes_max = uint64_t{64} << 10;
  sim::CrashOptions crash = {};  // what a power failure leaves of unsynced data
};

class Cluster {
 public:
  explicit Cluster(const ClusterOptions& options);
  // Judges (Finish).
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

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
  // The one so many steps further round the table.
  NodeId After(NodeId server, uint64_t steps) const {
    return NodeId(1 + (server.value() - 1 + steps) % options_.servers);
  }
  bool IsUp(NodeId server) { return HostOf(server).up(); }
  // Power fails: memory is gone, and of the disk what had not been synced, perhaps.
  void Crash(NodeId server);
  // The process dies, and the machine goes on.
  void Kill(NodeId server);
  void Restart(NodeId server);
  void CrashAll();
  void RestartAll();
  // It stands still for a while.
  void Pause(NodeId server, Duration span);

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

  // --- Disks (cluster_disks.cc) ---
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
  // A bit flips in what was durable for long. The server is lost from now on: nobody counts on it.
  void FlipBit(NodeId server, Part part);
  // Its log, or its table, completes nothing for a while.
  void StallDisk(NodeId server, Part part, Duration span);
  uint64_t BytesOnDisk(NodeId server, Part part);

  // --- Raft (cluster_raft.cc) ---
  const ReplicaState& ReplicaOn(NodeId server, GroupId group = kOnlyGroup) {
    return watch_.replica(server, group);
  }
  Term TermOf(NodeId server) { return ReplicaOn(server).term; }
  Index CommitOf(NodeId server) { return ReplicaOn(server).commit; }
  Index AppliedOf(NodeId server) { return AppliedBy(HostOf(server), kOnlyGroup).index; }
  uint64_t LogEntriesOf(NodeId server) { return ReplicaOn(server).entry_bytes.size(); }
  uint64_t LogBytesOf(NodeId server) { return ReplicaOn(server).log_bytes; }
  uint64_t elections() const { return watch_.elections(); }
  // Servers that are up and connected.
  Side Present();
  // The leader of the highest term among these; none: nobody leads.
  NodeId LeaderAmong(const Side& servers);
  NodeId Leader() { return LeaderAmong(Present()); }
  // Fails unless soon exactly one of them leads and all are in its term; of those that are present
  // unless said. Never 0.
  NodeId ExpectOneLeader() { return ExpectOneLeaderAmong(Present()); }
  NodeId ExpectOneLeaderAmong(const Side& servers);
  // Leaders that lost their followers are given time to notice; then nobody present may lead, for
  // two election time-outs.
  void ExpectNoLeader();

  // Puts a command before one server, as the labs' Start: where its log has it, or nothing if the
  // server does not lead.
  std::optional<Index> Propose(NodeId server, const std::string& value);
  Proposal ProposeSoon(NodeId server, const std::string& value);
  // As the labs' one(): within 10 s some leader accepts the command and it is executed by at least
  // so many servers; it may have to be proposed again. Returns its index.
  Index Agree(const std::string& value, size_t servers_min);
  // Where the committed log has it; none: nowhere.
  Index CommittedAt(const Proposal& proposal);
  // Servers that are up and have executed all commands up to this one.
  size_t ExecutedBy(Index index);
  void ExpectExecutedBy(Index index, const Side& servers,
                        Duration within = std::chrono::seconds(10));

  // --- Clients ---
  Client& client(uint16_t number = 0) { return *clients_[number]; }
  uint16_t clients() const { return options_.clients; }

  // --- Verdict (cluster_verdict.cc) ---
  // Heals everything and judges. Implied by the end of the scenario.
  void Finish();
  // Something was found that must never be.
  bool broken() const { return broken_; }

 private:
  sim::NodeHost& HostOf(NodeId server) {
    return world_.server(static_cast<uint16_t>(server.value()));
  }
  uint32_t NoteFault(sim::FaultKind kind, NodeId server);
  void SetPowerTrap(NodeId server, uint64_t change, std::function<bool(const StorageJob&)> fits);
  void EnsureSession();
  // Tells a finding, once.
  void LookForFindings();
  bool ClientsAreIdle() const;
  bool HasConverged();
  void Heal();
  void ReadEveryKey();
  void Judge();

  const ClusterOptions options_;
  const Rng root_;
  Rng rng_;
  std::unique_ptr<sim::TraceSink> trace_;  // set by LOCKSTEP_TRACE in the environment
  Watch watch_;
  MeteredSoftware software_;
  sim::World world_;
  Links links_;
  const std::vector<std::string> no_keys_;  // of Lists, which scenarios do not use
  sim::Recorder recorder_;
  std::vector<std::unique_ptr<Client>> clients_;
  Proposer proposer_;
  std::set<NodeId> lost_;  // servers whose disks have lost what was durable
  bool broken_ = false;
  bool finished_ = false;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLUSTER_H_
