// The load of `lockstep bench` on etcd, with the same options, the same report and the same
// measuring code:
//
//   etcd_load --endpoints 127.0.0.1:2379 [options of lockstep bench]
#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bin/bench_options.h"
#include "bin/bench_report.h"
#include "bin/lockstep_signals.h"
#include "bin/lockstep_values.h"
#include "tests/bench/etcd_target.h"

namespace lockstep::bench {
namespace {

int Main(int argc, char** argv) {
  BenchOptions options;
  TargetOptions target;
  std::vector<std::string> endpoints = {"127.0.0.1:2379"};
  std::string timeout = "10s";
  bool json = false;
  CLI::App app("Puts a load on etcd, as lockstep bench does on Lockstep.", "etcd_load");
  app.add_option("--endpoints", endpoints, "Members (default 127.0.0.1:2379)")->delimiter(',');
  app.add_option("--timeout", timeout, "How long a call may take (default 10s)");
  app.add_flag("--stale", target.stale, "Serializable reads");
  app.add_flag("--json", json, "Report in JSON");
  AddBenchOptions(app, options);
  try {
    app.parse(argc, argv);
    FillBenchOptions(options);
    target.timeout = bin::ParseDuration("--timeout", timeout);
    if (options.load.weights[static_cast<size_t>(Kind::kAppend)] > 0) {
      bin::Refuse("--mix: etcd has no append");
    }
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "etcd_load: %s\n", error.what());
    return 1;
  }
  target.servers = endpoints;
  target.connections = options.connections;
  target.outstanding = static_cast<size_t>(options.load.outstanding);
  target.list_limit = options.list_limit;
  const absl::StatusOr<Targets> targets = OpenEtcdTargets(target);
  if (!targets.ok()) {
    std::fprintf(stderr, "etcd_load: %s\n", std::string(targets.status().message()).c_str());
    return 5;
  }
  const LoadReport report = RunLoad(
      options.load, *targets,
      [](const Progress& progress) {
        std::fprintf(stderr, "%s\n", ProgressText(progress).c_str());
      },
      bin::StopRequested());
  const std::string text =
      json ? ReportJson(options.load, report).dump() + "\n" : ReportText(options.load, report);
  std::fputs(text.c_str(), stdout);
  return report.all.answered > 0 ? 0 : 3;
}

}  // namespace
}  // namespace lockstep::bench

int main(int argc, char** argv) { return lockstep::bench::Main(argc, argv); }
