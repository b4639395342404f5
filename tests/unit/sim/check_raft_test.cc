// Raft's five invariants: for each a story that keeps it and stories that break it. A checker that
// cannot fail checks nothing.
#include <string>

#include "core/proto/client.pb.h"
#include "tests/unit/sim/check_story.h"

namespace lockstep::sim {
namespace {

const Entry kNoop1 = MakeEntry(1, 1);
const Entry kA = MakeEntry(2, 1, "a");
const Entry kB = MakeEntry(3, 1, "b");

// Node 1 leads term 1 and has committed index 2, which node 2 acknowledged; node 3 has nothing.
Story Begun() {
  Story story;
  story.Elect(1, 1, {2});
  story.Replicate(1, 1, kNoop1, {2}).Replicate(1, 1, kA, {2});
  return story;
}

TEST(RaftChecks, OrdinaryLifeIsQuiet) {
  Story story;
  story.Elect(1, 1, {2, 3});
  story.Replicate(1, 1, kNoop1, {2, 3}).Replicate(1, 1, kA, {2});
  story.Apply(1, kNoop1).Apply(1, kA).Reply(1, 10, 2).Commit(2, 2).Apply(2, kNoop1).Apply(2, kA);
  // A deposed leader's tail is replaced.
  story.Append(1, kB).Elect(2, 2, {3});
  const Entry noop = MakeEntry(3, 2);
  story.Append(3, kA);  // node 3 catches up
  story.Replicate(2, 2, noop, {3});
  story.HardState(1, 2, 0).Follow(1, 2, 2).Truncate(1, 3, 2).Append(1, noop).Ack(1, 2, 2, 3);
  story.Commit(1, 3).Apply(1, noop).MoveBase(1, 2, 1).End();
  EXPECT_EQ(story.property(), "") << story.evidence();
}

TEST(ElectionSafety, TwoLeadersOfOneTerm) {
  Story story;
  story.Elect(1, 1, {2}).HardState(3, 1, 3).BecomeLeader(3, 1);
  EXPECT_EQ(story.property(), "Election Safety");
  EXPECT_NE(story.evidence().find("node 1 had become leader of that term"), std::string::npos)
      << story.evidence();
}

TEST(ElectionSafety, ALeaderNeedsAMajorityOfVotes) {
  EXPECT_EQ(Story(5).Elect(1, 1, {2}).property(), "Election Safety");
  EXPECT_EQ(Story(5).Elect(1, 1, {2, 3}).property(), "");
  EXPECT_EQ(Story(4).Elect(1, 1, {2}).property(), "Election Safety");
  EXPECT_EQ(Story(1).Elect(1, 1, {}).property(), "");
}

TEST(ElectionSafety, OneVoteATerm) {
  Story story;
  story.HardState(3, 1, 1).Vote(3, 1, 1).Vote(3, 1, 1);
  EXPECT_EQ(story.property(), "") << "the same answer again is allowed";
  EXPECT_EQ(story.Vote(3, 1, 2).property(), "Election Safety");
}

TEST(ElectionSafety, AVoteIsNotChangedInMemoryEither) {
  EXPECT_EQ(Story().HardState(3, 1, 1).HardState(3, 1, 2).property(), "Election Safety");
  EXPECT_EQ(Story().HardState(3, 1, 0).HardState(3, 1, 2).property(), "");
}

TEST(ElectionSafety, TermsDoNotGoBack) {
  EXPECT_EQ(Story().HardState(3, 2, 0).HardState(3, 1, 0).property(), "Election Safety");
}

TEST(ElectionSafety, NobodyGrantsWhatItHasNotDecided) {
  EXPECT_EQ(Story().Vote(3, 1, 2).property(), "Election Safety");
  EXPECT_EQ(Story().HardState(3, 1, 0).Vote(3, 1, 2).property(), "Election Safety");
}

TEST(ElectionSafety, AReplyOfAnEarlierTermMayLeaveLate) {
  EXPECT_EQ(Story().HardState(3, 1, 2).HardState(3, 2, 0).Vote(3, 1, 2).property(), "");
}

TEST(LeaderAppendOnly, ALeaderDropsNothing) {
  EXPECT_EQ(Begun().Append(1, kB).Truncate(1, 3).property(), "Leader Append-Only");
}

TEST(LeaderAppendOnly, ALeaderAppendsInItsOwnTerm) {
  Story story;
  story.Elect(1, 1, {2}).Append(1, kNoop1).Elect(2, 2, {3});
  EXPECT_EQ(story.Append(2, kNoop1).property(), "Leader Append-Only");
}

TEST(LogMatching, OneEntryPerIndexAndTerm) {
  Story story = Begun();
  story.HardState(3, 1, 0).Append(3, kNoop1).Append(3, MakeEntry(2, 1, "other"));
  EXPECT_EQ(story.property(), "Log Matching");
  EXPECT_NE(story.evidence().find("index 2"), std::string::npos) << story.evidence();
}

TEST(LogMatching, OnePrefixPerEntry) {
  Story story = Begun();
  // Node 3 holds the same entry at index 2, but after another first entry.
  story.HardState(3, 2, 0);
  EXPECT_EQ(story.Append(3, MakeEntry(1, 1, "x")).property(), "Log Matching");
}

TEST(LogMatching, NoGapsAndNoStepsBackInTerms) {
  EXPECT_EQ(Begun().HardState(3, 1, 1).Append(3, kA).property(), "Log Matching");
  Story story;
  story.Elect(1, 2, {2}).Append(1, MakeEntry(1, 2)).HardState(3, 2, 0).Append(3, MakeEntry(1, 2));
  EXPECT_EQ(story.Append(3, kA).property(), "Log Matching");
}

TEST(LogMatching, NobodyHoldsAnEntryOfTheFuture) {
  EXPECT_EQ(Story().Append(3, kNoop1).property(), "Log Matching");
}

TEST(LogMatching, AnAcknowledgementSpeaksTheTruth) {
  // A tail of term 1 that the leader of term 2 does not have.
  Story story = Begun();
  story.HardState(3, 1, 1).Append(3, kNoop1).Append(3, kA).Append(3, kB);
  story.Elect(2, 2, {1}).Append(2, MakeEntry(3, 2)).HardState(3, 2, 0);
  EXPECT_EQ(story.Ack(3, 2, 2, 3).property(), "Log Matching");
  // Acknowledging more than one has.
  EXPECT_EQ(Begun().HardState(3, 1, 1).Append(3, kNoop1).Ack(3, 1, 1, 2).property(),
            "Log Matching");
}

TEST(LeaderCompleteness, ANewLeaderHoldsWhatIsCommitted) {
  Story story = Begun();
  EXPECT_EQ(story.Elect(3, 2, {1}).property(), "Leader Completeness");
  EXPECT_NE(story.evidence().find("its log ends at index 0"), std::string::npos)
      << story.evidence();
  EXPECT_EQ(Begun().Elect(2, 2, {3}).property(), "");
}

TEST(LeaderCompleteness, AStaleWinnerOfAnEarlierTermIsHarmless) {
  // Node 3's votes for term 2 travel slowly; node 2 leads term 3 and commits before they arrive.
  Story story(5);
  story.Elect(1, 1, {2, 4}).HardState(3, 1, 0).Replicate(1, 1, kNoop1, {2, 3});
  story.HardState(3, 2, 3).HardState(4, 2, 3).Vote(4, 2, 3).HardState(5, 2, 3).Vote(5, 2, 3);
  story.Elect(2, 3, {4, 5}).Append(4, kNoop1).Append(5, kNoop1);
  const Entry noop = MakeEntry(2, 3);
  story.Replicate(2, 3, noop, {4, 5});
  EXPECT_EQ(story.BecomeLeader(3, 2).property(), "") << story.evidence();
}

TEST(LeaderCompleteness, LateCommitOfAnEarlierTermIsHeldAgainstLaterLeaders) {
  Story story;
  story.Elect(1, 1, {2}).Append(1, kNoop1).Elect(3, 2, {2});
  story.HardState(2, 2, 3).Append(2, kNoop1).Ack(2, 1, 1, 1);
  EXPECT_EQ(story.Commit(1, 1).property(), "Leader Completeness") << story.evidence();
}

TEST(LeaderCompleteness, OldTermsAreNotCommittedByCounting) {
  // Raft figure 8: index 1 of term 1 reaches a majority in term 2 but is not of that term.
  Story story;
  story.Elect(1, 1, {2}).Append(1, kNoop1).Append(2, kNoop1).Ack(2, 1, 1, 1);
  story.Follow(1, 1, 0).Elect(2, 2, {1}).Ack(1, 2, 2, 1);
  EXPECT_EQ(story.Commit(2, 1).property(), "Leader Completeness");
  EXPECT_NE(story.evidence().find("by counting"), std::string::npos);
}

TEST(StateMachineSafety, EverybodyCommitsTheSame) {
  Story story = Begun();
  // Node 3 holds a tail of a term that never won anything.
  story.HardState(3, 1, 1).Append(3, kNoop1).HardState(3, 2, 3);
  story.Append(3, MakeEntry(2, 2, "z"));
  EXPECT_EQ(story.Commit(3, 2).property(), "State Machine Safety");
  EXPECT_NE(story.evidence().find("node 1 committed index 2 of term 1; node 3 holds index 2 of "
                                  "term 2"),
            std::string::npos)
      << story.evidence();
}

TEST(StateMachineSafety, CommitMovesForwardAndStaysInTheLog) {
  EXPECT_EQ(Begun().Commit(1, 1).property(), "State Machine Safety");
  EXPECT_EQ(Begun().Commit(1, 3).property(), "State Machine Safety");
  EXPECT_EQ(Begun().Commit(2, 2).property(), "");
}

TEST(StateMachineSafety, OnlyALeaderKnowsFirst) {
  EXPECT_EQ(Begun().Append(2, kB).Commit(2, 3).property(), "State Machine Safety");
}

TEST(StateMachineSafety, CommittedEntriesAreNotDropped) {
  EXPECT_EQ(Begun().Commit(2, 2).HardState(2, 2, 0).Truncate(2, 2).property(),
            "State Machine Safety");
  // Node 2 does not know yet that it is committed.
  EXPECT_EQ(Begun().HardState(2, 2, 0).Truncate(2, 2).property(), "Durability");
}

TEST(StateMachineSafety, EntriesAreAppliedInOrderOnceCommitted) {
  EXPECT_EQ(Begun().Apply(1, kNoop1).Apply(1, kA).property(), "");
  EXPECT_EQ(Begun().Apply(1, kNoop1).Apply(1, kNoop1).property(), "State Machine Safety");
  EXPECT_EQ(Begun().Apply(1, kA).Reply(1, 1, 2).property(), "State Machine Safety") << "a gap";
  EXPECT_EQ(Begun().Apply(1, kA).End().property(), "State Machine Safety") << "a gap";
  EXPECT_EQ(Begun().Apply(2, kNoop1).property(), "State Machine Safety") << "not known there";
  EXPECT_EQ(Begun().Append(1, kB).Apply(1, kNoop1).Apply(1, kA).Apply(1, kB).property(),
            "State Machine Safety")
      << "not committed";
  EXPECT_EQ(Begun().Apply(1, kNoop1).Apply(1, MakeEntry(2, 1, "x")).property(),
            "State Machine Safety")
      << "another entry";
}

TEST(StateMachineSafety, EverybodyAnswersTheSame) {
  Story story = Begun();
  story.Commit(2, 2).Apply(1, kNoop1).Apply(2, kNoop1).Apply(1, kA, 1);
  EXPECT_EQ(story.property(), "");
  EXPECT_EQ(story.Apply(2, kA, 2).property(), "State Machine Safety");
}

TEST(StateMachineSafety, EqualPositionsHaveEqualTables) {
  Story story = Begun();
  const LogPosition at{Index(2), Term(1)};
  story.checkers().OnTableDigest(NodeId(1), GroupId(1), at, 5);
  story.checkers().OnTableDigest(NodeId(2), GroupId(1), at, 5);
  EXPECT_EQ(story.property(), "");
  story.checkers().OnTableDigest(NodeId(3), GroupId(1), at, 6);
  EXPECT_EQ(story.property(), "State Machine Safety");
}

// Node 2 has applied all that it knows, which is less than what node 1 has committed.
TEST(Freshness, AnAnswerKnowsWhatWasCommittedWhenItWasAskedFor) {
  const auto behind = [] {
    Story story;
    const Entry noop = MakeEntry(1, 1);
    story.Elect(1, 1, {2}).Replicate(1, 1, noop, {2}).Commit(2, 1).Apply(2, noop).Ask(2, 7);
    story.Replicate(1, 1, MakeEntry(2, 1, "a"), {2}).Ask(2, 8);
    return story;
  };
  EXPECT_EQ(behind().Reply(2, 7, 1).property(), "") << "asked before";
  EXPECT_EQ(behind().Reply(2, 8, 1).property(), "Freshness");
  EXPECT_EQ(behind().Reply(2, 8, 0).property(), "") << "a refusal";
}

TEST(Snapshots, RestartTheLogAtWhatWasCommitted) {
  Story story = Begun();
  story.HardState(3, 1, 0).Install(3, 2, 1).Append(3, kB).Ack(3, 1, 1, 2);
  EXPECT_EQ(story.property(), "") << story.evidence();
  EXPECT_EQ(Begun().Install(3, 3, 1).property(), "State Machine Safety") << "not committed";
  EXPECT_EQ(Begun().Install(3, 2, 2).property(), "State Machine Safety") << "another term";
  EXPECT_EQ(Begun().MoveBase(3, 2, 1).property(), "Durability") << "it never had these entries";
}

TEST(Snapshots, ReplaceADivergentLogAndKeepAnAgreeingOne) {
  Story story = Begun();
  story.HardState(3, 1, 1).Append(3, kNoop1).HardState(3, 2, 0).Append(3, MakeEntry(2, 2, "z"));
  story.Install(3, 2, 1).Append(3, MakeEntry(3, 2));
  EXPECT_EQ(story.property(), "") << story.evidence();
  Story agreeing = Begun();
  agreeing.Append(2, kB).Install(2, 2, 1).Append(2, MakeEntry(4, 1, "c"));
  EXPECT_EQ(agreeing.property(), "") << agreeing.evidence();
}

TEST(Snapshots, ExplainAGapInApplying) {
  Story story = Begun();
  story.HardState(3, 1, 0).Append(1, kB).Append(2, kB).Ack(2, 1, 1, 3).Commit(1, 3);
  story.MoveBase(3, 2, 1, /*installed=*/true).Append(3, kB).Commit(3, 3);
  // The table has gone on already when the snapshot is noted, at the end of the turn.
  story.Apply(3, kB).NoteInstalled(3, 2, 1).Reply(3, 1, 3);
  EXPECT_EQ(story.property(), "") << story.evidence();
}

TEST(Snapshots, NeverMoveTheCommitIndexBack) {
  Story story = Begun();
  story.HardState(3, 1, 0).Append(1, kB).Append(2, kB).Ack(2, 1, 1, 3).Commit(1, 3);
  story.MoveBase(3, 2, 1, /*installed=*/true).Append(3, kB).Commit(3, 3);
  EXPECT_EQ(story.MoveBase(3, 2, 1, /*installed=*/true).property(), "State Machine Safety");
}

TEST(Compaction, GoesForwardOverCommittedEntriesOnly) {
  EXPECT_EQ(Begun().MoveBase(1, 2, 1).MoveBase(1, 1, 1).property(), "Log Matching");
  EXPECT_EQ(Begun().Append(1, kB).MoveBase(1, 3, 1).property(), "State Machine Safety");
}

std::string CommandOf(uint64_t session, uint64_t sequence) {
  proto::Command command;
  command.set_session(session);
  command.set_sequence(sequence);
  command.mutable_put()->set_key("k");
  return command.SerializeAsString();
}

// A client that gave up on a command says so with the next one. What comes later is refused.
TEST(Sessions, ACommandThatTheClientIsDoneWithTakesNoEffect) {
  SessionModel sessions;
  sessions.OnCommitted({.session = SessionId(9), .sequence = 1, .first_outstanding = 1});
  sessions.OnCommitted({.session = SessionId(9), .sequence = 3, .first_outstanding = 3});
  sessions.OnCommitted({.session = SessionId(9), .sequence = 2, .first_outstanding = 1});
  sessions.OnCommitted({.session = SessionId(8), .sequence = 2, .first_outstanding = 1});
  sessions.OnCommitted({.session = SessionId(9), .sequence = 1, .first_outstanding = 1});
  const auto first_of = [&](uint64_t session, uint64_t sequence) {
    return sessions.FirstOf({.session = SessionId(session), .sequence = sequence});
  };
  EXPECT_EQ(first_of(9, 1), Index(1)) << "and stays executed";
  EXPECT_EQ(first_of(9, 2), Index());
  EXPECT_EQ(first_of(9, 3), Index(2));
  EXPECT_EQ(first_of(8, 2), Index(4)) << "another session";
  EXPECT_EQ(sessions.At(Index(3))->first, Index());
  EXPECT_EQ(sessions.duplicates(), 1u);
}

TEST(Sessions, TheLeastRecentlyUsedSessionExpires) {
  SessionModel sessions(/*sessions_max=*/2);
  CommandIdentity registration;
  registration.registers = true;
  const auto use = [&](uint64_t session, uint64_t sequence) {
    const CommandIdentity command = {.session = SessionId(session), .sequence = sequence};
    sessions.OnCommitted(command);
    return sessions.FirstOf(command);
  };
  sessions.OnCommitted(registration);  // 1
  sessions.OnCommitted(registration);  // 2
  EXPECT_EQ(use(2, 1), Index(3));
  EXPECT_EQ(use(1, 1), Index(4));
  sessions.OnCommitted(registration);  // 5; 2 was used before 1
  EXPECT_EQ(use(2, 2), Index());
  EXPECT_EQ(use(2, 1), Index(3)) << "and stays executed";
  EXPECT_EQ(use(1, 2), Index(8));
  sessions.OnCommitted({.session = SessionId(5), .sequence = 0, .closes = true});
  EXPECT_EQ(use(5, 1), Index());
  sessions.OnCommitted(registration);  // 11; there was room
  EXPECT_EQ(use(1, 3), Index(12));
}

TEST(Sessions, ACommandTakesEffectAtItsFirstIndex) {
  Story story;
  story.Elect(1, 1, {2}).Replicate(1, 1, kNoop1, {2});
  story.Replicate(1, 1, MakeEntry(2, 1, CommandOf(9, 1)), {2});
  story.Replicate(1, 1, MakeEntry(3, 1, CommandOf(9, 2)), {2});
  story.Replicate(1, 1, MakeEntry(4, 1, CommandOf(9, 1)), {2});
  ASSERT_EQ(story.property(), "") << story.evidence();
  const SessionModel& sessions = story.checkers().sessions(GroupId(1));
  EXPECT_EQ(sessions.At(Index(1))->first, Index());
  EXPECT_EQ(sessions.At(Index(3))->first, Index(3));
  EXPECT_EQ(sessions.At(Index(4))->first, Index(2));
  EXPECT_EQ(sessions.At(Index(5)), nullptr);
  EXPECT_EQ(sessions.FirstOf({SessionId(9), 2}), Index(3));
  EXPECT_EQ(sessions.duplicates(), 1u);
}

TEST(CommandIdentity, IsTotal) {
  EXPECT_EQ(IdentifyCommand(MakeEntry(1, 1)).sequence, 0u);
  EXPECT_EQ(IdentifyCommand(MakeEntry(1, 1, "\xff\xff garbage")).sequence, 0u);
  const CommandIdentity identity = IdentifyCommand(MakeEntry(1, 1, CommandOf(3, 4)));
  EXPECT_EQ(identity.session, SessionId(3));
  EXPECT_EQ(identity.sequence, 4u);
}

}  // namespace
}  // namespace lockstep::sim
