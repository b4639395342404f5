#include "bin/lockstep_sim_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "bin/lockstep_sim_replay_options.h"
#include "bin/lockstep_sim_values.h"
#include "bin/version.h"
#include "sim/faults/fault_kind.h"

namespace lockstep::bin {
namespace {

using sim::FaultKind;
using sim::FaultSet;
using sim::kNodesMax;

constexpr const char* kAbout =
    "Runs clusters of Lockstep in a simulated world of faults, one seed a run, and checks them.\n"
    "The same seed and options give the same run, event for event, on every machine.\n"
    "Judges recorded histories of other systems as well.";

constexpr const char* kFooter =
    "Examples:\n"
    "  lockstep-sim run --seeds 1000            seeds 1 to 1000 on all cores\n"
    "  lockstep-sim run --seeds 500..600 --jobs 2 --json report.json\n"
    "  lockstep-sim run --seeds 100 --no-crash --nodes 5\n"
    "  lockstep-sim run --seeds 100 --faults partition,crash --time 30s\n"
    "  lockstep-sim run --seeds 20 --hashes     to compare two builds\n"
    "  lockstep-sim replay --seed 42 --tail 200 the last 200 lines of the story of seed 42\n"
    "  lockstep-sim replay --seed 42 --node 2 --kind note --from 5000 --until 6000\n"
    "  lockstep-sim replay --seed 42 --record run.decisions\n"
    "  lockstep-sim replay --decisions run.decisions\n"
    "  lockstep-sim check history.edn           judge a recorded history of any system\n"
    "\n"
    "Exit codes: 0 passed; 1 bad usage; 127 a run crashed; 128 a run made no progress, or\n"
    "something that must happen in a batch never did; 129 a safety property or linearizability\n"
    "is violated, or could not be decided; 130 interrupted. The highest of a batch wins.";

constexpr std::pair<const char*, sim::Judges> kJudges[] = {
    {"all", sim::Judges::kAll},
    {"history", sim::Judges::kHistory},
    {"white-box", sim::Judges::kWhiteBox},
};

sim::Judges ParseJudges(const std::string& text) {
  for (const auto& [name, judges] : kJudges) {
    if (text == name) return judges;
  }
  Refuse(absl::StrCat("--checkers: \"", text, "\" is none of all, history, white-box"));
}

sim::Schedule ParseSchedule(const std::string& text) {
  if (text == "random") return sim::Schedule::kRandom;
  if (text == "pct") return sim::Schedule::kPct;
  Refuse(absl::StrCat("--schedule: \"", text, "\" is neither random nor pct"));
}

sim::Profile ParseProfile(const std::string& text) {
  if (text == "shard") return sim::Profile::kShard;
  if (text == "raft") return sim::Profile::kRaft;
  Refuse(absl::StrCat("--profile: \"", text, "\" is neither shard nor raft"));
}

// --- What both commands take --------------------------------------------------------------------

struct RawRunOptions {
  std::string profile = "shard";
  std::string nodes;
  std::string operations;
  std::string time;
  std::string events_max;
  std::string faults = "all";
  std::string judges = "all";
  std::string schedule = "random";
  std::vector<FaultKind> without;
};

void AddRunOptions(CLI::App& command, RawRunOptions& raw, SimOptions& options) {
  const std::string group = "What is simulated";
  command
      .add_option("--profile", raw.profile,
                  "shard: groups between which shards move (default); raft: one group")
      ->option_text("shard|raft")
      ->group(group);
  command
      .add_option("--nodes", raw.nodes,
                  "How many servers: N, or A..B to draw (default 3..9, of one group 3..5)")
      ->option_text("N|A..B")
      ->group(group);
  command.add_option("--ops", raw.operations, "Operations of all clients (default: drawn)")
      ->option_text("N")
      ->group(group);
  command
      .add_option("--time", raw.time,
                  "Virtual time until faults end, e.g. 500ms, 30s, 2m (default: drawn)")
      ->option_text("TIME")
      ->group(group);
  command
      .add_option("--events-max", raw.events_max,
                  "Events after which a run counts as stuck (default 20000000)")
      ->option_text("N")
      ->group(group);
  command
      .add_option("--checkers", raw.judges,
                  "Who may condemn a run: all, history (only what clients saw), or white-box")
      ->option_text("all|history|white-box")
      ->group(group);
  command
      .add_option("--schedule", raw.schedule,
                  "random: latencies are drawn one by one (default); pct: links and disks have "
                  "priorities too, which change a few times")
      ->option_text("random|pct")
      ->group(group);
  command
      .add_option("--faults", raw.faults,
                  "Kinds of faults allowed: all, none, or names with commas (all,-crash takes out)")
      ->option_text("KINDS")
      ->group("Faults");
  command
      .add_flag("--every-fault", options.run.all_allowed_faults_on,
                "Switch on every allowed kind in every run (default: each in half of the runs)")
      ->group("Faults");
  for (size_t i = 0; i < sim::kFaultKinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    const absl::string_view name = sim::FaultName(kind);
    command
        .add_flag_callback(absl::StrCat("--no-", name),
                           [&raw, kind] { raw.without.push_back(kind); })
        ->group("Faults, each without");
  }
}

void FillRunOptions(const RawRunOptions& raw, sim::RunOptions& run) {
  run.profile = ParseProfile(raw.profile);
  if (!raw.nodes.empty()) {
    const Range nodes = ParseRange("--nodes", raw.nodes, [](uint64_t n) { return Range{n, n}; });
    if (nodes.first < 1 || nodes.final > kNodesMax) {
      Refuse(absl::StrCat("--nodes: ", raw.nodes, " is out of range: 1 to ", kNodesMax));
    }
    run.nodes_min = static_cast<uint32_t>(nodes.first);
    run.nodes_max = static_cast<uint32_t>(nodes.final);
  }
  if (!raw.operations.empty()) {
    const uint64_t operations = ParseNumber("--ops", raw.operations);
    if (operations < 1 || operations > UINT32_MAX) {
      Refuse(absl::StrCat("--ops: ", operations, " is out of range: 1 to ", UINT32_MAX));
    }
    run.operations = static_cast<uint32_t>(operations);
  }
  if (!raw.time.empty()) run.time = ParseDuration("--time", raw.time);
  if (run.time > sim::kTimeMax) Refuse(absl::StrCat("--time: ", raw.time, " is over a year"));
  run.schedule = ParseSchedule(raw.schedule);
  if (!raw.events_max.empty()) {
    run.events_max = ParseNumber("--events-max", raw.events_max);
    if (run.events_max == 0) Refuse("--events-max: must be at least 1");
  }
  run.judges = ParseJudges(raw.judges);
  absl::StatusOr<FaultSet> faults = FaultSet::Parse(raw.faults);
  if (!faults.ok()) Refuse(absl::StrCat("--faults: ", faults.status().message()));
  for (FaultKind kind : raw.without) faults->erase(kind);
  run.faults_allowed = *faults;
}

// --- run ----------------------------------------------------------------------------------------

struct RawBatchOptions {
  std::string seeds;
  std::string seed;
  std::string jobs;
  std::string failures_max = "10";
  std::string seed_timeout = "10m";
  std::string cpu;
  std::string json;
};

void AddBatchOptions(CLI::App& command, RawBatchOptions& raw, SimOptions& options) {
  const std::string group = "The batch";
  CLI::Option* seeds =
      command.add_option("--seeds", raw.seeds, "Seeds to run: A..B, or a count N for 1..N")
          ->option_text("N|A..B")
          ->group(group);
  command.add_option("--seed", raw.seed, "One seed (default 1)")
      ->option_text("N")
      ->group(group)
      ->excludes(seeds);
  command.add_option("--jobs,-j", raw.jobs, "Worker processes (default: one a core)")
      ->option_text("N")
      ->group(group);
  command
      .add_option("--failures-max", raw.failures_max,
                  "Stop after so many failing seeds; 0: go on to the end (default 10)")
      ->option_text("N")
      ->group(group);
  command
      .add_option("--seed-timeout", raw.seed_timeout,
                  "Real time after which a seed counts as crashed (default 10m)")
      ->option_text("TIME")
      ->group(group);
  command.add_option("--cpu", raw.cpu, "Stop when the seeds have taken so much CPU time, e.g. 10m")
      ->option_text("TIME")
      ->group(group);
  command.add_option("--json", raw.json, "Write a report for machines to a file, or to stdout: -")
      ->option_text("FILE")
      ->group(group);
  command.add_flag("--hashes", options.hashes, "Print only one line a seed: SEED HASH")
      ->group(group);
}

void FillBatchOptions(const RawBatchOptions& raw, SimOptions& options) {
  if (!raw.seeds.empty()) {
    const Range seeds = ParseRange("--seeds", raw.seeds, [](uint64_t n) { return Range{1, n}; });
    if (seeds.final == 0) Refuse("--seeds: at least one");
    if (seeds.final - seeds.first == UINT64_MAX) Refuse("--seeds: too many");
    options.seed_first = seeds.first;
    options.seed_final = seeds.final;
  }
  if (!raw.seed.empty()) {
    options.seed_first = options.seed_final = ParseNumber("--seed", raw.seed);
  }
  options.jobs = static_cast<uint32_t>(std::min<uint64_t>(ParseJobs(raw.jobs), options.seeds()));
  options.failures_max = ParseNumber("--failures-max", raw.failures_max);
  options.seed_timeout = ParseDuration("--seed-timeout", raw.seed_timeout);
  if (!raw.cpu.empty()) options.cpu_max = ParseDuration("--cpu", raw.cpu);
  if (!raw.json.empty()) options.json = raw.json;
  if (options.hashes && options.json == "-") {
    Refuse("--hashes and --json - both want stdout: give --json a file");
  }
}

}  // namespace

bool SimOptions::default_run() const {
  const sim::RunOptions plain;
  return run.nodes_min == plain.nodes_min && run.nodes_max == plain.nodes_max &&
         run.operations == plain.operations && run.time == plain.time &&
         run.schedule == plain.schedule && run.faults_allowed == plain.faults_allowed &&
         run.all_allowed_faults_on == plain.all_allowed_faults_on;
}

std::string RunArguments(const SimOptions& options) {
  const sim::RunOptions& run = options.run;
  const sim::RunOptions plain;
  std::string text;
  if (run.profile == sim::Profile::kRaft) absl::StrAppend(&text, " --profile raft");
  if (run.nodes_min != plain.nodes_min || run.nodes_max != plain.nodes_max) {
    absl::StrAppend(&text, " --nodes ", run.nodes_min, "..", run.nodes_max);
  }
  if (run.operations != plain.operations) absl::StrAppend(&text, " --ops ", run.operations);
  if (run.time != plain.time) {
    absl::StrAppend(&text, " --time ",
                    std::chrono::duration_cast<std::chrono::microseconds>(run.time).count(), "us");
  }
  if (run.schedule == sim::Schedule::kPct) absl::StrAppend(&text, " --schedule pct");
  if (run.events_max != plain.events_max) absl::StrAppend(&text, " --events-max ", run.events_max);
  if (!(run.faults_allowed == plain.faults_allowed)) {
    absl::StrAppend(&text, " --faults ", run.faults_allowed.ToString());
  }
  if (run.all_allowed_faults_on) absl::StrAppend(&text, " --every-fault");
  for (const auto& [name, judges] : kJudges) {
    if (run.judges == judges && judges != plain.judges) {
      absl::StrAppend(&text, " --checkers ", name);
    }
  }
  return text;
}

ParsedOptions ParseSimOptions(int argc, const char* const* argv) {
  SimOptions options;
  RawRunOptions raw_run;
  RawBatchOptions raw_batch;
  RawReplayOptions raw_replay;
  RawCheckOptions raw_check;
  CLI::App app(kAbout, "lockstep-sim");
  app.footer(kFooter);
  app.set_version_flag("--version", VersionLine("lockstep-sim"));
  app.require_subcommand(0, 1);
  CLI::App* run = app.add_subcommand("run", "Run a batch of seeds and judge them");
  CLI::App* replay = app.add_subcommand("replay", "Run one seed again and print what happens");
  CLI::App* check =
      app.add_subcommand("check", "Judge recorded histories of any system for linearizability");
  AddBatchOptions(*run, raw_batch, options);
  AddReplayOptions(*replay, raw_replay, options);
  for (CLI::App* command : {run, replay}) AddRunOptions(*command, raw_run, options);
  run->footer(kFooter);
  replay->footer(kFooter);
  AddCheckOptions(*check, raw_check, options.check);
  try {
    app.parse(argc, argv);
    if (!*run && !*replay && !*check) Refuse("say what to do: run, replay or check");
    FillRunOptions(raw_run, options.run);
    options.command = *run ? SimCommand::kRun : *replay ? SimCommand::kReplay : SimCommand::kCheck;
    if (*run) FillBatchOptions(raw_batch, options);
    if (*replay) FillReplayOptions(*replay, raw_replay, options);
    if (*check) FillCheckOptions(raw_check, options.check);
  } catch (const CLI::Success& asked) {  // for --help or --version
    app.exit(asked);
    return {.options = std::nullopt, .exit_code = kExitPassed};
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "lockstep-sim: %s (--help says more)\n", error.what());
    return {.options = std::nullopt, .exit_code = kExitUsage};
  }
  return {.options = options, .exit_code = kExitPassed};
}

}  // namespace lockstep::bin
