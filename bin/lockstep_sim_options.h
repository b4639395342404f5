// The command line of lockstep-sim: parsing only, so that what runs can rely on what it is given.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_OPTIONS_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bin/lockstep_sim_check_options.h"
#include "core/base/types.h"
#include "sim/world/simulation.h"

namespace lockstep::bin {

enum class SimCommand { kRun, kReplay, kCheck };

struct SimOptions {
  SimCommand command = SimCommand::kRun;
  sim::RunOptions run;  // without seed and trace

  // run
  uint64_t seed_first = 1;
  uint64_t seed_final = 1;
  uint32_t jobs = 1;
  uint64_t failures_max = 10;       // stop the batch after so many; 0: never
  Duration seed_timeout{0};         // real time that one seed may take; zero: any
  Duration cpu_max{0};              // stop when the seeds have taken so much CPU time; zero: any
  bool hashes = false;              // print "SEED HASH" lines only
  std::optional<std::string> json;  // a file, or "-"

  // replay
  uint64_t seed = 1;
  uint64_t from_event = 0;
  uint64_t until_event = UINT64_MAX;
  std::set<uint64_t> nodes;              // empty: all
  std::set<std::string> kinds;           // empty: all
  size_t tail = 0;                       // only so many lines at the end; 0: all
  bool in_process = false;               // do not fork: for a debugger
  std::optional<std::string> history;    // a file for what the clients did
  std::optional<std::string> record;     // a file for the run's decisions
  std::optional<std::string> decisions;  // a file of them: they say what is run, and its seed

  CheckOptions check;

  // Whether the run was left as it is by default: then everything must happen in enough seeds.
  bool default_run() const;
  uint64_t seeds() const { return seed_final - seed_first + 1; }
};

// Exit codes (DESIGN §7). The worst of a batch wins, in this order.
inline constexpr int kExitPassed = 0;
inline constexpr int kExitUsage = 1;
inline constexpr int kExitUndecided = 3;  // of `check` alone
inline constexpr int kExitCrash = 127;
inline constexpr int kExitLiveness = 128;
inline constexpr int kExitSafety = 129;
inline constexpr int kExitInterrupted = 130;

// What the command line asks for. Otherwise the exit code: help was printed (0), or one line on
// stderr says what is wrong (kExitUsage).
struct ParsedOptions {
  std::optional<SimOptions> options;
  int exit_code = kExitPassed;
};
ParsedOptions ParseSimOptions(int argc, const char* const* argv);

// The options that differ from the defaults, as they would be given: " --nodes 5..5 --no-crash".
// Without seed, jobs and output.
std::string RunArguments(const SimOptions& options);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_OPTIONS_H_
