// How often and how long things go wrong in a run. Drawn once per run.
#ifndef LOCKSTEP_SIM_FAULTS_FAULT_OPTIONS_H_
#define LOCKSTEP_SIM_FAULTS_FAULT_OPTIONS_H_

#include <array>
#include <cstdint>
#include <string>

#include "core/base/rng.h"
#include "sim/faults/fault_kind.h"

namespace lockstep::sim {

// Of one kind. Faults of chance come `gap` apart on the average; aimed faults are armed so and then
// hit one of the next opportunities.
struct FaultRate {
  int64_t gap_mean = 0;    // ns
  int64_t length_min = 0;  // ns
  int64_t length_max = 0;  // ns
};

struct FaultOptions {
  int64_t unit = 1;  // ns: the time scale of the protocol, its longest election time-out
  FaultSet on = FaultSet::None();
  std::array<FaultRate, kFaultKinds> rates{};
  // An aimed fault that is armed hits an opportunity with this probability, so that it is not
  // always the first.
  Ratio aim{1, 4};
  Ratio hint{1, 2};  // how often the ends of a cut hear that their connection was lost or made
  Ratio kill{1, 4};  // how often a crash is the death of the process alone (CrashKind::kKill)
  uint64_t space_bytes = uint64_t{1} << 20;  // the scale of what a full disk has left
  bool clients_take_part = true;  // in partitions and clogs; in loss, delay, duplication always

  const FaultRate& rate(FaultKind kind) const { return rates[static_cast<size_t>(kind)]; }

  // A coin per kind in `allowed` (none tossed when `all_on`), and bimodal rates: few and long, or
  // many and short. `unit` is the time scale of the protocol, in ns: its longest election time-out.
  static FaultOptions Draw(Rng& rng, FaultSet allowed, bool all_on, int64_t unit);
};

// A line per kind that is on.
std::string Describe(const FaultOptions& options);

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_FAULTS_FAULT_OPTIONS_H_
