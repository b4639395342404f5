// The durability oracle: what a replica promised must be on its disk after any crash.
#include <string>

#include "tests/unit/sim/check_story.h"

namespace lockstep::sim {
namespace {

const Entry kNoop1 = MakeEntry(1, 1);
const Entry kA = MakeEntry(2, 1, "a");
const Entry kB = MakeEntry(3, 1, "b");

Story Begun() {
  Story story;
  story.Elect(1, 1, {2});
  story.Replicate(1, 1, kNoop1, {2}).Replicate(1, 1, kA, {2});
  return story;
}

TEST(Durability, AVoteIsRemembered) {
  const auto voted = [] {
    Story story;
    story.HardState(3, 2, 1).Vote(3, 2, 1).Crash(3);
    return story;
  };
  EXPECT_EQ(voted().Boot(3, 2, 1).End().property(), "");
  EXPECT_EQ(voted().Boot(3, 3, 0).End().property(), "") << "a later term";
  EXPECT_EQ(voted().Boot(3, 2, 0).property(), "Durability") << "the vote is lost";
  EXPECT_EQ(voted().Boot(3, 2, 2).property(), "Durability") << "another vote";
  EXPECT_EQ(voted().Boot(3, 1, 0).property(), "Durability") << "the term is lost";
}

TEST(Durability, AVoteThatNeverLeftMayBeForgotten) {
  EXPECT_EQ(Story().HardState(3, 2, 1).Crash(3).Boot(3, 0, 0).End().property(), "");
}

TEST(Durability, ALeadersOwnVoteCountsOnlyIfDurable) {
  Story story;
  story.Elect(1, 1, {2}).Crash(1);
  EXPECT_EQ(story.Boot(1, 1, 0).property(), "Durability");
  // With both others' votes its own was not needed, but its term has been announced.
  Story spare;
  spare.Elect(1, 1, {2, 3}).Crash(1);
  EXPECT_EQ(spare.Boot(1, 1, 0).property(), "");
  Story term;
  term.Elect(1, 1, {2, 3}).Crash(1);
  EXPECT_EQ(term.Boot(1, 0, 0).property(), "Durability");
}

TEST(Durability, AnAcknowledgedPrefixIsKept) {
  const auto crashed = [] { return Begun().Append(2, kB).Crash(2); };
  EXPECT_EQ(crashed().Boot(2, 1, 1).BootEntry(2, kNoop1).BootEntry(2, kA).End().property(), "");
  EXPECT_EQ(crashed().Boot(2, 1, 1).BootEntry(2, kNoop1).Follow(2, 1, 0).property(), "Durability");
  EXPECT_EQ(crashed().Boot(2, 1, 1).BootEntry(2, kNoop1).End().property(), "Durability");
  EXPECT_EQ(crashed().Boot(2, 1, 1).BootEntry(2, kNoop1).Crash(2).property(), "Durability");
}

TEST(Durability, ATruncationByALaterLeaderTakesThePromiseBack) {
  const auto overruled = [] {
    Story story;
    story.Elect(1, 1, {2}).Append(1, kNoop1).Append(2, kNoop1).Ack(2, 1, 1, 1).Commit(1, 1);
    story.Append(1, kA).HardState(3, 1, 1).Append(3, kNoop1).Ack(3, 1, 1, 1);
    // Index 2 is acknowledged by nobody who votes for node 3; node 2 holds it in memory only.
    story.Append(2, kA);
    story.Elect(3, 2, {2}).Append(3, MakeEntry(2, 2));
    story.Follow(2, 2, 3).Truncate(2, 2, 3).Crash(2);
    return story;
  };
  EXPECT_EQ(overruled().Boot(2, 2, 3).BootEntry(2, kNoop1).End().property(), "");
  EXPECT_EQ(overruled().Boot(2, 2, 3).End().property(), "Durability") << "index 1 was acknowledged";
}

// The disk has just written what the log in memory no longer holds: the leader of the old term may
// be told so, and the new leader's entry is promised to nobody yet.
TEST(Durability, ALateAcknowledgementPromisesNothingOfTheNextTerm) {
  Story story;
  story.Elect(1, 1, {2}).HardState(3, 1, 0).Replicate(1, 1, kNoop1, {2, 3});
  story.Append(2, kA).Elect(3, 2, {1}).Append(3, MakeEntry(2, 2));
  story.Follow(1, 2, 3).HardState(2, 2, 0).Truncate(2, 2, 3).Append(2, MakeEntry(2, 2));
  story.Ack(2, 1, 1, 2).Crash(2);
  EXPECT_EQ(story.Boot(2, 1, 1).BootEntry(2, kNoop1).BootEntry(2, kA).End().property(), "");
}

// A replica that stands for election answers its last leader late, and what it says still counts;
// that an earlier leader had replaced entries there is long over.
TEST(Durability, ALateAcknowledgementCountsUnlessALaterTermReplacedIt) {
  Story story;
  story.Elect(1, 1, {2}).HardState(3, 1, 0).Replicate(1, 1, kNoop1, {2, 3});
  story.Append(2, kA).Elect(3, 2, {1}).Append(3, MakeEntry(2, 2));
  story.Follow(1, 2, 3).HardState(2, 2, 0).Truncate(2, 2, 3).Append(2, MakeEntry(2, 2));
  story.HardState(2, 3, 2).Ack(2, 3, 2, 2);
  EXPECT_EQ(story.Commit(3, 2).property(), "");
}

TEST(Durability, NothingIsTakenBackFromTheSameLeader) {
  Story story;
  story.Elect(1, 1, {2}).Append(1, kNoop1).HardState(3, 1, 0).Append(3, kNoop1).Ack(3, 1, 1, 1);
  EXPECT_EQ(story.Truncate(3, 1, 1).property(), "Durability");
}

TEST(Durability, CommitsRestOnAMajority) {
  Story story;
  story.Elect(1, 1, {2}).Append(1, kNoop1).Append(2, kNoop1);
  EXPECT_EQ(story.Commit(1, 1).property(), "Durability") << "nobody has acknowledged";
  EXPECT_EQ(Story(1).Elect(1, 1, {}).Append(1, kNoop1).Commit(1, 1).property(), "");
}

TEST(Durability, ALeaderThatCountedItselfMustHoldItsCopy) {
  EXPECT_EQ(Begun().Crash(1).Boot(1, 1, 1).BootEntry(1, kNoop1).End().property(), "Durability");
  EXPECT_EQ(Begun().Crash(1).Boot(1, 1, 1).BootEntry(1, kNoop1).BootEntry(1, kA).End().property(),
            "Durability")
      << "held, but nobody commits it again";
  // Both others had acknowledged: the leader's copy was not needed.
  Story spare;
  spare.Elect(1, 1, {2}).HardState(3, 1, 0).Replicate(1, 1, kNoop1, {2, 3}).Crash(1);
  EXPECT_EQ(spare.Commit(2, 1).Boot(1, 1, 1).End().property(), "");
}

TEST(Durability, CommittedEntriesAreCommittedAgain) {
  EXPECT_EQ(Begun().Crash(1).End().property(), "Durability");
  EXPECT_EQ(Begun().Crash(1).Commit(2, 2).End().property(), "");
}

TEST(Durability, TheDiskHoldsOnlyWhatWasAppended) {
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0).BootEntry(3, kNoop1).BootEntry(3, kA).property(), "")
      << "somebody had appended it";
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0).BootEntry(3, MakeEntry(1, 1, "x")).property(),
            "Log Matching");
  EXPECT_EQ(Begun().Crash(3).Boot(3, 9, 0).BootEntry(3, MakeEntry(1, 9)).property(), "Durability");
}

