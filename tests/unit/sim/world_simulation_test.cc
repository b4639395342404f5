// Whole runs: reproducible, bounded, and eventful.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/world/simulation.h"

namespace lockstep::sim {
namespace {

class Lines : public TraceSink {
 public:
  void Add(const TraceEvent& event) override { lines.push_back(FormatTraceEvent(event)); }
  std::vector<std::string> lines;
};

uint64_t ValueOf(const Counters& counters, const std::string& name) {
  for (const auto& [key, value] : counters.values) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no counter " << name;
  return 0;
}

TEST(Simulation, SameSeedSameRunAndTracingChangesNothing) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.operations = 200;
    const RunReport one = sim::Run(options);
    Lines lines;
    options.trace = &lines;
    const RunReport two = sim::Run(options);
    EXPECT_EQ(one.hash, two.hash) << "seed " << seed;
    EXPECT_EQ(one.events, two.events);
    EXPECT_EQ(one.counters.values, two.counters.values);
    EXPECT_FALSE(lines.lines.empty());
  }
}

TEST(Simulation, SeedsDiffer) {
  RunOptions options;
  options.operations = 50;
  const RunReport one = sim::Run(options);
  options.seed = 2;
  const RunReport two = sim::Run(options);
  EXPECT_NE(one.hash, two.hash);
  EXPECT_NE(one.climate, two.climate);
}

TEST(Simulation, StormsPassAndTestSomething) {
  Counters sum;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    RunOptions options;
    options.seed = seed;
    options.operations = 400;
    const RunReport report = sim::Run(options);
    ASSERT_FALSE(report.violation.has_value())
        << "seed " << seed << ": " << report.violation->property << "\n"
        << report.violation->evidence;
    sum.Add(report.counters);
  }
  for (const char* name : {"elections",
                           "entries committed",
                           "log truncations",
                           "log compactions",
                           "snapshots installed",
                           "crashes",
                           "crashes in writes",
                           "pages torn",
                           "messages lost",
                           "messages cut off",
                           "messages duplicated",
                           "messages held",
                           "leader changes",
                           "leadership transfers",
                           "membership changes begun",
                           "membership changes refused",
                           "configurations joint",
                           "configurations committed",
                           "learners promoted",
                           "leaders removed",
                           "elections by two majorities"}) {
    EXPECT_GT(ValueOf(sum, name), 0u) << name;
  }
  for (size_t i = 0; i < kFaultKinds; ++i) {
    const FaultKind kind = static_cast<FaultKind>(i);
    const std::string name(FaultName(kind));
    // There is but one group, and no shards.
    const bool possible = kind != FaultKind::kGroupPartition && kind != FaultKind::kHandoverStrike;
    EXPECT_EQ(ValueOf(sum, "effective " + name) > 0, possible) << name;
  }
}

TEST(Simulation, WithoutFaultsNothingIsDisturbed) {
  RunOptions options;
  options.faults_allowed = FaultSet::None();
  options.operations = 300;
  const RunReport report = sim::Run(options);
  EXPECT_FALSE(report.violation.has_value());
  EXPECT_EQ(ValueOf(report.counters, "messages lost"), 0u);
  EXPECT_EQ(ValueOf(report.counters, "boots"), report.nodes);
}

TEST(Simulation, ARunWithoutEndFailsByItsEventBudget) {
  RunOptions options;
  options.events_max = 1000;
  const RunReport report = sim::Run(options);
  ASSERT_TRUE(report.violation.has_value());
  EXPECT_EQ(report.violation->kind, ViolationKind::kLiveness);
  EXPECT_EQ(report.violation->property, "Event Budget");
  EXPECT_NE(report.violation->evidence.find("server 1"), std::string::npos);
}

TEST(Simulation, StopsAfterTheEventAskedFor) {
  RunOptions options;
  options.trace_until_event = 500;
  const RunReport report = sim::Run(options);
  EXPECT_EQ(report.events, 500u);
  EXPECT_FALSE(report.violation.has_value());
}

}  // namespace
}  // namespace lockstep::sim
