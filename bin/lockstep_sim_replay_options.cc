#include "bin/lockstep_sim_replay_options.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bin/lockstep_sim_values.h"
#include "sim/trace/trace.h"

namespace lockstep::bin {
namespace {

std::string TraceKindNames() {
  std::vector<std::string> names;
  for (size_t i = 0; i < sim::kTraceKinds; ++i) {
    const absl::string_view name = sim::TraceKindName(static_cast<sim::TraceKind>(i));
    names.emplace_back(name.data(), name.size());
  }
  return absl::StrJoin(names, ", ");
}

constexpr const char* kShown = "What is shown";

// A log of decisions says itself what is simulated.
void RefuseBesideDecisions(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0 || option->get_group() == kShown) continue;
    Refuse(absl::StrCat(option->get_name(), ": --decisions says what is simulated"));
  }
}

}  // namespace

void AddReplayOptions(CLI::App& command, RawReplayOptions& raw, SimOptions& options) {
  const std::string group = kShown;
  command.add_option("--seed", raw.seed, "The seed")->option_text("N")->group(group);
  command
      .add_option("--decisions", raw.decisions,
                  "Instead of a seed and what is simulated: a log of decisions, as --record and "
                  "fuzzing write them")
      ->option_text("FILE")
      ->group(group);
  command.add_option("--from", raw.from, "Show events from this number on")
      ->option_text("EVENT")
      ->group(group);
  command.add_option("--until", raw.until, "Stop the run after this event")
      ->option_text("EVENT")
      ->group(group);
  command.add_option("--node", raw.nodes, "Show only these nodes; 0: the world")
      ->option_text("N...")
      ->group(group);
  command
      .add_option("--kind", raw.kinds, absl::StrCat("Show only these kinds: ", TraceKindNames()))
      ->option_text("KIND...")
      ->group(group);
  command.add_option("--tail", raw.tail, "Show only so many lines at the end")
      ->option_text("N")
      ->group(group);
  command
      .add_option("--history", raw.history,
                  "Write what the clients did to a file that lockstep-sim check can judge")
      ->option_text("FILE")
      ->group(group);
  command
      .add_option("--record", raw.record,
                  "Write every decision of the run to a file that --decisions replays")
      ->option_text("FILE")
      ->group(group);
  command
      .add_flag("--in-process", options.in_process,
                "Run in this process, for a debugger: a failed check then aborts it")
      ->group(group);
}

void FillReplayOptions(const CLI::App& command, const RawReplayOptions& raw, SimOptions& options) {
  if (raw.seed.empty() == raw.decisions.empty()) Refuse("say either --seed or --decisions");
  if (!raw.seed.empty()) options.seed = ParseNumber("--seed", raw.seed);
  if (!raw.decisions.empty()) {
    RefuseBesideDecisions(command);
    options.decisions = raw.decisions;
  }
  if (!raw.record.empty()) options.record = raw.record;
  if (!raw.from.empty()) options.from_event = ParseNumber("--from", raw.from);
  if (!raw.until.empty()) options.until_event = ParseNumber("--until", raw.until);
  if (options.from_event > options.until_event) Refuse("--from must not exceed --until");
  for (const std::string& node : raw.nodes) options.nodes.insert(ParseNumber("--node", node));
  for (const std::string& text : raw.kinds) {
    for (const std::string& name : std::vector<std::string>(absl::StrSplit(text, ','))) {
      bool known = false;
      for (size_t i = 0; i < sim::kTraceKinds; ++i) {
        known = known || sim::TraceKindName(static_cast<sim::TraceKind>(i)) == name;
      }
      if (!known) {
        Refuse(absl::StrCat("--kind: \"", name, "\" is unknown; known are ", TraceKindNames()));
      }
      options.kinds.insert(name);
    }
  }
  if (!raw.history.empty()) options.history = raw.history;
  if (!raw.tail.empty()) {
    options.tail = static_cast<size_t>(ParseNumber("--tail", raw.tail));
    if (options.tail == 0) Refuse("--tail: must be at least 1");
  }
}

}  // namespace lockstep::bin
