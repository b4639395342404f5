// Elections: the labs' part 2A.
#include <gtest/gtest.h>

#include <chrono>

#include "sim/testing/seeds.h"
#include "tests/scenario/support/cluster.h"

namespace lockstep::scenario {
namespace {

// Lab: TestInitialElection2A. Stronger: the leader stays for ten election time-outs, not two.
TEST(RaftElection, AQuietClusterElectsOneLeaderAndKeepsIt) {
  Cluster cluster({.servers = 3});
  const NodeId leader = cluster.ExpectOneLeader();
  const Term term = cluster.TermOf(leader);
  EXPECT_GE(term, Term(1));
  cluster.RunFor(10 * kElectionTimeout);
  for (const NodeId server : cluster.Servers()) EXPECT_EQ(cluster.TermOf(server), term);
  EXPECT_EQ(cluster.ExpectOneLeader(), leader);
  EXPECT_EQ(cluster.elections(), 1u);
}

// Lab: TestReElection2A, its first half. Stronger: who returns neither takes the leadership back
// nor makes its successor stand for election again.
TEST(RaftElection, ALeaderThatReturnsDoesNotDisturbItsSuccessor) {
  Cluster cluster({.servers = 3});
  const NodeId first = cluster.ExpectOneLeader();
  cluster.Disconnect(first);
  const NodeId second = cluster.ExpectOneLeader();
  EXPECT_NE(second, first);
  const Term term = cluster.TermOf(second);
  cluster.Connect(first);
  cluster.RunFor(2 * kElectionTimeout);
  EXPECT_EQ(cluster.ExpectOneLeader(), second);
  EXPECT_EQ(cluster.TermOf(second), term);
}

// Lab: TestReElection2A, its second half. Stronger: a leader that has lost its majority steps down
// by itself, and the term does not grow while nobody can win.
TEST(RaftElection, WithoutAMajorityNobodyLeads) {
  Cluster cluster({.servers = 3});
  const NodeId first = cluster.ExpectOneLeader();
  cluster.Disconnect(first);
  const NodeId second = cluster.ExpectOneLeader();
  cluster.Disconnect(second);
  const Term term = cluster.TermOf(second);
  cluster.ExpectNoLeader();
  EXPECT_EQ(cluster.LeaderAmong(cluster.Servers()), NodeId());
  for (const NodeId server : cluster.Present()) EXPECT_EQ(cluster.TermOf(server), term);
  cluster.Connect(second);
  cluster.ExpectOneLeader();
  cluster.Connect(first);
  cluster.ExpectOneLeader();
}

// Lab: TestManyElections2A, which disconnects any three. Stronger: the leader is always one of
// them, and after an election time-out those that were lost have no leader either.
TEST(RaftElection, AnyFourOfSevenElectALeader) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 7, .seed = seed});
    for (int round = 0; round < 9; ++round) {
      cluster.Disconnect(cluster.ExpectOneLeader());
      for (int i = 0; i < 2; ++i) {
        const uint64_t drawn = 1 + cluster.rng().Below(7);
        cluster.Disconnect(NodeId(drawn));
      }
      cluster.RunFor(kElectionTimeout);
      const NodeId leader = cluster.ExpectOneLeader();
      EXPECT_EQ(cluster.LeaderAmong(cluster.Servers()), leader);
      for (const NodeId server : cluster.Servers()) cluster.Connect(server);
    }
    cluster.ExpectOneLeader();
    EXPECT_GE(cluster.elections(), 10u);
  });
}

// No lab has it. Connections of a process that died break at once: nobody waits for an election
// time-out, which is one to two seconds.
TEST(RaftElection, ADeadLeaderIsReplacedWellBeforeAnElectionTimeout) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 5, .seed = seed});
    const NodeId first = cluster.ExpectOneLeader();
    const Term term = cluster.TermOf(first);
    cluster.RunFor(kElectionTimeout);
    const Instant died = cluster.now();
    cluster.Kill(first);
    // A connection ends behind what was sent on it: the last heartbeats arrive before the news.
    cluster.RunFor(std::chrono::milliseconds(5));
    cluster.BreakConnections(first);
    const NodeId second = cluster.ExpectOneLeader();
    EXPECT_NE(second, first);
    EXPECT_GT(cluster.TermOf(second), term);
    // Two may ask at the same moment and split the votes; then the next campaign follows soon.
    EXPECT_LT(cluster.now() - died, kElectionTimeout / 4);
    cluster.Restart(first);
  });
}

// The same news of a leader that is well: whoever else hears it stands by it.
TEST(RaftElection, AFalseAlarmChangesNothing) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 5, .seed = seed});
    const NodeId leader = cluster.ExpectOneLeader();
    const Term term = cluster.TermOf(leader);
    for (uint64_t round = 0; round < 8; ++round) {
      cluster.BreakConnection(cluster.After(leader, 1 + round % 4), leader);
      cluster.RunFor(kElectionTimeout / 4);
    }
    EXPECT_EQ(cluster.ExpectOneLeader(), leader);
    EXPECT_EQ(cluster.TermOf(leader), term);
    EXPECT_EQ(cluster.elections(), 1u);
  });
}

}  // namespace
}  // namespace lockstep::scenario
