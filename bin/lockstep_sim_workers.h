// A pool of worker processes for numbered tasks: seeds to run, files to check. A failed check or a
// sanitizer's report ends one worker, is attributed to the task that it had, and the batch goes on
// with a fresh one.
//
// Not thread-safe; Linux.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_WORKERS_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_WORKERS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/types.h"

namespace lockstep::bin {

struct PoolOptions {
  uint32_t workers = 1;
  uint64_t first = 0;  // the tasks, both included
  uint64_t final = 0;
  Duration timeout{0};  // real time that one task may take; zero: any
};

// What became of a task.
struct TaskResult {
  uint64_t task = 0;
  int64_t real_ns = 0;  // of a worker that died: since it got the task
  std::string answer;   // what the work returned
  // The worker did not come to an answer: how it died, and the last it said on stderr.
  bool died = false;
  std::string death;
};

class Workers {
 public:
  // `work` is called in a worker, a child of this process.
  Workers(const PoolOptions& options, std::function<std::string(uint64_t task)> work);
  ~Workers();  // kills those that still run
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Runs the batch. `done` hears of every task, in the order of completion, and `tick` now and
  // then, at least ten times a second; when either answers false the batch stops at once.
  void Run(absl::FunctionRef<bool(const TaskResult&)> done, absl::FunctionRef<bool()> tick);

 private:
  struct Worker {
    pid_t pid = 0;
    int commands = -1;  // we write tasks
    int results = -1;   // it writes a length and an answer
    int errors = -1;    // its stderr
    bool busy = false;
    uint64_t task = 0;
    int64_t since_ns = 0;
    std::string received;
    std::string said;  // the end of what it wrote to stderr during this task
    bool timed_out = false;
  };

  void Spawn(Worker& worker);
  void GiveTask(Worker& worker);
  void Poll();
  void ReadErrors(Worker& worker);
  // False: it is dead.
  bool ReadResults(Worker& worker);
  bool TakeAnswer(Worker& worker, std::string* answer);
  TaskResult Bury(Worker& worker);
  void Close(Worker& worker);
  void EnforceTimeout(Worker& worker);

  const PoolOptions options_;
  const std::function<std::string(uint64_t)> work_;
  std::vector<Worker> workers_;
  uint64_t next_task_;
  bool exhausted_ = false;
};

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_WORKERS_H_
