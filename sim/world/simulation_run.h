// One run from boot to verdict: the world, its clients, its faults and its checkers, and the phases
// that they go through.
//
//   safety       anything allowed may go wrong; only what must never happen is judged
//   liveness     faults have ended, at least for a majority: every client must be served in
//                bounded virtual time
//   convergence  the healthy servers must come to hold equal state
//   stability    nothing happens but false alarms, and the leader stays in office
//   handover     it is asked to hand leadership over, and does
//
// Where shards move, convergence is also that all of them have arrived, and in the stability phase
// no log grows.
//
//   verdict      the history as a whole is judged
#ifndef LOCKSTEP_SIM_WORLD_SIMULATION_RUN_H_
#define LOCKSTEP_SIM_WORLD_SIMULATION_RUN_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/btree_map.h"
#include "core/base/rng.h"
#include "sim/check/checker.h"
#include "sim/check/cluster_checkers.h"
#include "sim/check/forwarding_checker.h"
#include "sim/check/space_checker.h"
#include "sim/faults/aimed_faults.h"
#include "sim/faults/fault_plan.h"
#include "sim/trace/abstract_state.h"
#include "sim/workload/shard_administrator.h"
#include "sim/workload/workload.h"
#include "sim/world/administrator.h"
#include "sim/world/climate.h"
#include "sim/world/kv_software.h"
#include "sim/world/membership_administrator.h"
#include "sim/world/observer.h"
#include "sim/world/rest.h"
#include "sim/world/simulation.h"
#include "sim/world/world.h"

namespace lockstep::sim {

class SimulationRun final : private WorldObserver {
 public:
  SimulationRun(const RunOptions& options, const Climate& climate, const Rng& root);

  // To the verdict, or to the first violation, or to options.trace_until_event.
  void Go();
  RunReport Report() const;

  // For the last words before an abort.
  uint64_t seed() const { return options_.seed; }
  uint64_t event() { return world_.timeline().number(); }
  int64_t now() { return world_.timeline().now(); }

 private:
  enum class Phase : uint8_t {
    kSafety,
    kLiveness,
    kConvergence,
    kStability,
    kHandover,
    kStall,
    kVerdict
  };

  // The members of the group are changed by an administrator.
  void Administer(const GroupPlacement& placement, const Rng& administrators);

  // --- WorldObserver ---
  void OnWorldEvent(const Event& event) override;
  void OnNote(NodeHost& host, const Note& note) override;
  void OnRequest(NodeHost& host, RequestId id) override;
  void OnSent(NodeHost& host, NodeId to, const Bytes& message) override;
  void OnSubmitted(NodeHost& host, const StorageJob& job) override;
  Interference BeforeStorage(NodeHost& host, const StorageJob& job) override;
  void OnStored(NodeHost& host, const StorageJob& job, const StorageResult& result) override;
  Interference BeforeBoot(NodeHost& host) override;
  void OnCrashed(NodeHost& host) override;
  void OnMeasured(NodeHost& host, uint64_t free_bytes) override;
  void OnRefused(NodeHost& host) override;
  void OnBroken(NodeHost& host, std::string property, std::string evidence) override;

