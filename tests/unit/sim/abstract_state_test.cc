// What counts as a new state of a cluster, and what does not.
#include "sim/trace/abstract_state.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "sim/world/simulation.h"

namespace lockstep::sim {
namespace {

struct Sink final : public StateSink {
  void See(uint64_t state) override { seen.push_back(state); }
  std::vector<uint64_t> seen;
};

struct Cluster {
  void Note(uint64_t node, NoteKind kind, uint64_t term, uint64_t index = 0) {
    state.OnNote(NodeId(node), lockstep::Note{.kind = kind,
                                              .group = GroupId(1),
                                              .term = Term(term),
                                              .peer = {},
                                              .position = {.index = Index(index), .term = {}}});
  }
  void Boot(uint64_t nodes) {
    for (uint64_t node = 1; node <= nodes; ++node) Note(node, NoteKind::kBooted, 0);
    sink.seen.clear();
  }
  uint64_t last() const { return sink.seen.back(); }

  Sink sink;
  AbstractState state{sink, nullptr};
};

TEST(AbstractState, ServersAreInterchangeable) {
  Cluster one;
  Cluster other;
  one.Boot(3);
  other.Boot(3);
  one.Note(1, NoteKind::kBecameLeader, 1);
  other.Note(3, NoteKind::kBecameLeader, 1);
  EXPECT_EQ(one.last(), other.last());
}

TEST(AbstractState, RolesTermsAndLogsCount) {
  Cluster cluster;
  cluster.Boot(3);
  std::set<uint64_t> states;
  cluster.Note(1, NoteKind::kBecameCandidate, 1);
  states.insert(cluster.last());
  cluster.Note(2, NoteKind::kHardState, 1);
  cluster.Note(1, NoteKind::kBecameLeader, 1);
  states.insert(cluster.last());
  cluster.Note(1, NoteKind::kAppended, 1, 1);
  cluster.Note(1, NoteKind::kCommitted, 1, 1);
  states.insert(cluster.last());
  cluster.state.OnCrash(NodeId(1));
  states.insert(cluster.last());
  EXPECT_EQ(states.size(), 4u);
}

TEST(AbstractState, WhereALogIsDoesNotCount) {
  Cluster early;
  Cluster late;
  for (Cluster* cluster : {&early, &late}) {
    const uint64_t start = cluster == &early ? 10 : 1000;
    cluster->Boot(2);
    for (uint64_t node = 1; node <= 2; ++node) {
      cluster->Note(node, NoteKind::kBaseMoved, 0, start);
      cluster->Note(node, NoteKind::kCommitted, 0, start);
    }
    cluster->Note(1, NoteKind::kAppended, 0, start + 3);
    cluster->Note(1, NoteKind::kCommitted, 0, start + 3);
  }
  EXPECT_EQ(early.last(), late.last());
}

TEST(AbstractState, AnAppendAloneIsNoNewState) {
  Cluster cluster;
  cluster.Boot(2);
  cluster.Note(1, NoteKind::kAppended, 1, 1);
  EXPECT_TRUE(cluster.sink.seen.empty());
}

// Listening disturbs nothing, and runs go through many states.
TEST(AbstractState, RunsGoThroughMany) {
  for (const Profile profile : {Profile::kRaft, Profile::kShard}) {
    RunOptions options;
    options.profile = profile;
    options.operations = 30;
    const std::string hash = sim::Run(options).hash;
    Sink sink;
    options.states = &sink;
    EXPECT_EQ(sim::Run(options).hash, hash);
    EXPECT_GT(std::set<uint64_t>(sink.seen.begin(), sink.seen.end()).size(), 20u);
  }
}

}  // namespace
}  // namespace lockstep::sim
