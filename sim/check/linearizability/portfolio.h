// Runs the algorithms over the keys of a history and stops at the first violation.
#ifndef LOCKSTEP_SIM_CHECK_LINEARIZABILITY_PORTFOLIO_H_
#define LOCKSTEP_SIM_CHECK_LINEARIZABILITY_PORTFOLIO_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/check/linearizability/checker.h"
#include "sim/check/linearizability/depth_first.h"
#include "sim/check/linearizability/frontier.h"
#include "sim/check/linearizability/partition.h"
#include "sim/check/linearizability/tables.h"

namespace lockstep::linearizability {

// What is known about the key that is not linearizable.
struct Finding {
  Algorithm algorithm = Algorithm::kZones;
  std::vector<uint32_t> operations;  // of the key, as places in the history
  std::vector<uint32_t> culprits;    // among them; empty: not known
  std::optional<uint32_t> stopped;   // among them: the search ended at its return
  std::string reason;                // empty: not known
};

class Portfolio {
 public:
  // `history` outlives this.
  Portfolio(const History& history, const Options& options);

  Verdict Run();
  uint64_t steps() const { return steps_; }
  size_t keys() const { return jobs_.size(); }
  const std::array<size_t, kAlgorithms>& decided() const { return decided_; }
  // Keys without a verdict, as a place of one of their operations. REQUIRES: kUndecided.
  std::vector<uint32_t> undecided() const;
  // REQUIRES: kViolation.
  const Finding& finding() const { return *finding_; }

 private:
  struct Job {  // one key
    std::vector<uint32_t> operations;
    std::unique_ptr<Partition> partition;
    std::unique_ptr<Frontier> frontier;
    std::unique_ptr<DepthFirst> depth_first;
    size_t width = 0;  // of the frontier
    bool decided = false;
    bool frontier_gave_up = false;
    bool hopeless = false;  // every search gave up
  };

  bool Uses(Algorithm algorithm) const { return options_.use[static_cast<size_t>(algorithm)]; }
  void Decide(Job& job, Algorithm algorithm);
  void Screen(Job& job);                  // witness and zones
  void Search(Job& job, uint64_t slice);  // one slice for each search
  void RunFrontier(Job& job, uint64_t slice);
  void RunDepthFirst(Job& job, uint64_t slice);
  uint64_t Slice(uint64_t wanted) const;

  const History& history_;
  const Options& options_;
  MemoryMeter memory_;
  std::vector<Job> jobs_;
  uint64_t steps_ = 0;
  std::array<size_t, kAlgorithms> decided_ = {};
  std::optional<Finding> finding_;
};

}  // namespace lockstep::linearizability

#endif  // LOCKSTEP_SIM_CHECK_LINEARIZABILITY_PORTFOLIO_H_
