// What the labs never ask: disks that tear, rot, stall and refuse, votes that must outlive crashes,
// and links that carry in one direction only. What a torn log is and what a rotten one, and what
// becomes of each, is decision 0006.
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/cluster.h"
#include "tests/scenario/support/expect.h"

namespace lockstep::scenario {
namespace {

using std::chrono::seconds;

// Votes are durable before they are sent: after a power failure everybody knows whom it voted for,
// on disks that keep nothing but what was synced.
TEST(RaftDisks, VotesOutlivePowerFailures) {
  Cluster cluster({.servers = 5, .crash = sim::CrashOptions::DropAll()});
  const NodeId leader = cluster.ExpectOneLeader();
  cluster.RunFor(kHeartbeat);
  std::map<NodeId, std::pair<Term, NodeId>> votes;
  for (const NodeId server : cluster.Servers()) {
    votes[server] = {cluster.TermOf(server), cluster.ReplicaOn(server).vote};
  }
  EXPECT_EQ(votes[leader].second, leader);
  cluster.CrashAll();
  cluster.RestartAll();
  for (const NodeId server : cluster.Servers()) {
    EXPECT_EQ(cluster.TermOf(server), votes[server].first);
    EXPECT_EQ(cluster.ReplicaOn(server).vote, votes[server].second);
  }
}

// A voter loses power while it writes down its vote, and is back before the election is over. It
// may vote again only if nobody has got the first vote (checked: Election Safety, Durability).
TEST(RaftDisks, AVoterThatLosesPowerInItsVoteDoesNotVoteTwice) {
  testing::ForEachSeed({.seeds = 30}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .seed = seed});
    const NodeId first = cluster.ExpectOneLeader();
    cluster.Agree("before", 3);
    cluster.Disconnect(first);
    const NodeId voter = cluster.After(first, 1);
    cluster.LosePowerInNextLogWrite(voter, 1 + cluster.rng().Below(2));
    cluster.ExpectTrapSprings(voter);
    EXPECT_FALSE(cluster.IsUp(voter));
    cluster.Restart(voter);
    cluster.ExpectOneLeader();
    cluster.Agree("after", 2);
  });
}

// Power fails before, in and after the write of an entry. What is torn is cut off, so that what is
// written behind it later is found again at the next start.
TEST(RaftDisks, ATornTailIsCutOffAndWrittenOver) {
  testing::ForEachSeed({.seeds = 50}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .clients = 1, .seed = seed});
    cluster.client().Append("k", "before ");
    const NodeId victim = NodeId(1 + cluster.rng().Below(3));
    cluster.LosePowerInNextLogWrite(victim, 1 + cluster.rng().Below(2));
    const std::string large(cluster.rng().Magnitude(1, 20'000), 'x');
    cluster.client().Append("k", large);
    cluster.ExpectTrapSprings(victim);
    EXPECT_FALSE(cluster.IsUp(victim));
    cluster.Restart(victim);
    cluster.client().Append("k", " after");
    cluster.Agree("all", 3);
    cluster.CrashAll();
    cluster.RestartAll();
    EXPECT_EQ(cluster.client().Get("k"), absl::StrCat("before ", large, " after"));
    cluster.Agree("all again", 3);
  });
}

// All servers lose power in the same write: what was answered is there.
TEST(RaftDisks, AllLogsMayTearAtOnce) {
  testing::ForEachSeed({.seeds = 50}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .clients = 1, .seed = seed});
    cluster.client().Append("k", "1");
    for (const NodeId server : cluster.Servers()) {
      cluster.LosePowerInNextLogWrite(server, 1 + cluster.rng().Below(2));
    }
    const Pending append = cluster.client().AppendSoon("k", "2");
    for (const NodeId server : cluster.Servers()) cluster.ExpectTrapSprings(server);
    EXPECT_FALSE(append.done());
    cluster.RestartAll();
    cluster.client().Append("k", "3");
    Expect(cluster, append).CompletesWithin(kPatience);  // Tried again until it is there, once.
    const std::string value = cluster.client().Get("k").value_or("");
    EXPECT_TRUE(value == "123" || value == "132") << value;
  });
}

