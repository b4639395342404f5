// Nodes of Lockstep as real processes of this machine: started, killed, stopped, watched.
//
//   RealCluster cluster({.nodes = 3});
//   cluster.StartAll();
//   ASSERT_TRUE(cluster.AwaitServing());
//   cluster.Kill(*cluster.LeaderOf(kFirstGroup));
//
// A node that ends without having been told to fails the test, and so does a sanitizer's report in
// any log. Logs are printed when a test has failed. Processes end with the test, however it ends.
//
// Not thread-safe; nodes must be started by a thread that lives as long as they shall.
// In files: real_cluster.cc (processes), real_cluster_members.cc (nodes that come into groups and
// go), real_cluster_watch.cc (what can be seen of them).
#ifndef LOCKSTEP_TESTS_SYSTEM_SUPPORT_REAL_CLUSTER_H_
#define LOCKSTEP_TESTS_SYSTEM_SUPPORT_REAL_CLUSTER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bin/process_child.h"
#include "core/base/types.h"
#include "core/proto/lockstep/v1/cluster.pb.h"
#include "net/client/store.h"
#include "tests/system/support/faulty_disk.h"
#include "tests/system/support/network_lab.h"
#include "tests/system/support/node_probe.h"
#include "tests/system/support/patience.h"
#include "tests/system/support/workspace.h"

namespace lockstep::system {

inline constexpr uint64_t kController = 0;
inline constexpr uint64_t kFirstGroup = 101;
inline constexpr uint64_t kSecondGroup = 102;

struct RealClusterOptions {
  uint16_t nodes = 3;
  // The nodes up to this one are told how the cluster begins; the others find it by --join, and
  // hold nothing until they are made members. 0: all are told.
  uint16_t founders = 0;
  std::vector<uint64_t> controller = {};  // empty: all founders
  // Members by gid. Empty: two groups, each on all founders.
  std::map<uint64_t, std::vector<uint64_t>> groups = {};
  uint32_t shards = 16;
  uint64_t heartbeat_ms = 50 * kSlowness;
  uint64_t election_timeout_ms = 500 * kSlowness;
  uint64_t leader_spread_ms = 0;  // 0: leaders stay where the test puts them
  std::string cluster = "system-test";
  bool faulty_disks = false;
  NetworkLab* lab = nullptr;                  // outlives the cluster; null: the loopback
  std::map<uint64_t, std::string> data = {};  // data directories that are elsewhere
  std::vector<std::string> arguments = {};    // more, for every node
};

class RealCluster {
 public:
  explicit RealCluster(RealClusterOptions options);
  // Stops all, and judges how they ended.
  ~RealCluster();
  RealCluster(const RealCluster&) = delete;
  RealCluster& operator=(const RealCluster&) = delete;

  // --- Processes ---
  std::vector<uint64_t> Nodes() const;
  std::vector<uint64_t> RunningNodes();
  bool IsRunning(uint64_t node);
  // Fails the test when it cannot be started; does not wait until it serves.
  void Start(uint64_t node);
  void StartAll();
  void Kill(uint64_t node);  // SIGKILL
  void KillAll();
  void Pause(uint64_t node);   // SIGSTOP
  void Resume(uint64_t node);  // SIGCONT
  bool IsPaused(uint64_t node) const { return nodes_.at(node).paused; }
  // SIGTERM; fails the test unless the node then ends with exit code 0.
  void Terminate(uint64_t node);
  // How it ended by itself, which does not fail the test any more; none: it still runs.
  std::optional<ChildEnd> AwaitEnd(uint64_t node, Duration patience = kProcessPatience);
  // Nodes that have ended by themselves fail the test.
  void ExpectNoneEnded();
  // Removes what a node that does not run has on its disk.
  void Wipe(uint64_t node);

  pid_t pid(uint64_t node) const { return nodes_.at(node).child->pid(); }
  FaultyDisk& disk(uint64_t node) { return *nodes_.at(node).disk; }
  const std::string& DataOf(uint64_t node) const { return nodes_.at(node).data; }
  const std::string& LogFileOf(uint64_t node) const { return nodes_.at(node).log; }
  std::vector<std::string> ArgumentsOf(uint64_t node) const;
  std::vector<std::string> GrpcAddresses() const;
  std::vector<std::string> HttpAddresses() const;
  const std::string& GrpcAddressOf(uint64_t node) const { return nodes_.at(node).grpc; }
  const std::string& PeerAddressOf(uint64_t node) const { return nodes_.at(node).peer; }
  Workspace& workspace() { return workspace_; }
  const RealClusterOptions& options() const { return options_; }
  std::vector<uint64_t> AllGroups() const;  // without the controller

