// etcd_load SERVER... [options of `lockstep bench`]: the load generator of `lockstep bench`,
// pointed at etcd. Prints the same JSON. See tests/bench/against_etcd.
#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bin/bench_options.h"
#include "bin/bench_report.h"
#include "tests/bench/etcd/etcd_target.h"

int main(int argc, char** argv) {
  using namespace lockstep;
  CLI::App app("The load of `lockstep bench`, on etcd");
  bench::BenchOptions options;
  bench::TargetOptions target;
  app.add_option("servers", target.servers, "host:port")->required();
  bench::AddBenchOptions(app, options);
  try {
    app.parse(argc, argv);
    bench::FillBenchOptions(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  }
  target.connections = options.connections;
  target.outstanding = static_cast<size_t>(options.load.outstanding);
  const absl::StatusOr<bench::Targets> targets = bench::OpenEtcdTargets(target);
  if (!targets.ok()) {
    std::cerr << targets.status().message() << "\n";
    return 1;
  }
  const std::atomic<bool> stop{false};
  const bench::LoadReport report = bench::RunLoad(options.load, *targets, {}, stop);
  std::cout << bench::ReportJson(options.load, report).dump() << "\n";
  return report.all.answered > 0 ? 0 : 1;
}