  // --- Phases (simulation_phases.cc, simulation_convergence.cc, simulation_bounds.cc,
  // simulation_stall.cc) ---
  void Start();
  void CheckPhase();  // now and then: is it over?
  void OnDeadline();  // a kPhase event: its time is over
  void BeginLiveness();
  void NameFinalMembers();
  void AbandonMinority();
  void BeginConvergence();
  void BeginStability();
  void RaiseFalseAlarms();
  bool ShareHealthyGroupsOnly(uint16_t one, uint16_t other);
  bool NetworkIsPrompt() const;
  void EndStability();
  uint64_t InternalEntries() const;  // of shard groups themselves; 0 without shards
  void AskForSuccessor();
  // The servers that could follow the group's leader; none where nobody leads.
  uint64_t Successors(const GroupPlacement& group);
  void NoteHandover(const NodeHost& host, const Note& note);
  // The stall phase, of a leader and of a group that writes to its log.
  struct Stall {
    uint16_t server = 0;
    GroupId writer;
    uint64_t successors = 0;  // who may take the writer over
    uint64_t writes = 0;
    int64_t until = 0;  // ns
  };
  std::optional<Stall> FindStall();
  void BeginStall();
  void WriteToStalled();
  bool StallIsNoticed() const;
  void OnStallPause();
  void CompareTables();
  void ReachVerdict();
  bool Converged();
  bool Agree();
  bool AreIdle() const;
  bool LeadsInVain(const NodeHost& host) const;
  bool HaveEqualTables(const GroupPlacement& group);
  bool Served() const;
  std::string WaitingFor() const;
  std::string ShardsStillMoving();
  uint64_t GroupsLedBy(uint16_t server) const;
  std::string LeadersUneven();
  void CheckShardTables(const NodeHost& host);
  int64_t MovingBound() const;
  // Servers (bits): those that may decide in a group, set by set; and who is a member of it, as far
  // as is committed.
  std::vector<uint64_t> DecidingSets(GroupId group);
  uint64_t MembersOf(const GroupPlacement& group);
  const GroupPlacement& PlacementOf(GroupId group) const;
  std::string MembersUnreported();
  uint64_t VotersOf(const GroupPlacement& group);
  int64_t GatewayBound() const;
  int64_t ChangingBound() const;
  int64_t SpreadingBound() const;
  int64_t LivenessBound() const;
  void Enter(Phase phase, const std::string& why);
  void FailLiveness(std::string property, const std::string& what);
  std::string DescribeServers();

  Index NewestVersion(uint32_t shard) const;
  void TraceFaults();
  void AppendWorldCounters(Counters* counters) const;

  const RunOptions& options_;
  const Climate& climate_;
  Findings findings_;
  Findings ignored_;  // of checkers that are not among the judges
  std::optional<ShardChecker> shards_;
  ClusterCheckers checkers_;
  std::optional<AbstractState> abstract_;
  ForwardingChecker forwarding_;
  SpaceChecker space_;
  KvSoftware software_;
  mutable World world_;
  FaultPlan plan_;
  AimedFaults aimed_;
  Workload workload_;
  Administrator administrator_;
  std::optional<ShardAdministrator> shard_administrator_;
  // One of each group whose members change.
  absl::btree_map<GroupId, std::unique_ptr<MembershipAdministrator>> membership_administrators_;
  Rng phase_rng_;
  Rng digest_rng_;

  Phase phase_ = Phase::kSafety;
  uint64_t core_ = 0;     // servers that must work in the liveness phase
  uint64_t cut_off_ = 0;  // for ever, from all others
  uint64_t stalled_ = 0;  // for ever: a part of the disk
  Rest rest_;
  int64_t agree_since_ = kNoTime;
  bool stopped_ = false;
  uint64_t issued_ = 0;  // operations in the safety phase
  uint64_t violation_event_ = 0;

  // Of a group's leaders.
  struct Reign {
    uint16_t last_leader = 0;
    // The stability and handover phases.
    uint16_t incumbent = 0;
    int64_t transfer_since = kNoTime;
  };
  absl::btree_map<GroupId, Reign> reigns_;
  uint64_t handovers_asked_ = 0;
  Leadership successor_;  // the one that was asked for
  bool handed_over_ = false;
  std::optional<Stall> stall_;

  // Seen through notes and events.
  uint64_t boots_ = 0;
  uint64_t crashes_ = 0;
  uint64_t crashes_in_writes_ = 0;
  uint64_t leader_changes_ = 0;
  uint64_t snapshot_chunks_ = 0;
  uint64_t queries_ = 0;
  uint64_t transfers_ = 0;
  uint64_t malformed_ = 0;
  uint64_t digests_compared_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_SIMULATION_RUN_H_
