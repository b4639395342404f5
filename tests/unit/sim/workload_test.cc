// The workload over a perfect store: its clients get through, its history is judged linearizable;
// and over stores that cheat, it is not.
#include "sim/workload/workload.h"

#include <cstdint>
#include <string>
#include <utility>

#include "tests/unit/sim/workload_bench.h"

namespace lockstep::sim {
namespace {

TEST(Workload, PassesOverAPerfectStore) {
  Bench bench(Busy(), 1, {});
  EXPECT_FALSE(bench.workload().Done());
  bench.Run(kLong);
  EXPECT_TRUE(bench.workload().Done());
  EXPECT_EQ(bench.workload().issued(), 600u);
  EXPECT_EQ(bench.Verdict(), "") << bench.evidence();
  EXPECT_EQ(bench.Counter("operations unknown"), 0u);
  EXPECT_GT(bench.Counter("swaps mismatched"), 0u);
}

TEST(Workload, TheFinalRoundReadsEveryKeyAndWritesOncePerClient) {
  Bench bench(Busy(), 1, {});
  bench.Run(kLong);
  const uint64_t reads = bench.Counter("reads answered");
  const uint64_t writes = bench.Counter("writes executed");
  bench.workload().BeginFinalRound();
  EXPECT_FALSE(bench.workload().Done());
  EXPECT_NE(bench.workload().WaitingFor(), "");
  bench.Run(kLong);
  EXPECT_TRUE(bench.workload().Done());
  EXPECT_EQ(bench.workload().WaitingFor(), "");
  EXPECT_EQ(bench.Counter("reads answered"), reads + 4 * (3 + 1));
  EXPECT_EQ(bench.Counter("writes executed"), writes + 4);
  EXPECT_EQ(bench.Verdict(), "") << bench.evidence();
}

TEST(Workload, TheFinalRoundIsNotDoneWhileNobodyAnswers) {
  Bench bench(Busy(), 1, {.deaf = true});
  bench.Run(std::chrono::seconds(1));
  bench.workload().BeginFinalRound();
  bench.Run(std::chrono::minutes(5));
  EXPECT_FALSE(bench.workload().Done());
  EXPECT_NE(bench.workload().WaitingFor().find("client 1: get k"), std::string::npos)
      << bench.workload().WaitingFor();
}

TEST(Workload, StopsIssuing) {
  Bench bench(Busy(), 1, {});
  bench.Run(std::chrono::milliseconds(100));
  bench.workload().StopIssuing();
  const uint64_t issued = bench.workload().issued();
  bench.Run(kLong);
  EXPECT_TRUE(bench.workload().Done());
  EXPECT_EQ(bench.workload().issued(), issued);
  EXPECT_LT(issued, 600u);
}

TEST(Workload, UnknownOutcomesAndRestartsStayLinearizable) {
  uint64_t unknown = 0;
  uint64_t replayed = 0;
  uint64_t restarts = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    WorkloadOptions options = Busy();
    options.deadline_min = std::chrono::milliseconds(20);
    options.deadline_max = std::chrono::milliseconds(3000);
    options.attempt_timeout = std::chrono::milliseconds(50);
    options.restart = {1, 20};
    options.unique_values = seed % 4 != 0;
    Bench bench(options, seed, {.lose_request = 5, .lose_reply = 5});
    bench.Run(kLong);
    bench.workload().BeginFinalRound();
    bench.Run(kLong);
    EXPECT_TRUE(bench.workload().Done());
    EXPECT_EQ(bench.Verdict(), "") << seed << "\n" << bench.evidence();
    unknown += bench.Counter("operations unknown");
    replayed += bench.Counter("replies replayed");
    restarts += bench.Counter("client restarts");
  }
  EXPECT_GT(unknown, 0u);
  EXPECT_GT(replayed, 0u);
  EXPECT_GT(restarts, 0u);
}

// Each cheat must be found in nearly all runs.
TEST(Workload, FindsCheats) {
  const std::pair<const char*, Cheats> cheats[] = {
      {"stale reads", {.stale_read = 10}},
      {"lost writes", {.lost_write = 50}},
      {"double appends", {.twice = 20}},
  };
  for (const auto& [name, cheat] : cheats) {
    int found = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      WorkloadOptions options = Busy();
      options.mix.append = 20;
      Bench bench(options, seed, cheat);
      bench.Run(kLong);
      bench.workload().BeginFinalRound();
      bench.Run(kLong);
      if (bench.Verdict() == "Linearizability") ++found;
    }
    EXPECT_GE(found, 9) << name;
  }
}

TEST(Workload, AnAnswerForAnotherIndexIsFound) {
  Bench bench(Busy(), 1, {.wrong_index = 100});
  bench.Run(kLong);
  EXPECT_EQ(bench.Verdict(), "Exactly-Once") << bench.evidence();
}

TEST(WorkloadOptions, DrawsRunnableSettings) {
  bool crowd = false;
  bool queues = false;
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    Rng rng(seed);
    const WorkloadOptions options = WorkloadOptions::Draw(rng, 0);
    EXPECT_GE(options.clients, 1u);
    EXPECT_LE(options.clients, 50u);
    EXPECT_GE(options.keys, 1u);
    EXPECT_LE(options.keys, 20u);
    EXPECT_LE(options.deadline_min, options.deadline_max);
    EXPECT_LE(options.backoff_min, options.backoff_max);
    EXPECT_GT(options.mix.get + options.mix.list, 0u);
    crowd = crowd || options.clients > 8;
    queues = queues || options.outstanding_max < options.processes;
  }
  EXPECT_TRUE(crowd);
  EXPECT_TRUE(queues);
  Rng rng(1);
  EXPECT_EQ(WorkloadOptions::Draw(rng, 77).operations, 77u);
}

TEST(WorkloadOptions, TheSameSeedIsTheSameWorkload) {
  Rng a(5);
  Rng b(5);
  EXPECT_EQ(Describe(WorkloadOptions::Draw(a, 0)), Describe(WorkloadOptions::Draw(b, 0)));
}

}  // namespace
}  // namespace lockstep::sim
