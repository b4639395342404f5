// The properties of moving shards: for each a story that keeps it and stories that break it.
#include <string>

#include "tests/unit/sim/check_shard_story.h"

namespace lockstep::sim {
namespace {

// As they lie in a tenure: 'd' before the key of a pair, other bytes before what belongs to
// sessions.
const Records kRecords = {{"dkey", "value"}, {"dother", "thing"}, {"s1", "session"}};

// Group 1 has both shards; configuration 2 gives shard 0 to group 2. Nobody has come to that yet.
void Begin(ShardStory& story) { story.Join(1).Come(1, 1).Join(2); }

// Both have come to configuration 2: shard 0 is frozen and on its way.
void BeginMoving(ShardStory& story) {
  Begin(story);
  story.Come(1, 2).Come(2, 2);
}

TEST(ShardChecks, OrdinaryMovesAreQuiet) {
  ShardStory story;
  BeginMoving(story);
  for (uint64_t node = 1; node <= 3; ++node) story.Froze(node, 1, 0, 2, kRecords);
  const proto::ShardSummary all = story.Summary(0, 1, 2, kRecords);
  story.Install(2, 0, 2, 1, {kRecords[0]});
  EXPECT_EQ(story.model().Serving(0), std::vector<GroupId>{});
  story.Install(2, 0, 2, 2, {kRecords[1], kRecords[2]}, &all);
  EXPECT_EQ(story.model().Serving(0), std::vector<GroupId>{GroupId(2)});
  EXPECT_EQ(story.model().Serving(1), std::vector<GroupId>{GroupId(1)});
  story.Drop(1, 0, 2).Finish(2, 0, 2);
  EXPECT_EQ(story.property(), "") << story.evidence();
  EXPECT_EQ(story.checker().StillMoving(), "");
  Counters counters;
  story.checker().AppendCounters(&counters);
  const std::vector<std::pair<std::string, uint64_t>> want = {
      {"configurations", 2},      {"members replaced in configurations", 0},
      {"shards frozen", 3},       {"shards moved", 1},
      {"parts of shards", 2},     {"commands at wrong groups", 0},
      {"shard tables checked", 0}};
  EXPECT_EQ(counters.values, want);
}

// --- Shard Ownership

TEST(ShardOwnership, OneGroupServesAShard) {
  ShardStory story;
  Begin(story);
  story.Come(2, 2, [](proto::Reconfigure& change) {
    change.mutable_gained(0)->clear_source();  // As if it had never had an owner.
  });
  EXPECT_EQ(story.property(), "Shard Ownership");
  EXPECT_TRUE(story.Says("shard 0 is served by groups 1 and 2 at the same time"))
      << story.evidence();
}

TEST(ShardOwnership, AGroupHasWhatItsConfigurationGivesIt) {
  const auto lacks = [](proto::Reconfigure& change) { change.clear_gained(); };
  const auto takes = [](proto::Reconfigure& change) {
    *change.add_gained() = change.gained(0);
    change.mutable_gained(1)->set_shard(1);
  };
  const auto keeps = [](proto::Reconfigure& change) { change.clear_lost(); };
  const auto loses = [](proto::Reconfigure& change) { change.add_lost()->set_shard(1); };
  const struct {
    const char* name;
    uint64_t gid;
    ShardStory::Edit edit;
    const char* want;
  } rows[] = {
      {"lacks one", 2, lacks, "with shards \nthe controller gives it 0"},
      {"takes another", 2, takes, "with shards 0,1\nthe controller gives it 0"},
      {"keeps what it lost", 1, keeps, "with shards 0,1\nthe controller gives it 1"},
      {"loses what it keeps", 1, loses, "with shards \nthe controller gives it 1"},
  };
  for (const auto& row : rows) {
    ShardStory story;
    Begin(story);
    story.Come(row.gid, 2, row.edit);
    EXPECT_EQ(story.property(), "Shard Ownership") << row.name;
    EXPECT_TRUE(story.Says(row.want)) << row.name << "\n" << story.evidence();
  }
}

TEST(ShardOwnership, ConfigurationsComeFromTheController) {
  ShardStory story;
  story.Join(1).Come(1, 1).Come(1, 2);
  EXPECT_EQ(story.property(), "Shard Ownership");
  EXPECT_TRUE(story.Says("configuration 2, which the controller has not made"));
}

// Late, repeated and early ones change nothing, so there is nothing to be said of them.
TEST(ShardOwnership, AConfigurationThatDoesNotFollowIsNoStep) {
  ShardStory story;
  story.Join(1).Come(1, 1);
  const auto as = [](uint64_t num) {
    return [num](proto::Reconfigure& change) { change.set_num(num); };
  };
  story.Join(2).Come(1, 2, as(1)).Come(1, 2, as(4));
  EXPECT_EQ(story.property(), "") << story.evidence();
  EXPECT_EQ(story.model().groups().at(GroupId(1)).num, 1u);
}

// A group that was no member begins with the configuration in which it joins, whatever came before.
TEST(ShardOwnership, WhoJoinsLateBeginsThere) {
  ShardStory story;
  story.Join(1).Join(2).Join(3).Come(3, 3);
  EXPECT_EQ(story.property(), "") << story.evidence();
  EXPECT_EQ(story.model().groups().at(GroupId(3)).num, 3u);
}

// --- Handover Integrity

TEST(HandoverIntegrity, NothingArrivesThatIsNotFrozen) {
  ShardStory story;
  Begin(story);
  story.Come(2, 2).Arrive(2, 0, 2, /*source=*/1, /*ended=*/2);
  EXPECT_EQ(story.property(), "Handover Integrity");
  EXPECT_TRUE(
      story.Says("shard 0 since 2 arrived at group 2 from shard 0, lost by group 1 in "
                 "configuration 2, which has not frozen it"))
      << story.evidence();
}

TEST(HandoverIntegrity, WhatIsInstalledIsWhatWasFrozen) {
  const Records lost = {kRecords[0], kRecords[2]};
  const Records changed = {kRecords[0], {"dother", "thinG"}, kRecords[2]};
  const Records session_lost = {kRecords[0], kRecords[1]};
  for (const Records& wrong : {lost, changed, session_lost}) {
    ShardStory story;
    BeginMoving(story);
    story.Froze(1, 1, 0, 2, kRecords).Arrive(2, 0, 2, 1, 2, wrong);
    EXPECT_EQ(story.property(), "Handover Integrity");
    EXPECT_TRUE(story.Says("node 1 when it froze it held 2 keys with 18 bytes"))
        << story.evidence();
    EXPECT_TRUE(story.Says("the records that group 2 installed hold ")) << story.evidence();
  }
}

TEST(HandoverIntegrity, TheLastPartSaysWhatMustHaveArrived) {
  ShardStory story;
  BeginMoving(story);
  const proto::ShardSummary wrong = story.Summary(0, 1, 2, {kRecords[0]});
  story.Install(2, 0, 2, 1, kRecords, &wrong);
  EXPECT_EQ(story.property(), "Handover Integrity");
  EXPECT_TRUE(story.Says("the last part for group 2 hold 1 keys")) << story.evidence();
}

TEST(HandoverIntegrity, ReplicasFreezeTheSame) {
  ShardStory story;
  BeginMoving(story);
  story.Froze(1, 1, 0, 2, kRecords).Froze(2, 1, 0, 2, kRecords);
  EXPECT_EQ(story.property(), "");
  story.Froze(3, 1, 0, 2, {kRecords[0]});
  EXPECT_EQ(story.property(), "Handover Integrity");
  EXPECT_TRUE(story.Says("node 3 when it froze it")) << story.evidence();
  EXPECT_TRUE(story.Says("(at 3")) << "the time of the note\n" << story.evidence();
}

// Parts that are late, repeated or early are not the part that is waited for.
TEST(HandoverIntegrity, EachPartIsInstalledOnceAndInOrder) {
  ShardStory story;
  BeginMoving(story);
  const proto::ShardSummary all = story.Summary(0, 1, 2, kRecords);
  story.Install(2, 0, 2, 2, {kRecords[1], kRecords[2]}, &all);  // early
  story.Install(2, 0, 2, 1, {kRecords[0]}).Install(2, 0, 2, 1, {kRecords[0]});
  story.Install(2, 0, 9, 1, kRecords, &all).Install(2, 1, 2, 1, kRecords, &all);  // of nobody
  story.Install(2, 0, 2, 2, {kRecords[1], kRecords[2]}, &all);
  story.Install(2, 0, 2, 2, {kRecords[1], kRecords[2]}, &all);  // it is here
  EXPECT_EQ(story.property(), "") << story.evidence();
  EXPECT_EQ(story.model().parts(), 2u);
  EXPECT_EQ(story.model().moves(), 1u);
}

// Group 2 loses the shard before it has come: it goes on arriving, and is frozen at once. What goes
// on from there is held against what came.
TEST(HandoverIntegrity, AlongAChain) {
  for (const bool right : {true, false}) {
    ShardStory story;
    BeginMoving(story);
    story.Leave(2).Come(2, 3).Come(1, 3);
    EXPECT_EQ(story.model().FrozenVersion({0, GroupId(2), 3}), 0u) << "it has not come yet";
    story.Arrive(2, 0, 2, 1, 2, kRecords);
    EXPECT_NE(story.model().FrozenVersion({0, GroupId(2), 3}), 0u);
    EXPECT_EQ(story.model().Serving(0), std::vector<GroupId>{});
    story.Froze(4, 2, 0, 3, kRecords).Arrive(1, 0, 3, 2, 3, right ? kRecords : Records());
    EXPECT_EQ(story.property(), right ? "" : "Handover Integrity") << story.evidence();
    if (!right) continue;
    EXPECT_EQ(story.model().Serving(0), std::vector<GroupId>{GroupId(1)});
    story.Drop(1, 0, 2).Drop(2, 0, 3).Finish(2, 0, 2).Finish(1, 0, 3);
    EXPECT_EQ(story.checker().StillMoving(), "");
  }
}

// --- Session Monotony

TEST(SessionMonotony, AShardArrivesAtTheVersionAtWhichItWasFrozen) {
  for (const int64_t error : {-1, 0, 1}) {
    ShardStory story;
    BeginMoving(story);
    proto::ShardSummary summary = story.Summary(0, 1, 2, kRecords);
    summary.set_version(summary.version() + static_cast<uint64_t>(error));
    story.Install(2, 0, 2, 1, kRecords, &summary);
    EXPECT_EQ(story.property(), error == 0 ? "" : "Session Monotony") << story.evidence();
    EXPECT_EQ(story.Says(", but it was frozen at 2"), error != 0) << story.evidence();
  }
}

// A command that was executed at the source is a copy at the destination, and versions go on from
// where they were, however short the destination's log is.
TEST(SessionMonotony, VersionsGoOnWhereTheyWere) {
  ShardStory story;
  Begin(story);
  for (int i = 0; i < 20; ++i) story.Client(1, 0, 0, 0);
  story.Come(1, 2).Come(2, 2);
  const uint64_t before = story.model().FrozenVersion({0, GroupId(1), 2});
  EXPECT_GT(before, 20u);
  story.Arrive(2, 0, 2, 1, 2, kRecords).Leave(2).Come(2, 3);
  EXPECT_GT(story.model().FrozenVersion({0, GroupId(2), 3}), before);
  EXPECT_LT(story.index(2), before) << "else that says nothing";
}

TEST(SessionMonotony, SessionsMoveWithTheirShard) {
  ShardStory story;
  story.Join(1).Come(1, 1);
  story.Client(1, 0, 0, 0);  // registers session 2
  story.Client(1, 0, 2, 1).Client(1, 1, 2, 1);
  const auto first_of = [&](uint64_t sequence, uint32_t shard) {
    return story.model().FirstOf({SessionId(2), sequence, shard}).value();
  };
  EXPECT_EQ(first_of(1, 0), 3u);
  EXPECT_EQ(first_of(1, 1), 4u) << "shards have sessions of their own";
  for (int i = 0; i < 10; ++i) story.Client(1, 1, 2, 1);
  story.Join(2).Come(1, 2);
  const uint64_t frozen = story.index(1);
  story.Come(2, 2).Client(2, 0, 2, 2).Arrive(2, 0, 2, 1, 2);
  EXPECT_EQ(first_of(2, 0), 0u) << "it was not served";
  EXPECT_EQ(story.model().refused(), 1u);
  EXPECT_EQ(story.model().duplicates(), 10u);
  story.Client(2, 0, 2, 1);
  EXPECT_EQ(first_of(1, 0), 3u) << "executed before it moved";
  EXPECT_EQ(story.model().duplicates(), 11u);
  story.Client(2, 0, 2, 2);
  // What was installed counts as one more than what was frozen, at the index of its last part.
  EXPECT_EQ(first_of(2, 0), frozen + 1 + 2);
  story.Client(1, 0, 2, 3);
  EXPECT_EQ(first_of(3, 0), 0u) << "the source serves it no more";
  EXPECT_EQ(story.property(), "") << story.evidence();
}

// With room for two sessions the third registration expires the one that was used least recently,
// and which one that is does not depend on where the shard was then.
TEST(SessionMonotony, TheOrderOfUseMovesToo) {
  ShardStory story;
  story.Join(1).Come(1, 1);
  story.Client(1, 0, 0, 0).Client(1, 0, 0, 0);  // sessions 2 and 3
  story.Client(1, 0, 3, 1).Client(1, 0, 2, 1);
  story.Join(2).Come(1, 2).Come(2, 2).Arrive(2, 0, 2, 1, 2);
  story.Client(2, 0, 0, 0);
  story.Client(2, 0, 3, 2).Client(2, 0, 2, 2);
  EXPECT_EQ(story.model().FirstOf({SessionId(3), 2, 0}), Index()) << "expired";
  EXPECT_NE(story.model().FirstOf({SessionId(2), 2, 0}), Index());
}

// --- Growth that a run looks at once it has come to rest

TEST(ShardModel, TellsWhatGroupsWriteFromWhatClientsWrite) {
  ShardStory story;
  story.Join(1).Come(1, 1);
  EXPECT_EQ(story.model().internal_entries(), 1u);
  EXPECT_EQ(story.model().bytes_written(), 0u);
  story.Client(1, 0, 0, 0);
  const uint64_t one = story.model().bytes_written();
  EXPECT_GT(one, 0u);
  story.Client(1, 0, 0, 0);
  EXPECT_EQ(story.model().bytes_written(), 2 * one);
  EXPECT_EQ(story.model().internal_entries(), 1u);
  story.Drop(1, 0, 5).Finish(1, 0, 1);  // without effect, but it is in the log
  EXPECT_EQ(story.model().internal_entries(), 3u);
}

// --- Shard Convergence

TEST(ShardConvergence, SaysWhatIsStillMoving) {
  ShardStory story;
  EXPECT_EQ(story.checker().StillMoving(), "") << "nobody is a member";
  story.Join(1);
  EXPECT_EQ(story.checker().StillMoving(), "group 1 has not heard that it joined");
  story.Come(1, 1);
  EXPECT_EQ(story.checker().StillMoving(), "");
  story.Join(2);
  EXPECT_EQ(story.checker().StillMoving(), "group 1 is at configuration 1 of 2");
  story.Come(1, 2);
  EXPECT_EQ(story.checker().StillMoving(), "shard 0 since 1 at group 1 is SHARD_FROZEN");
  story.Come(2, 2).Arrive(2, 0, 2, 1, 2);
  story.Drop(1, 0, 2);
  EXPECT_EQ(story.checker().StillMoving(), "shard 0 since 2 at group 2 is SHARD_SERVING_GC");
  story.Finish(2, 0, 2);
  EXPECT_EQ(story.checker().StillMoving(), "");
  EXPECT_EQ(story.property(), "") << story.evidence();
}

// Seed 1326 of the shard profile: it comes to both configurations when it asks again.
TEST(ShardConvergence, WhoJoinedAndLeftWhileAwayIsStillMoving) {
  ShardStory story;
  story.Join(1).Come(1, 1).Leave(1).Come(1, 2);
  story.Join(1).Leave(1);
  EXPECT_EQ(story.checker().StillMoving(),
            "group 1 has not heard of configuration 3, which had it");
}

TEST(ShardConvergence, WhatIsFetchedIsStillMoving) {
  ShardStory story;
  BeginMoving(story);
  story.Drop(1, 0, 2);
  EXPECT_EQ(story.checker().StillMoving(), "shard 0 since 2 at group 2 is SHARD_PULLING");
}

// Who has left must still hear of it, and then nothing more.
TEST(ShardConvergence, WhoLeftHasToHearOfIt) {
  ShardStory story;
  BeginMoving(story);
  story.Arrive(2, 0, 2, 1, 2).Drop(1, 0, 2).Finish(2, 0, 2);
  story.Leave(2).Come(1, 3);
  EXPECT_EQ(story.checker().StillMoving(), "shard 0 since 3 at group 1 is SHARD_PULLING");
  story.Come(2, 3).Arrive(1, 0, 3, 2, 3).Drop(2, 0, 3).Finish(1, 0, 3);
  EXPECT_EQ(story.checker().StillMoving(), "");
  story.Join(3).Come(1, 4).Come(3, 4).Arrive(3, 0, 4, 1, 4).Drop(1, 0, 4).Finish(3, 0, 4);
  EXPECT_EQ(story.checker().StillMoving(), "") << "group 2 need not hear of configuration 4";
  EXPECT_EQ(story.property(), "") << story.evidence();
}

// Group 2 has passed the shard on, but its own source does not know that it ever came.
TEST(ShardConvergence, ASourceThatWasNotToldIsNotAtRest) {
  ShardStory story;
  BeginMoving(story);
  story.Arrive(2, 0, 2, 1, 2).Leave(2).Come(2, 3).Come(1, 3);
  story.Arrive(1, 0, 3, 2, 3).Drop(2, 0, 3).Finish(1, 0, 3).Drop(1, 0, 2);
  EXPECT_EQ(story.checker().StillMoving(), "shard 0 since 2 at group 2 is SHARD_DROPPED");
  story.Finish(2, 0, 2);
  EXPECT_EQ(story.checker().StillMoving(), "");
}

TEST(ShardConvergence, NothingIsLeftOfWhatHasGone) {
  ShardStory story;
  story.Join(1).Come(1, 1);
  MemoryTable table;
  EXPECT_EQ(story.LeftOver(1, table), "") << "an empty table";
  ShardStory::Fill(table, 0, 1, kRecords, CountsOf(kRecords));
  ShardStory::Fill(table, 1, 1, {}, {});
  EXPECT_EQ(story.LeftOver(1, table), "");
  EXPECT_EQ(story.CheckTable(1, table).property(), "") << story.evidence();
  const std::string gone = "shard 0 since 1 has left group 1, but something of it has not";
  EXPECT_EQ(story.LeftOver(2, table),
            "shard 0 since 1 has left group 2, but something of it has not")
      << "a group that has nothing";
  story.Join(2).Come(1, 2);
  EXPECT_EQ(story.LeftOver(1, table), gone);
  story.CheckTable(1, table);
  EXPECT_EQ(story.property(), "Shard Convergence");
  EXPECT_TRUE(story.Says("node 7, group 1: 2 keys with 18 bytes are left of shard 0 since 1"))
      << story.evidence();
}

TEST(ShardConvergence, EveryKindOfRecordHasToGo) {
  for (const char kind : {shardkv::kTenureKind, shardkv::kCountsKind, shardkv::kContentsKind}) {
    ShardStory story;
    story.Join(1).Come(1, 1).Join(2).Come(1, 2);
    MemoryTable table;
    table.Put(shardkv::TenureKey(kind, 0, 1), shardkv::Counts().Encode());
    EXPECT_NE(story.LeftOver(1, table), "") << kind;
    EXPECT_EQ(story.CheckTable(1, table).property(), "Shard Convergence") << kind;
  }
}

// --- Shard Accounting

TEST(ShardAccounting, CountsAgreeWithWhatIsThere) {
  shardkv::Counts more_keys = CountsOf(kRecords);
  ++more_keys.keys;
  shardkv::Counts more_bytes = CountsOf(kRecords);
  ++more_bytes.bytes;
  shardkv::Counts other_content = CountsOf(kRecords);
  ++other_content.content;
  for (const shardkv::Counts& wrong : {more_keys, more_bytes, other_content, shardkv::Counts()}) {
    ShardStory story;
    story.Join(1).Come(1, 1);
    MemoryTable table;
    ShardStory::Fill(table, 1, 1, kRecords, wrong);
    EXPECT_EQ(story.CheckTable(1, table).property(), "Shard Accounting");
    EXPECT_TRUE(
        story.Says("node 7, group 1: shard 1 since 1 holds 2 keys with 18 bytes, but counts"))
        << story.evidence();
  }
}

}  // namespace
}  // namespace lockstep::sim
