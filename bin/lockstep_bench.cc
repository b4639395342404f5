// bench: a load on a cluster.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "bin/bench_history.h"
#include "bin/bench_options.h"
#include "bin/bench_report.h"
#include "bin/bench_target.h"
#include "bin/lockstep_commands.h"
#include "bin/lockstep_signals.h"
#include "bin/lockstep_text.h"

namespace lockstep::bin {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  lockstep bench                                       puts, 64 at a time\n"
    "  lockstep bench --mix get=95,put=5 --distribution zipf --outstanding 256\n"
    "  lockstep bench --rate 5000 --duration 60s            5000 a second, come what may\n"
    "  lockstep bench --format json --server-pids 11,12,13  with the servers' CPU time\n"
    "A cas expects the value that puts write. Exits with 0 when anything was answered.";

Exit RunBench(Shell& shell, const bench::BenchOptions& options) {
  const std::atomic<bool>& stop = StopRequested();
  bench::TargetOptions target;
  target.servers = shell.servers();
  target.timeout = shell.options().timeout;
  target.credentials = shell.options().credentials;
  target.stale = shell.consistency() == v1::STALE;
  target.any_replica = shell.consistency() == v1::ANY_REPLICA;
  target.connections = options.connections;
  target.outstanding = static_cast<size_t>(options.load.outstanding);
  target.list_limit = options.list_limit;
  absl::StatusOr<bench::Targets> targets =
      shell.options().http ? bench::OpenHttpTargets(target) : bench::OpenGrpcTargets(target);
  if (!targets.ok()) {
    return shell.Fail(absl::IsInvalidArgument(targets.status()) ? Exit::kUsage : Exit::kUnreachable,
                      absl::StrCat("bench: ", Escaped(targets.status().message())));
  }
  std::shared_ptr<bench::HistoryFile> history;
  if (!options.history.empty()) {
    absl::StatusOr<std::shared_ptr<bench::HistoryFile>> opened =
        bench::OpenHistory(options.history);
    if (!opened.ok()) return shell.Fail(Exit::kFile, std::string(opened.status().message()));
    history = *std::move(opened);
    for (auto& its : *targets) its = bench::Recording(std::move(its), history);
  }
  if (options.load.prepare) shell.Note(absl::StrCat("putting ", options.load.keys, " keys"));
  const bench::LoadReport report = bench::RunLoad(
      options.load, *targets,
      [&](const bench::Progress& progress) {
        shell.err() << bench::ProgressText(progress) << "\n" << std::flush;
      },
      stop);
  if (shell.json()) {
    shell.out() << Line(bench::ReportJson(options.load, report)) << "\n";
  } else {
    shell.out() << bench::ReportText(options.load, report);
  }
  if (history != nullptr) {
    const absl::Status closed = history->Close();
    if (!closed.ok()) return shell.Fail(Exit::kFile, std::string(closed.message()));
  }
  if (report.all.answered > 0) return Exit::kOk;
  return stop ? Exit::kInterrupted : Exit::kNotExecuted;
}

}  // namespace

void AddBenchCommand(CLI::App& app, Action& action) {
  const auto options = std::make_shared<bench::BenchOptions>();
  CLI::App& command = AddCommand(app, "bench", "Put a load on the cluster and measure it");
  bench::AddBenchOptions(command, *options);
  command.footer(kFooter);
  command.callback([&action, options] {
    bench::FillBenchOptions(*options);
    action = [options](Shell& shell) { return RunBench(shell, *options); };
  });
}

}  // namespace lockstep::bin