TEST(Durability, TablesHoldCommittedEntriesOnly) {
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0, 0, 0, 2).End().property(), "");
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0, 0, 0, 3).property(), "State Machine Safety");
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0, 3, 1, 3).property(), "State Machine Safety");
}

TEST(Durability, NothingIsMissingBetweenTableAndLog) {
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0, 2, 1, 2).End().property(), "");
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0, 2, 1, 1).property(), "Durability");
  EXPECT_EQ(Begun().Crash(3).Boot(3, 1, 0, 2, 2, 2).property(), "State Machine Safety");
}

TEST(Durability, AnInstalledSnapshotIsAPromise) {
  const auto crashed = [] { return Begun().HardState(3, 1, 0).Install(3, 2, 1).Crash(3); };
  EXPECT_EQ(crashed().Boot(3, 1, 0, 0, 0, 2).End().property(), "") << "in the table";
  EXPECT_EQ(crashed().Boot(3, 1, 0, 2, 1, 2).End().property(), "") << "and in the log";
  EXPECT_EQ(crashed().Boot(3, 1, 0, 0, 0, 0).End().property(), "Durability");
}

TEST(Durability, ATableAheadOfItsLogResetsIt) {
  Story story = Begun();
  story.HardState(3, 1, 0).Append(3, kNoop1).Crash(3);
  story.Boot(3, 1, 0, 0, 0, 2).BootEntry(3, kNoop1).MoveBase(3, 2, 1, /*installed=*/true);
  EXPECT_EQ(story.Append(3, kB).property(), "") << story.evidence();
}

