// A pool of worker processes that run seeds. A process a job: a failed check or a sanitizer's
// report ends one worker, is attributed to the seed that it was running, and the batch goes on
// with a fresh one.
//
// Not thread-safe; Linux.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_WORKERS_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_WORKERS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "bin/lockstep_sim_options.h"
#include "bin/lockstep_sim_outcome.h"

namespace lockstep::bin {

class Workers {
 public:
  explicit Workers(const SimOptions& options);
  ~Workers();  // kills those that still run
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Runs the batch. `done` hears of every seed, in the order of completion, and `tick` now and
  // then, at least ten times a second; when either answers false the batch stops at once.
  void Run(absl::FunctionRef<bool(const Outcome&)> done, absl::FunctionRef<bool()> tick);

 private:
  struct Worker {
    pid_t pid = 0;
    int commands = -1;  // we write seeds
    int results = -1;   // it writes a length and an outcome
    int errors = -1;    // its stderr
    bool busy = false;
    uint64_t seed = 0;
    int64_t since_ns = 0;
    std::string received;
    std::string said;  // the end of what it wrote to stderr during this seed
    bool timed_out = false;
  };

  void Spawn(Worker& worker);
  void GiveSeed(Worker& worker);
  void Poll();
  void ReadErrors(Worker& worker);
  // False: it is dead.
  bool ReadResults(Worker& worker);
  bool TakeOutcome(Worker& worker, Outcome* outcome);
  Outcome Bury(Worker& worker);
  void Close(Worker& worker);
  void EnforceTimeout(Worker& worker);

  const SimOptions& options_;
  std::vector<Worker> workers_;
  uint64_t next_seed_;
  bool exhausted_ = false;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_WORKERS_H_
