// A cluster of one group for a scripted scenario. A scenario reads like the story it tells:
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
// What is not of the group is in stage.h. In files: cluster.cc, cluster_raft.cc.
#ifndef LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLUSTER_H_
#define LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLUSTER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/types.h"
#include "tests/scenario/support/proposer.h"
#include "tests/scenario/support/stage.h"

namespace lockstep::scenario {

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

class Cluster : public Stage {
 public:
  explicit Cluster(const ClusterOptions& options);
  // Judges (Finish).
  ~Cluster();

  // The one so many steps further round the table.
  NodeId After(NodeId server, uint64_t steps) const {
    return NodeId(1 + (server.value() - 1 + steps) % options_.servers);
  }

  // --- Raft (cluster_raft.cc) ---
  const ReplicaState& ReplicaOn(NodeId server) { return Stage::ReplicaOn(server, kOnlyGroup); }
  Term TermOf(NodeId server) { return ReplicaOn(server).term; }
  Index CommitOf(NodeId server) { return ReplicaOn(server).commit; }
  Index AppliedOf(NodeId server) { return Stage::AppliedOf(server, kOnlyGroup); }
  uint64_t LogEntriesOf(NodeId server) { return ReplicaOn(server).entry_bytes.size(); }
  uint64_t LogBytesOf(NodeId server) { return ReplicaOn(server).log_bytes; }
  // Servers that are up and connected.
  Side Present();
  // The leader of the highest term among these; none: nobody leads.
  NodeId LeaderAmong(const Side& servers) { return Stage::LeaderAmong(servers, kOnlyGroup); }
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

  // Heals everything and judges. Implied by the end of the scenario.
  void Finish();

 private:
  void EnsureSession();
  bool HasConverged();

  Proposer proposer_;
};

}  // namespace lockstep::scenario

#endif  // LOCKSTEP_TESTS_SCENARIO_SUPPORT_CLUSTER_H_