// Power fails again while a server recovers from a power failure, many times.
TEST(RaftDisks, RecoveryMayBeInterruptedAnywhere) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .clients = 1, .seed = seed, .log_entries_max = 20});
    for (int i = 0; i < 50; ++i) cluster.client().Append("k", absl::StrCat(i, " "));
    for (uint64_t change = 1; change <= 8; ++change) {
      const NodeId victim = NodeId(1 + cluster.rng().Below(3));
      cluster.Crash(victim);
      cluster.LosePowerInNextBoot(victim, change);
      cluster.Restart(victim);
      cluster.ExpectTrapSprings(victim);
      EXPECT_FALSE(cluster.IsUp(victim));
      cluster.Restart(victim);
      EXPECT_TRUE(cluster.IsUp(victim));
      cluster.Agree("all", 3);
    }
  });
}

// A bit that flips in the middle of a log takes away what the server had promised. It knows that,
// has the others send it again, and then takes part like any other: also when it is one of just
// two.
TEST(RaftDisks, AServerWithARottenLogIsRepairedByTheOthers) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .clients = 1, .seed = seed});
    for (int i = 0; i < 20; ++i) cluster.client().Append("k", absl::StrCat(i, " "));
    cluster.Agree("all", 3);
    const NodeId victim = NodeId(1 + cluster.rng().Below(3));
    cluster.Crash(victim);
    cluster.FlipBit(victim, Part::kLog);
    cluster.Restart(victim);
    EXPECT_TRUE(cluster.IsUp(victim));
    cluster.client().Append("k", "after");
    cluster.Agree("everybody", 3);
    const NodeId other = NodeId(1 + victim.value() % 3);
    cluster.Crash(other);
    cluster.Agree("the victim and another", 2);
    cluster.Restart(other);
    cluster.Agree("everybody again", 3);
  });
}

// A bit that flips in a table: no client ever reads a value that nobody wrote. The server either
// did not need the bit, or finds it when it starts, or stops when it does; then it starts anew with
// tables that the others give it.
TEST(RaftDisks, ARottenTableIsNeverServed) {
  int stopped = 0;
  testing::ForEachSeed({.seeds = 20}, [&](uint64_t seed) {
    Cluster cluster({.servers = 3, .clients = 1, .seed = seed, .log_entries_max = 20});
    const auto value = [](int i) { return std::string(3000, static_cast<char>('a' + i % 26)); };
    for (int i = 0; i < 100; ++i) cluster.client().Put(absl::StrCat(i), value(i));
    const NodeId victim = cluster.ExpectOneLeader();
    cluster.FlipBit(victim, Part::kTable);
    cluster.Crash(victim);
    cluster.Restart(victim);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(cluster.client().Get(absl::StrCat(i)), value(i));
    for (int i = 0; i < 30; ++i) cluster.client().Put(absl::StrCat("more ", i), value(i));
    if (cluster.IsUp(victim)) return;
    ++stopped;
    cluster.Restart(victim);
    EXPECT_TRUE(cluster.IsUp(victim));
    cluster.Agree("everybody", 3);
  });
  EXPECT_GT(stopped, 0);
}

// An fsync that fails is the end of the process: what it should have made durable may be gone
// although a second fsync succeeds (Rebello et al., ATC 2020).
TEST(RaftDisks, AServerWhoseFsyncFailsStopsItself) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    Cluster cluster({.servers = 3, .clients = 1, .seed = seed});
    cluster.client().Append("k", "1");
    const NodeId victim = cluster.ExpectOneLeader();
    cluster.FailNextFsync(victim);
    cluster.client().Append("k", "2");
    cluster.ExpectTrapSprings(victim);
    EXPECT_FALSE(cluster.IsUp(victim));
    cluster.client().Append("k", "3");
    cluster.Restart(victim);
    cluster.Agree("all", 3);
    EXPECT_EQ(cluster.client().Get("k"), "123");
  });
}

