#include "fuzz/support/schedule_target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "fuzz/support/schedule_mutator.h"
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

// What the runs of this process have drawn: the mutator's choice.
Streams& TheStreams() {
  static Streams streams;
  return streams;
}

absl::string_view TextOf(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

sim::DecisionLog LogOf(sim::Profile profile, absl::string_view bytes, uint64_t seed) {
  absl::StatusOr<sim::DecisionLog> log = sim::DecodeDecisionLog(bytes);
  if (log.ok() && IsFuzzable(*log, profile)) return *std::move(log);
  return FirstLog(profile, seed);
}

size_t Put(const std::string& bytes, uint8_t* out, size_t bytes_max) {
  const size_t size = std::min(bytes.size(), bytes_max);
  std::copy_n(bytes.begin(), size, out);
  return size;
}

}  // namespace

int RunSchedule(sim::Profile profile, const uint8_t* data, size_t size) {
  absl::StatusOr<sim::DecisionLog> log = sim::DecodeDecisionLog(TextOf(data, size));
  if (!log.ok() || !IsFuzzable(*log, profile)) return -1;
  SeenStates states;
  TheStreams().Begin(&log->draws);
  log->run.tape = &TheStreams();
  log->run.states = &states;
  const sim::RunReport report = sim::Run(log->run);
  if (!report.violation.has_value()) return 0;
  std::fprintf(stderr, "%s violated, at event %llu\n%s\n%s\n", report.violation->property.c_str(),
               static_cast<unsigned long long>(report.violation_event),
               report.violation->evidence.c_str(), report.climate.c_str());
  std::fprintf(stderr, "to see it: lockstep-sim replay --decisions FILE\n");
  std::abort();
}

size_t MutateSchedule(sim::Profile profile, uint8_t* data, size_t size, size_t bytes_max,
                      unsigned seed) {
  sim::DecisionLog log = LogOf(profile, TextOf(data, size), seed);
  return Put(Mutate(std::move(log), TheStreams(), bytes_max, Rng(seed)), data, bytes_max);
}

size_t CrossSchedules(sim::Profile profile, absl::string_view one, absl::string_view other,
                      uint8_t* out, size_t bytes_max, unsigned seed) {
  sim::DecisionLog log = LogOf(profile, one, seed);
  return Put(Cross(std::move(log), LogOf(profile, other, seed), bytes_max, Rng(seed)), out,
             bytes_max);
}

}  // namespace lockstep::fuzz
