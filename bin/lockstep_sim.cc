// lockstep-sim: simulate clusters under faults, replay what was found, and check histories of other
// systems. See --help.
#include "bin/lockstep_sim_check.h"
#include "bin/lockstep_sim_options.h"
#include "bin/lockstep_sim_run.h"

int main(int argc, char** argv) {
  using namespace lockstep::bin;
  const ParsedOptions parsed = ParseSimOptions(argc, argv);
  if (!parsed.options.has_value()) return parsed.exit_code;
  if (parsed.options->command == SimCommand::kReplay) return Replay(*parsed.options);
  if (parsed.options->command == SimCommand::kCheck) return CheckFiles(parsed.options->check);
  return RunBatch(*parsed.options, argv[0]);
}
