#include "sim/world/simulation.h"

#include <cstdio>

#include "core/base/check.h"
#include "core/base/rng.h"
#include "sim/world/climate.h"
#include "sim/world/simulation_run.h"

namespace lockstep::sim {
namespace {

// The run under way, for the last words of a failed Check. The check hook takes no argument, so
// this cannot be a member; the simulator has one thread.
SimulationRun* running = nullptr;

void SayWhichRun(absl::string_view, const std::source_location&) {
  if (running == nullptr) return;
  std::fprintf(stderr, "in the run of seed %llu, event %llu, virtual time %lld ns\n",
               static_cast<unsigned long long>(running->seed()),
               static_cast<unsigned long long>(running->event()),
               static_cast<long long>(running->now()));
}

}  // namespace

void Counters::Add(const Counters& other) {
  if (values.empty()) {
    values = other.values;
    return;
  }
  if (other.values.empty()) return;
  CheckEq(values.size(), other.values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    CheckEq(values[i].first, other.values[i].first);
    values[i].second += other.values[i].second;
  }
}

RunReport Run(const RunOptions& options) {
  CheckLe(options.nodes_min, options.nodes_max);
  const Rng root(options.seed, options.tape);
  const Climate climate = DrawClimate(options, root);
  SimulationRun run(options, climate, root);
  running = &run;
  SetCheckHook(&SayWhichRun);
  run.Go();
  SetCheckHook(nullptr);
  running = nullptr;
  return run.Report();
}

}  // namespace lockstep::sim
