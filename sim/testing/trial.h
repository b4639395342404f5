// Trials (sim/framework/trial.h) as assertions of GoogleTest.
//
//   EXPECT_TRUE(TrialPasses({.seed = seed, .servers = 2}, [] { return std::make_unique<Mine>();
//   }));
//
// LOCKSTEP_TRACE=1 in the environment prints the readable trace while it happens: the way to the
// last event before a Check fails or the program crashes.
#ifndef LOCKSTEP_SIM_TESTING_TRIAL_H_
#define LOCKSTEP_SIM_TESTING_TRIAL_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "sim/framework/trial.h"
#include "sim/testing/seed_watch.h"
#include "sim/trace/trace.h"

namespace lockstep::testing {
namespace internal {

class StderrTrace final : public sim::TraceSink {
 public:
  void Add(const sim::TraceEvent& event) override {
    WriteToStderr(sim::FormatTraceEvent(event) + "\n");
  }
};

}  // namespace internal

// Runs a fresh system; a violation is told with the end of the run's trace.
inline ::testing::AssertionResult TrialPasses(sim::TrialOptions options,
                                              const sim::MakeSystem& make) {
  internal::StderrTrace trace;
  if (options.trace == nullptr && std::getenv("LOCKSTEP_TRACE") != nullptr) options.trace = &trace;
  const std::unique_ptr<sim::System> system = make();
  const sim::RunReport report = sim::RunTrial(options, *system);
  if (!report.violation.has_value()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << sim::TellTrial(options, make);
}

// For mistakes that were planted, to see that they are found: whether one of the seeds 1 to
// `seeds_max` violates the property of this name.
inline ::testing::AssertionResult TrialsFind(const std::string& property, uint64_t seeds_max,
                                             sim::TrialOptions options,
                                             const sim::MakeSystem& make) {
  for (options.seed = 1; options.seed <= seeds_max; ++options.seed) {
    const std::unique_ptr<sim::System> system = make();
    const sim::RunReport report = sim::RunTrial(options, *system);
    if (!report.violation.has_value() || report.violation->property != property) continue;
    return ::testing::AssertionSuccess() << "found by " << sim::Describe(report);
  }
  return ::testing::AssertionFailure()
         << "none of the seeds 1 to " << seeds_max << " violates \"" << property << "\"";
}

}  // namespace lockstep::testing

#endif  // LOCKSTEP_SIM_TESTING_TRIAL_H_
