// The options of a load, for `lockstep bench` and for the benches of other systems.
#ifndef LOCKSTEP_BIN_BENCH_OPTIONS_H_
#define LOCKSTEP_BIN_BENCH_OPTIONS_H_

#include <string>
#include <vector>

#include "bin/bench_load.h"

namespace CLI {
class App;
}  // namespace CLI

namespace lockstep::bench {

struct BenchOptions {
  LoadOptions load;
  size_t connections = 1;
  uint32_t list_limit = 100;

  // As they were typed; FillBenchOptions reads them.
  struct Raw {
    std::string mix = "put=1";
    std::string keys = "10000";
    std::string distribution = "uniform";
    std::string value_bytes = "256";
    std::string outstanding;
    std::string rate;
    std::string arrivals = "poisson";
    std::string warm_up = "1s";
    std::string duration = "10s";
    std::string count;
    std::string seed = "1";
    std::string connections = "1";
    std::string list_limit = "100";
    std::string key_prefix = "bench-";
    std::vector<std::string> server_pids;
    bool no_prepare = false;
  } raw;
};

// `options` outlives the app.
void AddBenchOptions(CLI::App& app, BenchOptions& options);
// Throws CLI::ValidationError for what is wrong.
void FillBenchOptions(BenchOptions& options);

}  // namespace lockstep::bench

#endif  // LOCKSTEP_BIN_BENCH_OPTIONS_H_
