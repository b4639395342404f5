// `lockstep-sim run`: the batch, its output and its end.
#include "bin/lockstep_sim_run.h"

#include <signal.h>
#include <time.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "bin/lockstep_sim_batch.h"
#include "bin/lockstep_sim_outcome.h"
#include "bin/lockstep_sim_workers.h"

namespace lockstep::bin {
namespace {

// Set by SIGINT and SIGTERM; a signal handler can reach nothing else.
volatile sig_atomic_t interrupted = 0;

void OnSignal(int) { interrupted = 1; }

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

struct CloseFile {
  void operator()(FILE* file) const {
    if (file != stdout) fclose(file);
  }
};
using FileHandle = std::unique_ptr<FILE, CloseFile>;

// Prints hashes in the order of the seeds, whatever the order in which they are done.
class HashPrinter {
 public:
  explicit HashPrinter(uint64_t first) : next_(first) {}
  void Add(const Outcome& outcome) {
    waiting_[outcome.report.seed] = outcome.crashed ? "crash" : outcome.report.hash;
    for (auto at = waiting_.begin(); at != waiting_.end() && at->first == next_;) {
      Print(at->first, at->second);
      at = waiting_.erase(at);
      ++next_;
    }
  }
  // The batch was stopped: what is done counts.
  void Flush() {
    for (const auto& [seed, hash] : waiting_) Print(seed, hash);
    waiting_.clear();
  }

 private:
  static void Print(uint64_t seed, const std::string& hash) {
    std::printf("%llu %s\n", static_cast<unsigned long long>(seed), hash.c_str());
  }
  uint64_t next_;
  std::map<uint64_t, std::string> waiting_;
};

Outcome OutcomeOf(const TaskResult& result) {
  if (!result.died) return DecodeOutcome(result.answer);
  Outcome outcome;
  outcome.report.seed = result.task;
  outcome.real_ns = result.real_ns;
  outcome.cpu_ns = result.real_ns;  // It took its own count with it.
  outcome.crashed = true;
  outcome.crash = result.death;
  return outcome;
}

void WatchSignals() {
  struct sigaction action{};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);  // A worker that died while we wrote to it is found out by poll.
}

}  // namespace

int RunBatch(const SimOptions& options, const std::string& program) {
  FileHandle json;
  if (options.json.has_value()) {
    // Before the first seed: hours later is too late to learn of a typing error.
    json.reset(*options.json == "-" ? stdout : fopen(options.json->c_str(), "w"));
    if (json == nullptr) {
      std::fprintf(stderr, "lockstep-sim: --json: cannot write %s: %s\n", options.json->c_str(),
                   strerror(errno));
      return kExitUsage;
    }
  }
  WatchSignals();
  // For people; stdout when nothing else has a claim on it.
  FILE* const people = options.hashes || json.get() == stdout ? stderr : stdout;
  Batch batch(options, program);
  HashPrinter hashes(options.seed_first);
  LiveDisplay live;
  const int64_t begin_ns = NowNs();
  const auto done = [&](const TaskResult& result) {
    const Outcome outcome = OutcomeOf(result);
    batch.Add(outcome);
    if (options.hashes) hashes.Add(outcome);
    if (outcome.failed()) {
      live.Wipe();
      std::fprintf(people, "%s\n", batch.DescribeFailure(outcome).c_str());
      std::fflush(people);
    }
    const uint64_t failures = batch.totals().failures.size();
    if (options.cpu_max != Duration(0) && batch.totals().cpu_ns >= options.cpu_max.count()) {
      return false;
    }
    return options.failures_max == 0 || failures < options.failures_max;
  };
  const auto tick = [&] {
    const int64_t now_ns = NowNs();
    if (live.on()) live.Draw(batch.LiveLine(now_ns - begin_ns), now_ns);
    return interrupted == 0;
  };
  const PoolOptions pool = {.workers = options.jobs,
                            .first = options.seed_first,
                            .final = options.seed_final,
                            .timeout = options.seed_timeout};
  const auto work = [&](uint64_t seed) {
    sim::RunOptions run = options.run;
    run.seed = seed;
    return EncodeOutcome(RunSeed(run));
  };
  Workers(pool, work).Run(done, tick);
  batch.Finish(NowNs() - begin_ns, interrupted != 0);
  live.Wipe();
  hashes.Flush();
  if (!options.hashes) std::fprintf(people, "%s", batch.Table().c_str());
  if (json != nullptr) std::fprintf(json.get(), "%s", batch.Json().c_str());
  return batch.exit_code();
}

}  // namespace lockstep::bin