// A leader whose table completes nothing cannot serve anybody, and gives up.
TEST(RaftDisks, ALeaderWithAStalledTableIsReplaced) {
  Cluster cluster({.servers = 3, .clients = 1});
  cluster.client().Put("k", "1");
  const NodeId stalled = cluster.ExpectOneLeader();
  cluster.StallDisk(stalled, Part::kTable, seconds(60));
  cluster.client().Put("k", "2");
  EXPECT_EQ(cluster.client().Get("k"), "2");
  EXPECT_NE(cluster.ExpectOneLeader(), stalled);
}

// Nobody wants anything of its table but a follower that waits for a snapshot, in vain.
TEST(RaftDisks, ALeaderThatCannotReadASnapshotIsReplaced) {
  Cluster cluster({.servers = 3, .clients = 1, .log_entries_max = 10});
  const NodeId stalled = cluster.ExpectOneLeader();
  const NodeId behind = cluster.After(stalled, 1);
  cluster.Disconnect(behind);
  for (int i = 0; i < 40; ++i) cluster.client().Append("k", "x");
  const Index written = cluster.AppliedOf(stalled);
  cluster.StallDisk(stalled, Part::kTable, seconds(60));
  cluster.Connect(behind);
  cluster.RunFor(12 * kElectionTimeout);
  EXPECT_NE(cluster.ExpectOneLeader(), stalled);
  EXPECT_GE(cluster.AppliedOf(behind), written);
}

// One whose log completes nothing has the others: they commit without it, or without it as leader.
TEST(RaftDisks, ALeaderWithAStalledLogHoldsNobodyUp) {
  Cluster cluster({.servers = 3, .clients = 1});
  cluster.client().Put("k", "1");
  cluster.StallDisk(cluster.ExpectOneLeader(), Part::kLog, seconds(60));
  const Instant begin = cluster.now();
  for (int i = 0; i < 10; ++i) cluster.client().Append("k", absl::StrCat(i));
  EXPECT_EQ(cluster.client().Get("k"), "10123456789");
  EXPECT_LE(cluster.now() - begin, 4 * kElectionTimeout);
}

// --- One direction only ---

// A leader that nobody answers believes in itself no longer than an election time-out, although
// its heartbeats keep the others quiet.
TEST(RaftLinks, ALeaderThatHearsNobodyStepsDown) {
  Cluster cluster({.servers = 3, .clients = 1});
  const NodeId deaf = cluster.ExpectOneLeader();
  cluster.CutOneWay(cluster.After(deaf, 1), deaf);
  cluster.CutOneWay(cluster.After(deaf, 2), deaf);
  cluster.client().Put("k", "v");
  EXPECT_NE(cluster.LeaderAmong(cluster.Servers()), deaf);
  EXPECT_EQ(cluster.client().Get("k"), "v");
}

// A follower that hears nobody asks for votes for ever. It is not elected, and the leader neither
// loses its office nor its term.
TEST(RaftLinks, AFollowerThatHearsNobodyDisturbsNobody) {
  Cluster cluster({.servers = 3, .clients = 1});
  const NodeId leader = cluster.ExpectOneLeader();
  const Term term = cluster.TermOf(leader);
  const NodeId deaf = cluster.After(leader, 1);
  cluster.CutOneWay(leader, deaf);
  cluster.CutOneWay(cluster.After(leader, 2), deaf);
  cluster.RunFor(10 * kElectionTimeout);
  cluster.client().Put("k", "v");
  EXPECT_EQ(cluster.Leader(), leader);
  EXPECT_EQ(cluster.TermOf(leader), term);
}

}  // namespace
}  // namespace lockstep::scenario