  // --- Administration, by the client library ---
  client::Store& store() { return *store_; }
  // Each must succeed in the end: a change whose answer was lost is made again until it is there.
  void Join(const std::vector<uint64_t>& gids);
  void Leave(const std::vector<uint64_t>& gids);
  void Move(uint32_t shard, uint64_t gid);
  void Unpin(uint32_t shard);
  // Asks; it may come to nothing.
  void TransferLeader(uint64_t group, uint64_t to);
  std::optional<v1::Configuration> Configuration();

  // --- Nodes of all groups and the controller come and go (real_cluster_members.cc) ---
  // Each must be begun in the end; a group that is too busy for it is asked again.
  void AddNode(uint64_t node);
  void RemoveNode(uint64_t node);
  void ReplaceNode(uint64_t gone, uint64_t node);
  // Every group, and the controller, comes to rest with these voters and nobody else.
  bool ExpectVoters(const std::vector<uint64_t>& nodes, Duration within = kSettlePatience);
  // The group's members as its leader has them; none: nobody leads it.
  std::optional<v1::ReplicaStatus> MembershipOf(uint64_t group);
  // The command line, by the binary's own code, asked at all nodes.
  struct CommandEnd {
    int exit_code = 0;
    std::string out;
    std::string err;
  };
  CommandEnd RunCommand(const std::vector<std::string>& arguments, bool http = false);

  // --- What can be seen (real_cluster_watch.cc) ---
  // None: it does not answer.
  std::optional<v1::NodeStatus> StatusOf(uint64_t node, bool shards = false);
  // Of the highest term, among nodes that run and answer.
  std::optional<uint64_t> LeaderOf(uint64_t group);
  // A leader other than `but`, which all members that answer follow; fails the test if there is
  // none in time. Never 0 but then.
  uint64_t AwaitLeader(uint64_t group, uint64_t but = 0, Duration within = kElectionPatience);
  // Every group has a leader, and every running node knows it; joins all groups where none has
  // joined yet. False: not in time.
  [[nodiscard]] bool AwaitServing(Duration within = kElectionPatience);
  // Every shard is served where the newest configuration wants it, and nothing is on its way. The
  // empty text: it is so.
  std::string WhyNotSettled();
  bool ExpectSettled(Duration within = kSettlePatience);
  // All replicas of all running nodes have applied all that their leaders have.
  std::string WhyNotLevel();
  bool ExpectLevel(Duration within = kSettlePatience);

 private:
  struct Node {
    std::string peer;
    std::string grpc;
    std::string http;
    std::string data;
    std::string log;
    std::optional<Child> child;
    std::unique_ptr<FaultyDisk> disk;
    bool paused = false;
    size_t starts = 0;
  };
  ChildOptions PlanOf(uint64_t node) const;
  std::vector<std::string> Founding() const;
  std::vector<std::string> Joining(uint64_t node) const;
  bool IsFounder(uint64_t node) const { return node <= options_.founders; }
  void ChangeNodes(const std::string& what,
                   const std::function<absl::StatusOr<std::vector<v1::GroupChange>>()>& change);
  std::string WhyOtherVoters(const std::vector<uint64_t>& nodes);
  // Of running nodes, without the replicas of nodes that are no members of the group any more.
  std::vector<v1::NodeStatus> StatusesOfMembers();
  void JudgeEnd(uint64_t node, const ChildEnd& end, bool told);
  void JudgeLog(uint64_t node);
  void ChangeUntilSo(const std::string& what, const std::function<absl::Status()>& change,
                     const std::function<bool(const v1::Configuration&)>& so);

  const RealClusterOptions options_;
  Workspace workspace_;
  std::map<uint64_t, Node> nodes_;
  NodeProbe probe_;
  std::unique_ptr<client::Store> store_;
};

}  // namespace lockstep::system

#endif  // LOCKSTEP_TESTS_SYSTEM_SUPPORT_REAL_CLUSTER_H_
