// Two-phase commit is atomic in every storm, and each planted mistake is found.
#include <gtest/gtest.h>

#include <memory>

#include "sim/framework/trial.h"
#include "sim/testing/seeds.h"
#include "sim/testing/trial.h"
#include "tests/examples/two_phase_commit/commit_system.h"

namespace examples {
namespace {

using lockstep::testing::ForEachSeed;
using lockstep::testing::TrialPasses;
using lockstep::testing::TrialsFind;

sim::TrialOptions Options(uint64_t seed = 1) {
  return {.seed = seed, .servers = CommitSystem::kServers, .clients = 3};
}

sim::MakeSystem Commit(CommitMistake mistake) {
  return [mistake] { return std::make_unique<CommitSystem>(mistake); };
}

TEST(TwoPhaseCommit, IsAtomicInStorms) {
  ForEachSeed({.seeds = 200}, [](uint64_t seed) {
    EXPECT_TRUE(TrialPasses(Options(seed), Commit(CommitMistake::kNone)));
  });
}

TEST(TwoPhaseCommit, AForgottenVoteIsFound) {
  EXPECT_TRUE(
      TrialsFind("Atomicity", /*seeds_max=*/20, Options(), Commit(CommitMistake::kForgetsVotes)));
}

TEST(TwoPhaseCommit, ADecisionToldTooEarlyIsFound) {
  EXPECT_TRUE(
      TrialsFind("Atomicity", /*seeds_max=*/100, Options(), Commit(CommitMistake::kTellsTooEarly)));
}

}  // namespace
}  // namespace examples
