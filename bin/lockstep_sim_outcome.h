// How one seed ended, and how a worker process tells it to its parent: as one JSON object.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_OUTCOME_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_OUTCOME_H_

#include <cstdint>
#include <string>

#include "sim/world/simulation.h"

namespace lockstep::bin {

struct Outcome {
  sim::RunReport report;
  int64_t real_ns = 0;
  int64_t cpu_ns = 0;
  // The run did not come to its end: how its process died, and the last it said on stderr.
  bool crashed = false;
  std::string crash;

  bool failed() const { return crashed || report.violation.has_value(); }
  int exit_code() const;
  // "crash", or the property.
  std::string property() const;
};

// Runs the seed and takes the time.
Outcome RunSeed(const sim::RunOptions& options);

std::string EncodeOutcome(const Outcome& outcome);
// REQUIRES: `text` comes from EncodeOutcome.
Outcome DecodeOutcome(const std::string& text);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_OUTCOME_H_
