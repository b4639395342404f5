// One simulated server: its disk, which outlives crashes, and the life that runs on it. It is the
// simulated side of every seam in core/runtime/host.h.
//
// Events only reach a living process. A life has a number (its incarnation); what was scheduled for
// an earlier one is void.
#ifndef LOCKSTEP_SIM_WORLD_NODE_HOST_H_
#define LOCKSTEP_SIM_WORLD_NODE_HOST_H_

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/rng.h"
#include "core/runtime/host.h"
#include "sim/disk/sim_file_system.h"
#include "sim/faults/fault_ledger.h"
#include "sim/network/latency.h"
#include "sim/network/network.h"
#include "sim/world/lane.h"
#include "sim/world/node_clock.h"
#include "sim/world/observer.h"
#include "sim/world/pct_schedule.h"
#include "sim/world/software.h"
#include "sim/world/timeline.h"
#include "sim/world/tracer.h"

namespace lockstep::sim {

enum class CrashKind : uint8_t {
  kPower,  // the disk keeps what was synced, and perhaps more
  kKill,   // the machine goes on, so that all that was written is there
};

struct HostOptions {
  Latency log_latency{.floor = 100'000, .mean = 50'000};   // of a job on the log lane
  Latency table_latency{.floor = 20'000, .mean = 20'000};  // of a job on the table lane
  // What a lane writes and reads in a second; 0: any amount takes the same time.
  uint64_t disk_bytes_per_second = 0;
  // A turn ends after a number of events drawn from [1, this], or after turn_hold_max.
  uint32_t turn_events_max = 1;
  int64_t turn_hold_max = 5'000;  // ns
  CrashOptions crash;             // what a power failure leaves of unsynced data
  ClockOptions clock;
};

// The parts of the world that a host uses.
struct Services {
  Timeline& timeline;
  const Tracer& tracer;
  FaultLedger& ledger;
  PctSchedule& schedule;
  Network& network;
  Software& software;
  WorldObserver& observer;
};

class NodeHost final : private Clock,
                       private Transport,
                       private Disk,
                       private Replies,
                       private Journal {
 public:
  // Chance comes from `root`, split by the node's number.
  NodeHost(uint16_t id, const HostOptions& options, const Services& services, const Rng& root);
  ~NodeHost() override;

  uint16_t id() const { return id_; }
  NodeId node() const { return NodeId(id_); }
  bool up() const { return life_.process != nullptr; }
  bool paused() const { return paused_until_ > services_.timeline.now(); }
  uint32_t incarnation() const { return incarnation_; }
  // What this life's tables hold. Survives as the last known when down.
  const std::vector<HostedTable>& tables() const { return life_.tables; }
  // Of one of them; before the first entry if there is none.
  LogPosition applied(GroupId group) const;
  const StorageLane& lane(Lane lane) const { return lanes_[static_cast<size_t>(lane)]; }
  const NodeClock& clock() const { return clock_; }
  // Requests that this life has not answered yet.
  uint64_t unanswered() const;
  bool writing() const { return !lanes_[static_cast<size_t>(Lane::kLog)].empty(); }
  // REQUIRES: up().
  uint64_t Digest(GroupId group) const { return life_.storage->Digest(group); }
  bool VisitTable(
      GroupId group,
      absl::FunctionRef<bool(absl::string_view key, absl::string_view value)> visit) const {
    return life_.storage->VisitTable(group, visit);
  }
  const SimFileSystem& files() const { return files_; }
  SimFileSystem& files() { return files_; }

  // --- Faults (node_faults.cc) ---
  // Memory is gone; of the disk see CrashKind. Boots again after `downtime` ns; kNoTime: never.
  // False if it was down already. Never in the course of the process's own code.
  bool Crash(CrashKind kind, int64_t downtime);
  // A server that is down boots at `time` at the latest, even one that should never have.
  void BootAt(int64_t time);
  // It does not boot again by itself.
  void Abandon() { boot_at_ = kNoTime; }
  // Stands still until `time`, or longer if it did anyway; its clock runs on, and may leap.
  void PauseUntil(int64_t time, uint32_t fault);
  // A lane of the disk completes nothing until `time`, or longer if it did anyway.
  void StallDiskUntil(Lane lane, int64_t time, uint32_t fault);
  // Others leave so much free on the disk, for about `length` ns; or they give everything back.
  void FillDisk(uint64_t free_bytes, int64_t length, uint32_t fault);
  void EmptyDisk();
  // Ends pauses and stalls.
  void Recover();
  Disturbance slow_disk;  // storage takes 1 + amount times as long
  // Which fault has damaged the disk, and how long the server is down after it has found that out.
  uint32_t rotted_by = kNoFault;
  int64_t rot_downtime = kNoTime;                // ns
  uint64_t repairs() const { return repairs_; }  // damage that its lives have made good at boot
  uint32_t filled_by() const { return filled_by_; }
  uint32_t turn() const { return turn_; }  // of the process; counts up

  // --- Events. Each returns false if the event was void or put off: then it did not happen. ---
  // Puts the event off if the server stands still. True: it was.
  bool PutOff(const Event& event);
  bool IsDue(const Event& event);  // alarms, storage, turn ends, boots: meant for this life, now
  void OnBoot();
  void OnPacket(const Packet& packet);
  void OnAlarm();
  void OnStorage(Lane lane);
  void OnTurnEnd();
  void OnSpace();
  void OnLinkHint(NodeId peer, bool up);

 private:
  // --- Seams ---
  Instant Now() const override { return clock_.At(services_.timeline.now()); }
  void WakeAt(Instant when) override;
  void Send(NodeId to, Bytes message) override;
  Ticket Submit(StorageJob job) override;
  void Reply(RequestId id, Bytes reply) override;
  bool listening() const override { return true; }
  void Record(const Note& note) override;

  struct Pending {
    uint64_t attempt = 0;
    uint16_t client = 0;
    bool answered = false;
  };

  RequestId Register(const Packet& request);
  void StartNext(Lane lane);
  int64_t DrawLatency(const StorageLane& lane);
  void NoteApplied(const StorageResult& result);
  void LeapClock();
  void EndTurnOrHold();
  void EndTurn();
  void Arm(const Interference& interference);
  // Ends what Arm began. True: a call of the disk has failed.
  bool Disarm(const Interference& interference);
  void Die(const Interference& interference);
  bool Explains(const Interference& interference, bool disk_failed, const absl::Status& error);
  void NoteRepairs();
  void IgnoredFailedSync(const std::string& doing);
  void StopItself(Lane lane, const absl::Status& error, int64_t downtime);
  bool IsSilenced(absl::string_view doing);
  void InterruptStorage();
  void MeasureSoon();
  void Measure();
  bool RanOutOfSpace() const;

  const uint16_t id_;
  const HostOptions& options_;
  Services services_;
  const Rng root_;
  Rng disk_rng_;
  Rng turn_rng_;
  Rng space_rng_;
  Rng clock_rng_;
  NodeClock clock_;
  Host host_;
  SimFileSystem files_;
  Life life_;
  uint32_t incarnation_ = 0;
  bool in_process_ = false;  // the process's code is running: no crash now
  bool silenced_ = false;    // the process has been told of a storage error: it may do nothing more
  int64_t boot_at_ = kNoTime;

  Alarm alarm_;
  Instant wake_at_ = kNever;  // what it was set to
  std::array<StorageLane, 2> lanes_;
  std::deque<Pending> requests_;  // those from first_request_ on
  uint64_t first_request_ = 1;

  uint64_t repairs_ = 0;
  uint64_t failures_before_ = 0;  // of calls of the disk, when one was armed

  uint32_t turn_ = 0;         // numbers the turns
  uint32_t turn_events_ = 0;  // in the open turn
  uint32_t turn_size_ = 1;    // drawn for the open turn
  bool turn_end_scheduled_ = false;

  int64_t paused_until_ = 0;
  uint32_t paused_by_ = kNoFault;
  struct Stall {
    int64_t until = 0;
    uint32_t by = kNoFault;
  };
  std::array<Stall, 2> stalls_;  // by lane

  uint32_t filled_by_ = kNoFault;  // the last fault that did
  int64_t filled_for_ = 0;         // ns, about
  uint32_t measurement_ = 0;       // numbers those that are to come
  uint64_t refused_before_ = 0;    // writes that found no space before this life
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_WORLD_NODE_HOST_H_
