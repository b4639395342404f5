// What a batch of seeds came to, and how it is told: a live line, failures as they come, a table at
// the end, and a report for machines.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_BATCH_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_BATCH_H_

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "bin/lockstep_sim_options.h"
#include "bin/lockstep_sim_outcome.h"

namespace lockstep::bin {

// The sums over the seeds that are done.
struct BatchTotals {
  uint64_t done = 0;
  uint64_t events = 0;
  uint64_t operations = 0;
  int64_t virtual_ns = 0;
  int64_t cpu_ns = 0;
  int64_t real_ns = 0;  // of the batch
  sim::Counters counters;
  Outcome slowest;
  std::vector<Outcome> failures;  // by seed, at the end
};

class Batch {
 public:
  explicit Batch(const SimOptions& options, std::string program);

  void Add(const Outcome& outcome);
  // All is done or was stopped: sorts, and judges the batch as a whole.
  void Finish(int64_t real_ns, bool interrupted);

  const BatchTotals& totals() const { return totals_; }
  // Counters that stayed zero though the batch was large and its options the default ones.
  const std::vector<std::string>& untested() const { return untested_; }
  int exit_code() const;

  // One failure: what, the smallest evidence, the climate, and the command that reproduces it.
  std::string DescribeFailure(const Outcome& outcome) const;
  std::string Table() const;
  std::string Json() const;
  // "312/1000 seeds, 1.2 M events/s, ...": at most 100 columns.
  std::string LiveLine(int64_t real_ns) const;

 private:
  std::string Reproduce(uint64_t seed) const;

  const SimOptions& options_;
  const std::string program_;
  BatchTotals totals_;
  std::vector<std::string> untested_;
  bool interrupted_ = false;
};

// Draws and wipes the live line on stderr, if that is a terminal; otherwise does nothing.
class LiveDisplay {
 public:
  LiveDisplay();
  ~LiveDisplay() { Wipe(); }
  bool on() const { return on_; }
  // At most ten times a second; more are ignored.
  void Draw(const std::string& line, int64_t now_ns);
  void Wipe();

 private:
  bool on_;
  bool drawn_ = false;
  int64_t drawn_at_ns_ = 0;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_BATCH_H_
