// One trial from boot to verdict (trial.h): the world, the user's system in it, and the phases.
#ifndef LOCKSTEP_SIM_FRAMEWORK_TRIAL_RUN_H_
#define LOCKSTEP_SIM_FRAMEWORK_TRIAL_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "sim/check/checker.h"
#include "sim/faults/aimed_faults.h"
#include "sim/faults/fault_plan.h"
#include "sim/framework/system.h"
#include "sim/framework/trial.h"
#include "sim/world/observer.h"
#include "sim/world/simulation.h"
#include "sim/world/world.h"

namespace lockstep::sim {

class TrialRun final : private WorldObserver, private Software {
 public:
  // Both outlive the run.
  TrialRun(const TrialOptions& options, System& system);

  // To the verdict, or to the first violation, or to options.stop_after_event.
  void Go();
  RunReport Report();

 private:
  enum class Phase : uint8_t { kStorm, kCalm, kVerdict };

  // --- Software: the user's, and a note of who lives ---
  absl::StatusOr<Life> Boot(NodeId node, storage::FileSystem& files, Rng rng,
                            const Host& host) override;
  std::string Describe(PacketKind kind, const Bytes& data) const override;

  // --- WorldObserver ---
  void OnWorldEvent(const Event& event) override;
  void OnNote(NodeHost& host, const Note& note) override;
  void OnRequest(NodeHost&, RequestId) override {}
  void OnSubmitted(NodeHost& host, const StorageJob& job) override;
  Interference BeforeStorage(NodeHost& host, const StorageJob& job) override;
  void OnStored(NodeHost&, const StorageJob&, const StorageResult&) override {}
  Interference BeforeBoot(NodeHost& host) override;
  void OnCrashed(NodeHost& host) override;
  void OnBroken(NodeHost& host, std::string property, std::string evidence) override;

  // --- Phases (trial_phases.cc) ---
  void Start();
  void LookAtPhase();  // after every event: is it over?
  void OnDeadline();   // a kPhase event: its time is over
  void BeginCalm();
  uint64_t DrawAbandoned();
  void ReachVerdict();
  bool ClientsDone() const;
  std::string WaitingFor() const;
  void Enter(Phase phase, const std::string& why);
  void FailLiveness(std::string property, const std::string& what);

  uint64_t event() { return world_.timeline().number(); }
  std::string DescribeClimate();

  const TrialOptions options_;
  System& system_;
  const FaultOptions faults_;
  Findings findings_;
  Servers servers_;
  World world_;
  FaultPlan plan_;
  AimedFaults aimed_;
  Rng phase_rng_;
  std::vector<std::unique_ptr<Client>> clients_;

  Phase phase_ = Phase::kStorm;
  bool stopped_ = false;
  uint64_t violation_event_ = 0;
  uint64_t boots_ = 0;
  uint64_t crashes_ = 0;
  uint64_t crashes_in_writes_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FRAMEWORK_TRIAL_RUN_H_
