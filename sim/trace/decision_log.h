// The decisions of a run: what was asked for, and every draw by its place (core/base/rng.h). A run
// is reproduced by its log alone, bit by bit. What the log does not say is drawn from its seed, so
// a log may also hold just the few decisions in which a run differs from that of the seed: that is
// what schedule fuzzing mutates.
#ifndef LOCKSTEP_SIM_TRACE_DECISION_LOG_H_
#define LOCKSTEP_SIM_TRACE_DECISION_LOG_H_

#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/rng.h"
#include "sim/world/simulation.h"

namespace lockstep::sim {

struct DecisionLog {
  RunOptions run;                             // without sinks and tape
  absl::btree_map<uint64_t, uint64_t> draws;  // by place
  // The trace hash of the run that was recorded; empty: it did not come to its end, or there was
  // none.
  std::string hash;
};

// As a file holds it.
std::string EncodeDecisionLog(const DecisionLog& log);
// InvalidArgument, in one line: it is no decision log, is one of another version, or asks for what
// no run can be.
absl::StatusOr<DecisionLog> DecodeDecisionLog(absl::string_view bytes);

// Plays the draws of a log, and records all that are made.
class DecisionTape final : public DrawTape {
 public:
  using Draws = absl::btree_map<uint64_t, uint64_t>;

  // Both outlive it; nullptr: plays, or records, nothing.
  DecisionTape(const Draws* played, Draws* recorded) : played_(played), recorded_(recorded) {}

  uint64_t Draw(uint64_t place, uint64_t drawn) override;

 private:
  const Draws* played_;
  Draws* recorded_;
};

}  // namespace lockstep::sim

#endif  // LOCKSTEP_SIM_TRACE_DECISION_LOG_H_
