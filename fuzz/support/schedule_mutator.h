// Mutations of a run: a decision log (sim/trace/decision_log.h) that says in which draws the run
// differs from that of its seed.
#ifndef LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_MUTATOR_H_
#define LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "core/base/rng.h"
#include "sim/trace/decision_log.h"

namespace lockstep::fuzz {

// Which draws there are to be changed: every stream that any run has drawn from, and how far.
// Places do not depend on the seed, so what one run shows holds for the others.
class Streams final : public DrawTape {
 public:
  // A run begins, with these draws instead of its own. Of most runs only that is done: they show
  // hardly a stream that those before them have not.
  void Begin(const sim::DecisionTape::Draws* played);
  uint64_t Draw(uint64_t place, uint64_t drawn) override;

  bool empty() const { return streams_.empty(); }
  // One that some run has drawn. Rare streams are as likely as busy ones. REQUIRES: !empty().
  uint64_t Place(Rng& rng) const;

 private:
  struct Stream {
    uint64_t first;  // place
    uint64_t draws;  // most in a run
    uint64_t drawn;  // in this run
  };
  void Learn(uint64_t place);

  std::vector<Stream> streams_;
  absl::flat_hash_map<uint64_t, size_t> next_;  // the place at which each goes on
  const sim::DecisionTape::Draws* played_ = nullptr;
  uint64_t runs_ = 0;
  bool learning_ = false;
};

// Operations of a run that is fuzzed: short runs, and many.
inline constexpr uint32_t kFuzzedOperationsMax = 200;
// Whether the log is such a run.
bool IsFuzzable(const sim::DecisionLog& log, sim::Profile profile);

// What fuzzing begins with.
sim::DecisionLog FirstLog(sim::Profile profile, uint64_t seed);
// Changes a few decisions, at most so that it takes `bytes_max` when encoded.
std::string Mutate(sim::DecisionLog log, const Streams& streams, size_t bytes_max, Rng rng);
// Decisions of both.
std::string Cross(sim::DecisionLog one, const sim::DecisionLog& other, size_t bytes_max, Rng rng);

}  // namespace lockstep::fuzz

#endif  // LOCKSTEP_FUZZ_SUPPORT_SCHEDULE_MUTATOR_H_
