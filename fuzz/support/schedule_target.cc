#include "fuzz/support/schedule_target.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "sim/trace/state_sink.h"

namespace {

constexpr size_t kStates = size_t{1} << 18;
// libFuzzer looks here beside its own counters. Used: nobody of ours reads it.
__attribute__((used, section("__libfuzzer_extra_counters"))) uint8_t states_seen[kStates];

}  // namespace

namespace lockstep::fuzz {
namespace {

class SeenStates final : public sim::StateSink {
 public:
  void See(uint64_t state) override { states_seen[state % kStates] = 1; }
};

}  // namespace

sim::DecisionLog ScheduleTarget::LogOf(absl::string_view bytes, uint64_t seed) const {
  absl::StatusOr<sim::DecisionLog> log = sim::DecodeDecisionLog(bytes);
  if (log.ok() && IsFuzzable(*log, profile_)) return *std::move(log);
  return FirstLog(profile_, seed);
}

bool ScheduleTarget::Run(absl::string_view input) {
  absl::StatusOr<sim::DecisionLog> log = sim::DecodeDecisionLog(input);
  if (!log.ok() || !IsFuzzable(*log, profile_)) return false;
  SeenStates states;
  streams_.Begin(&log->draws);
  log->run.tape = &streams_;
  log->run.states = &states;
  const sim::RunReport report = sim::Run(log->run);
  if (!report.violation.has_value()) return true;
  std::fprintf(stderr, "%s violated, at event %llu\n%s\n%s\n", report.violation->property.c_str(),
               static_cast<unsigned long long>(report.violation_event),
               report.violation->evidence.c_str(), report.climate.c_str());
  std::fprintf(stderr, "to see it: lockstep-sim replay --decisions FILE\n");
  std::abort();
}

std::string ScheduleTarget::Mutate(absl::string_view input, size_t bytes_max, unsigned seed) {
  return fuzz::Mutate(LogOf(input, seed), streams_, bytes_max, Rng(seed));
}

std::string ScheduleTarget::CrossOver(absl::string_view one, absl::string_view other,
                                      size_t bytes_max, unsigned seed) {
  return Cross(LogOf(one, seed), LogOf(other, seed), bytes_max, Rng(seed));
}

}  // namespace lockstep::fuzz
