// What `lockstep-sim check` is told on its command line.
#ifndef LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_OPTIONS_H_
#define LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/check/history/read.h"
#include "sim/check/linearizability/checker.h"

namespace CLI {
class App;
}

namespace lockstep::bin {

struct CheckOptions {
  std::vector<std::string> files;  // "-": stdin
  history::ReadOptions read;
  linearizability::Options judge;
  uint32_t jobs = 1;
  std::optional<std::string> json;  // a file, or "-"
  std::optional<std::string> html;  // a file; with several files a directory
  bool quiet = false;
};

// As typed.
struct RawCheckOptions {
  std::vector<std::string> files;
  std::string format = "auto";
  std::string model = "auto";
  std::string budget = "1G";
  std::string memory = "1G";
  std::string jobs;
  std::string json;
  std::string html;
};

void AddCheckOptions(CLI::App& command, RawCheckOptions& raw, CheckOptions& options);
// Throws CLI::ValidationError.
void FillCheckOptions(const RawCheckOptions& raw, CheckOptions& options);

}  // namespace lockstep::bin

#endif  // LOCKSTEP_BIN_LOCKSTEP_SIM_CHECK_OPTIONS_H_
