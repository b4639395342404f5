// Decision logs, as `lockstep-sim replay --decisions` reads them. What is accepted can be run, and
// comes out of the encoder as it went in.
#include <string>

#include "absl/status/statusor.h"
#include "core/base/check.h"
#include "sim/trace/decision_log.h"

namespace lockstep::fuzz {
namespace {

void RunDecisionLog(absl::string_view bytes) {
  const absl::StatusOr<sim::DecisionLog> log = sim::DecodeDecisionLog(bytes);
  if (!log.ok()) {
    Check(log.status().code() == absl::StatusCode::kInvalidArgument);
    Check(!log.status().message().empty());
    CheckEq(log.status().message().find('\n'), absl::string_view::npos);
    return;
  }
  CheckLe(log->run.nodes_min, log->run.nodes_max);
  CheckLe(log->run.nodes_max, sim::kNodesMax);
  Check(log->run.time <= sim::kTimeMax);
  // Draws take eight bytes each: no input is larger in memory than a few times its size.
  CheckLe(log->draws.size(), bytes.size() / 8);
  const std::string encoded = sim::EncodeDecisionLog(*log);
  const absl::StatusOr<sim::DecisionLog> again = sim::DecodeDecisionLog(encoded);
  Check(again.ok());
  Check(again->draws == log->draws);
  CheckEq(sim::EncodeDecisionLog(*again), encoded);
}

}  // namespace
}  // namespace lockstep::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lockstep::fuzz::RunDecisionLog({reinterpret_cast<const char*>(data), size});
  return 0;
}
