// The list of everything that went wrong in a run: each fault is an interval with a kind, a target
// and parameters. It also tells whether a fault had an effect: one that never has any is a fault of
// the simulator.
#ifndef LOCKSTEP_SIM_FAULTS_FAULT_LEDGER_H_
#define LOCKSTEP_SIM_FAULTS_FAULT_LEDGER_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/faults/fault_kind.h"
#include "sim/world/timeline.h"

namespace lockstep::sim {

// One direction between two addresses.
struct Direction {
  uint16_t from = 0;
  uint16_t to = 0;
};

struct FaultInterval {
  FaultKind kind{};
  int64_t begin = 0;      // ns
  int64_t end = kNoTime;  // ns, planned; kNoTime: never, or there is nothing to end
  uint64_t servers = 0;   // bit n: server n is a target
  uint64_t severity = 0;  // by kind: a rate, a factor, a capacity, a number of operations, ns
  uint64_t killed = 0;    // bit n: server n dies when it begins, and soon boots again
  std::vector<Direction> links;  // what it disturbs
  bool holds = false;            // of a cut: what would arrive is held until the end, not lost
  bool instant = false;          // it has no duration (a crash): nothing to heal
  bool begun = false;
  bool effective = false;
  bool healed = false;
};

struct FaultCounts {
  uint64_t attempted = 0;  // an opportunity was drawn
  uint64_t applied = 0;    // there was a target
  uint64_t effective = 0;  // something happened that would not have happened without it
  uint64_t healed = 0;     // the interval has ended
};

class FaultLedger {
 public:
  void Attempted(FaultKind kind) { ++Of(kind).attempted; }
  // Returns the interval's number.
  uint32_t Applied(FaultInterval interval) {
    ++Of(interval.kind).applied;
    intervals_.push_back(std::move(interval));
    return static_cast<uint32_t>(intervals_.size() - 1);
  }
  // `fault` may be kNoFault.
  void Effect(uint32_t fault) {
    if (fault >= intervals_.size() || intervals_[fault].effective) return;
    intervals_[fault].effective = true;
    ++Of(intervals_[fault].kind).effective;
  }
  // False if it had been healed before.
  bool Healed(uint32_t fault) {
    if (intervals_[fault].healed) return false;
    intervals_[fault].healed = true;
    ++Of(intervals_[fault].kind).healed;
    return true;
  }
  FaultInterval& interval(uint32_t fault) { return intervals_[fault]; }
  const std::vector<FaultInterval>& intervals() const { return intervals_; }
  const FaultCounts& counts(FaultKind kind) const { return counts_[static_cast<size_t>(kind)]; }

 private:
  FaultCounts& Of(FaultKind kind) { return counts_[static_cast<size_t>(kind)]; }

  std::vector<FaultInterval> intervals_;
  std::array<FaultCounts, kFaultKinds> counts_{};
};

// "partition servers 1,3 severity 0, 1.200 s to 1.900 s".
std::string Describe(const FaultInterval& interval);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_FAULT_LEDGER_H_