TEST(Durability, AnAnswerRestsOnAnAppliedEntry) {
  EXPECT_EQ(Begun().Reply(1, 5, 0).property(), "") << "a refusal";
  EXPECT_EQ(Begun().Reply(1, 5, 2).property(), "Durability");
  EXPECT_EQ(Begun().Apply(1, kNoop1).Apply(1, kA).Reply(1, 5, 2).property(), "");
}

// Far beyond the point at which the checkers forget what is below every log's base.
TEST(Durability, LongHistoriesAreForgottenFromTheFront) {
  Story story(2);
  uint64_t index = 0;
  for (uint64_t term = 1; term <= 10; ++term) {
    story.Elect(1, term, {2});
    for (const uint64_t end = index + 100'000; index < end;) {
      const Entry entry = MakeEntry(++index, term, "x");
      story.Append(1, entry).Append(2, entry).Ack(2, term, 1, index).Commit(1, index);
      story.Apply(1, entry).Commit(2, index).Apply(2, entry);
    }
    for (const uint64_t node : {uint64_t{1}, uint64_t{2}}) {
      story.MoveBase(node, index, term).Crash(node).Boot(node, term, 1, index, term, index);
    }
  }
  EXPECT_EQ(story.property(), "") << story.evidence();
  // A disk that comes back from before is noticed, and harms nobody.
  EXPECT_EQ(story.Crash(2).Boot(2, 10, 1).property(), "Durability");
}

TEST(Durability, TheDeadAreNotHeard) {
  EXPECT_EQ(Begun().Crash(1).Truncate(1, 1).Commit(2, 2).End().property(), "");
}

// Node 2 has acknowledged two entries, which node 1 has committed; damage takes them.
Story Damaged() { return Begun().Crash(2).Damage(2).BootInDoubt(2, 2, 1); }

TEST(Doubt, ExcusesWhatDamageHasTaken) {
  EXPECT_EQ(Damaged().End().property(), "");
  EXPECT_EQ(Begun().Crash(2).BootInDoubt(2, 2, 1).property(), "Durability") << "what damage?";
  EXPECT_EQ(Begun().Crash(2).Damage(2).Boot(2, 1, 1).End().property(), "Durability")
      << "it does not know that it has lost something";
  EXPECT_EQ(Begun().Crash(2).Damage(2).BootInDoubt(2, 0, 0).property(), "Durability")
      << "nothing excuses a lost term";
  // The same doubt over another crash is one loss; another one needs another damage.
  EXPECT_EQ(Damaged().Crash(2).BootInDoubt(2, 2, 1).End().property(), "");
  EXPECT_EQ(Damaged().Crash(2).BootInDoubt(2, 3, 2).property(), "Durability");
  EXPECT_EQ(Damaged().Damage(2).Crash(2).BootInDoubt(2, 3, 2).End().property(), "");
}

