// What goes wrong by chance, when, and for how long. Every fault is an interval in the ledger with
// a beginning, an end and a target; its own random stream decides, so that a fault more or less
// moves no other draw of the world.
#ifndef LOCKSTEP_SIM_FAULTS_FAULT_PLAN_H_
#define LOCKSTEP_SIM_FAULTS_FAULT_PLAN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "core/base/rng.h"
#include "core/runtime/journal.h"
#include "sim/faults/bit_rot.h"
#include "sim/faults/fault_ledger.h"
#include "sim/faults/fault_options.h"
#include "sim/faults/leaders.h"
#include "sim/faults/quorums.h"
#include "sim/faults/targets.h"
#include "sim/world/world.h"

namespace lockstep::sim {

// What becomes of a server that nobody repairs.
enum class Abandonment : uint8_t {
  kDead,
  kCutOff,        // from all other servers, not from clients
  kDiskStalled,   // its disk completes nothing any more
  kHardlyLinked,  // its links to other servers lose most of what they carry
  kLogStalled,    // of its disk the part with the log completes nothing any more
  kTableStalled,  // likewise the part with the table
};
inline constexpr uint64_t kAbandonments = 6;

class FaultPlan {
 public:
  // `options` and `world` outlive the plan. `quorums`: of the groups that live in the world.
  FaultPlan(const FaultOptions& options, World& world, Quorums quorums, Rng rng);

  // Schedules the first fault of every kind that comes by chance.
  void Start();
  // A kFault or kFaultEdge event.
  void OnEvent(const Event& event);

  // From now on nothing new goes wrong, and what was wrong ends, except what Abandon did.
  void Stop();
  bool stopped() const { return stopped_; }
  // For ever. Nothing that a minority suffers may keep the others from their work.
  void Abandon(uint16_t server, Abandonment how);
  // Servers whose disks have lost what was durable, and which have not got it back from the others
  // yet, or never will. They may be up, not having read the damage; but nobody may count on them.
  // Every group has a majority without them.
  uint64_t lost();
  // Of those, the servers that are gone for ever.
  uint64_t wiped() const { return wiped_; }
  // Of those, the servers with damage on their disks that they have not found.
  uint64_t rotten();
  // From notes: what replicas say of their own logs.
  void OnNote(uint16_t server, const Note& note);
  // Called when a server's disk has just been damaged. May be empty.
  std::function<void(uint16_t server)> damaged;
  // Whether a server may be lost for ever just now, as far as the groups are concerned. May be
  // empty: always.
  std::function<bool()> may_wipe;
  const Quorums& quorums() const { return quorums_; }
  // Before Start(): says who decides in a group whose members change.
  void Follow(GroupId group, Quorums::Deciding deciding) {
    quorums_.Follow(group, std::move(deciding));
  }

  // --- For chance and for the aimed faults alike. Each counts itself as applied. ---
  // Does what the kind does when its time has come.
  void Attempt(FaultKind kind);
  // One server crashes now; false if it was down.
  bool CrashNow(FaultKind kind, uint16_t server);
  // A server boots. If it is in a loop of crashes, how long it lives this time, ns.
  std::optional<int64_t> NextDeath(uint16_t server);
  // One server loses its peers from now on, for a drawn time; its clients perhaps not.
  void CutOffNow(FaultKind kind, uint16_t server, bool clients);
  // What the leader says to its successor from now on comes when it has given up waiting for it. It
  // loses its peers before or just then.
  void SpoilTransfer(uint16_t leader, uint16_t successor);
  // The server's disk is damaged, if one more server may be lost.
  void RotNow(FaultKind kind, uint16_t server);
  // The server loses its disk, if one more may be lost.
  void WipeNow(uint16_t server);
  // ns, by the kind's rate.
  int64_t DrawLength(FaultKind kind);
  int64_t DrawGap(FaultKind kind);
  bool on(FaultKind kind) const;
  Rng& rng() { return rng_; }

  // For faults that aim at a leader.
  Leaders leaders;
  // Called when a leader has just been isolated until a time (ns), with the `company` of servers or
  // alone, so that clients can be made to keep them busy meanwhile. May be empty.
  std::function<void(int64_t until, uint64_t company)> leader_isolated;

 private:
  void AttemptOnLinks(FaultKind kind);
  void AttemptPartition(FaultKind kind);
  void AttemptGroupPartition();
  void AttemptSwizzle();
  void AttemptCrash();
  void AttemptCrashLoop();
  void AttemptMajorityCrash();
  void AttemptLeaderIsolation();
  uint64_t DrawMinority(const Leadership& leadership, uint64_t with);
  void DelayAnswers(const Leadership& leadership, FaultInterval& silence);
  void DelayWords(uint16_t leader, uint64_t to, FaultInterval& silence);
  void OutlastElection(FaultInterval& interval);
  void AttemptOnServer(FaultKind kind);
  void AttemptDiskFull();

  FaultInterval MakeInterval(FaultKind kind);
  uint32_t Add(FaultInterval interval);  // begins now or later, and ends
  void Begin(uint32_t fault);
  void End(uint32_t fault);
  void Disturb(const FaultInterval& interval, uint32_t fault);
  void Undisturb(const FaultInterval& interval);
  void HintAbout(const FaultInterval& interval, bool up);
  CrashKind DrawCrashKind();

  const FaultOptions& options_;
  World& world_;
  Quorums quorums_;
  Rng rng_;
  const Cast cast_;
  struct CrashLoop {
    uint64_t deaths = 0;  // that are still to come
    int64_t age = 0;      // ns, about
  };
  std::vector<CrashLoop> loops_;             // by server
  std::vector<std::vector<RotSpot>> spots_;  // by server: damage, as long as it lies there
  // By server: groups whose logs have lost something, and whether they have got it back in memory.
  std::vector<absl::btree_map<GroupId, bool>> doubts_;
  uint64_t repairing_ = 0;  // damage is gone from their disks, and they have not booted since
  uint64_t wiped_ = 0;
  bool stopped_ = false;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_FAULT_PLAN_H_
