// The kinds of things that go wrong, by name. In a run each kind is off with probability 1/2 (swarm
// testing: Groce et al., ISSTA 2012): a kind that is always on hides what only its absence shows.
#ifndef LOCKSTEP_SIM_FAULTS_FAULT_KIND_H_
#define LOCKSTEP_SIM_FAULTS_FAULT_KIND_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace lockstep::sim {

// Appended to only: the numbers feed the trace hash.
enum class FaultKind : uint8_t {
  // The network.
  kLoss,         // links lose a part of what they carry
  kDuplication,  // links deliver again, later, what they have delivered
  kDelay,        // links are slow, with a heavy tail
  kPartition,    // the servers fall into two halves
  kIsolation,    // one server sees nobody, and clients may or may not see it
  kOneWay,       // some links carry nothing in one direction
  kBridge,       // two halves that both see one server, but not each other
  kClog,         // links hold everything, then let it go at once
  kSwizzle,      // servers are clogged one after the other and released in another order
  kQueueLimit,   // links hold few messages; one more pushes a random one out
  // Processes and disks.
  kCrash,           // one server loses its memory and what its disk had not synced
  kPause,           // one server stands still while its clock runs on
  kMajorityCrash,   // many or all servers lose power at the same moment
  kDiskStall,       // a disk completes nothing for a while
  kDiskSlow,        // a disk takes many times as long
  kPowerCut,        // power fails in the middle of a storage operation
  kCrashUnheard,    // an operation is done on the disk, but the process dies before it hears of it
  kPowerCutAtBoot,  // power fails again while a node recovers
  // Aimed at what the protocol has just done.
  kCrashInWrite,          // between a write's submission and its fsync
  kElectionStrike,        // a new leader or its voter crashes or is cut off
  kSnapshotStrike,        // the sender or the receiver of a snapshot crashes or is cut off
  kPromiseStrike,         // right after a vote or an acknowledgement has left
  kLeaderIsolation,       // the leader loses its peers, but not its clients
  kMajorityCrashInWrite,  // all lose power while a majority of them writes
  // Disks that break their promises.
  kSyncFailure,  // an fsync fails: the server must stop itself, and boots again from what is left
  kBitRot,  // a durable bit flips: the server stops when it reads it, and has the others repair it
  // Where servers hold replicas of different groups.
  kGroupPartition,  // the servers of one group lose those of another, or all others
  // Aimed at shards that move.
  kHandoverStrike,  // right after a step of a hand-over was applied
  // Processes again.
  kCrashLoop,  // one server dies again and again, each time as young, and hears what was sent to
               // the
               // life before
  // Disks that break their promises, continued.
  kMisdirectedWrite,  // durable bytes are found elsewhere, over others: two places are damaged
  kIoFailure,         // a read or a write fails, or finds no space: the server must stop itself
  kDiskFull,          // others take the space on disks, and give it back: who takes no more data in
                      // time need not stop
  // For ever.
  kDiskWipe,  // a server loses its disk: under its old id it may never come back
  // Aimed at what the protocol has just done, continued.
  kTransferStrike,  // what a leader says to its successor comes when it has given up waiting, and
                    // is
                    // lost
};
// How many kinds there are.
inline constexpr size_t kFaultKinds = 34;

// As users write it: "partition", "crash-in-write". Stable.
absl::string_view FaultName(FaultKind kind);
// The kind of that name; nothing if there is none.
std::optional<FaultKind> FaultNamed(absl::string_view name);

// A set of kinds, iterated in the order of their numbers.
class FaultSet {
 public:
  // Every kind.
  static constexpr FaultSet All() { return FaultSet((uint64_t{1} << kFaultKinds) - 1); }
  // No kind.
  static constexpr FaultSet None() { return FaultSet(0); }
  // "all", "none", or names separated by commas; a name with '-' before it is taken out of what
  // stands so far ("all,-crash"). InvalidArgument names the unknown word and all known ones.
  static absl::StatusOr<FaultSet> Parse(absl::string_view text);

  // Whether the kind is in it.
  bool contains(FaultKind kind) const { return (bits_ & Bit(kind)) != 0; }
  // Puts the kind in.
  void insert(FaultKind kind) { bits_ |= Bit(kind); }
  // Takes the kind out.
  void erase(FaultKind kind) { bits_ &= ~Bit(kind); }
  // Whether it holds no kind.
  bool empty() const { return bits_ == 0; }
  // Names separated by commas, or "none". Parse reads it back.
  std::string ToString() const;
  friend bool operator==(FaultSet, FaultSet) = default;

 private:
  explicit constexpr FaultSet(uint64_t bits) : bits_(bits) {}
  static constexpr uint64_t Bit(FaultKind kind) { return uint64_t{1} << static_cast<int>(kind); }
  uint64_t bits_ = 0;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_FAULT_KIND_H_