TEST(Doubt, ForbidsVotesAndCampaigns) {
  EXPECT_EQ(Damaged().HardState(2, 3, 3).Vote(2, 3, 3).property(), "Durability");
  EXPECT_EQ(Damaged().HardState(2, 3, 2).BecomeLeader(2, 3).property(), "Election Safety");
  EXPECT_EQ(Damaged().Follow(2, 2, 0).property(), "");
}

TEST(Doubt, EndsWhenWhatIsCommittedIsThere) {
  const auto repaired = [](bool all) {
    Story story = Damaged();
    story.HardState(3, 1, 0).Append(3, kNoop1).Append(3, kA).Ack(3, 1, 1, 2);
    story.HardState(1, 3, 1).HardState(3, 3, 1).Vote(3, 3, 1).BecomeLeader(1, 3);
    story.Append(1, MakeEntry(3, 3)).HardState(2, 3, 0).Follow(2, 3, 1).Append(2, kNoop1);
    if (all) story.Append(2, kA).Append(2, MakeEntry(3, 3)).Ack(2, 3, 1, 3);
    return story.Trust(2);
  };
  EXPECT_EQ(repaired(true).property(), "");
  EXPECT_EQ(repaired(true).HardState(2, 4, 3).Vote(2, 4, 3).property(), "");
  EXPECT_EQ(repaired(false).property(), "Durability");
}

// Of five, 2 has promised to hold three entries of which one is committed; the others are replaced
// by a leader that knows nothing of them. What that one commits 2 had never promised.
TEST(Doubt, EndsWithoutWhatWasNeverCommitted) {
  const auto repaired = [](bool committed) {
    Story story(5);
    story.Elect(1, 1, {2, 3, 4}).Replicate(1, 1, kNoop1, {2, 3, 4});
    for (const Entry& entry : {kA, kB}) story.Append(1, entry).Append(2, entry);
    story.Ack(2, 1, 1, 3);
    if (committed) story.Append(3, kA).Append(4, kA).Ack(3, 1, 1, 2).Ack(4, 1, 1, 2).Commit(1, 2);
    story.Crash(2).Damage(2).BootInDoubt(2, 2, 1);
    story.Elect(3, 3, {4, 5});
    const uint64_t first = committed ? 3 : 2;
    story.Append(5, kNoop1);
    if (committed) story.Append(5, kA);
    for (uint64_t index = first; index < first + 2; ++index) {
      const Entry entry = MakeEntry(index, 3);
      for (uint64_t node = 3; node <= 5; ++node) story.Append(node, entry);
      story.Ack(4, 3, 3, index).Ack(5, 3, 3, index).Commit(3, index);
    }
    story.HardState(2, 3, 0).Follow(2, 3, 3).Append(2, kNoop1);
    return committed ? story.Trust(2) : story.Append(2, MakeEntry(2, 3)).Trust(2);
  };
  EXPECT_EQ(repaired(false).property(), "") << repaired(false).evidence();
  EXPECT_EQ(repaired(true).property(), "Durability");
}

// An acknowledgement that was true when it left counts, however late it arrives.
TEST(Doubt, DoesNotTakeBackWhatAnEarlierLeaderCounts) {
  Story story;
  story.Elect(1, 1, {2}).Replicate(1, 1, kNoop1, {2});
  story.Append(1, kA).Append(2, kA).Ack(2, 1, 1, 2);
  story.Crash(2).Damage(2).BootInDoubt(2, 2, 1);
  EXPECT_EQ(story.Commit(1, 2).property(), "");
}

}  // namespace
}  // namespace lockstep::sim
