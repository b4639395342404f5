// What `lockstep-sim replay` takes beside what is simulated.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_REPLAY_OPTIONS_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_REPLAY_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "bin/lockstep_sim_options.h"

namespace lockstep::bin {

// As typed.
struct RawReplayOptions {
  std::string seed;
  std::string from;
  std::string until;
  std::vector<std::string> nodes;
  std::vector<std::string> kinds;
  std::string tail;
  std::string history;
  std::string record;
  std::string decisions;
};

void AddReplayOptions(CLI::App& command, RawReplayOptions& raw, SimOptions& options);
// Throws a CLI::ValidationError that says what is wrong.
void FillReplayOptions(const CLI::App& command, const RawReplayOptions& raw, SimOptions& options);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_REPLAY_OPTIONS_H_
