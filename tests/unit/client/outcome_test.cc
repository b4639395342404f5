// The three outcomes: an operation is "not executed" only when that is certain.
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/client/conversation.h"

namespace lockstep::client {
namespace {

class Outcomes : public ::testing::Test {
 protected:
  void SetUp() override { talk_.Register(7); }
  Conversation talk_;
};

TEST_F(Outcomes, NoAttemptWasSent) {
  Conversation talk;  // no session yet
  const uint64_t id = talk.Invoke(kv::MakePut("k", "v"), milliseconds(50));
  talk.Pass(milliseconds(50));
  EXPECT_EQ(talk.Outcome(id), "not executed DEADLINE_EXCEEDED");
  EXPECT_EQ(talk.wake_at(), kNever) << "nobody needs the session any more";
  // The answer comes late; nobody listens, and the next command registers anew.
  talk.AnswerRegistered(talk.Take(), 9);
  talk.Invoke(kv::MakePut("k", "v"));
  talk.AnswerRegistered(talk.Take(), 10);
  EXPECT_EQ(Place(talk.Take()), "s=10 q=1 f=1");
}

TEST_F(Outcomes, DeadlineInThePast) {
  const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"), milliseconds(-1));
  EXPECT_EQ(talk_.Outcome(id), "not executed DEADLINE_EXCEEDED");
  EXPECT_TRUE(talk_.Quiet());
}

TEST_F(Outcomes, EveryAttemptRefused) {
  const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"), milliseconds(200));
  while (talk_.Outcome(id).empty()) {
    if (talk_.Quiet()) {
      talk_.Pass(milliseconds(1));
    } else {
      talk_.Answer(talk_.Take(), proto::NOT_LEADER);
    }
  }
  EXPECT_EQ(talk_.Outcome(id), "not executed DEADLINE_EXCEEDED");
}

TEST_F(Outcomes, AnAttemptWithoutReplyStaysOpenForEver) {
  const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"), milliseconds(1000));
  talk_.Take();  // lost
  while (talk_.Outcome(id).empty()) {
    if (talk_.Quiet()) {
      talk_.Pass(milliseconds(1));
    } else {
      talk_.Answer(talk_.Take(), proto::NOT_LEADER);
    }
  }
  EXPECT_EQ(talk_.Outcome(id), "unknown DEADLINE_EXCEEDED");
}

// Late replies are matched with a bounded number of attempts; those beyond it count as open.
TEST_F(Outcomes, MoreOpenAttemptsThanAreTracked) {
  const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"), milliseconds(5000));
  std::vector<Conversation::Sent> open;
  for (int i = 0; i < 20; ++i) {
    open.push_back(talk_.Await());
    talk_.Answer(open.back(), proto::TIMEOUT);
  }
  for (const auto& sent : open) talk_.Answer(sent, proto::NOT_LEADER);
  while (talk_.Outcome(id).empty()) {
    talk_.Pass(milliseconds(1));
    if (!talk_.Quiet()) talk_.Answer(talk_.Take(), proto::NOT_LEADER);
  }
  EXPECT_EQ(talk_.Outcome(id), "unknown DEADLINE_EXCEEDED");
}

TEST_F(Outcomes, ALateRefusalClosesItsAttempt) {
  const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"), milliseconds(150));
  const auto first = talk_.Take();
  const auto second = talk_.Await();
  talk_.Answer(second, proto::OVERLOADED);
  talk_.Answer(second, proto::OVERLOADED);  // twice: the copy changes nothing
  talk_.Answer(first, proto::NOT_LEADER);   // late
  while (!talk_.Quiet()) talk_.Take();
  std::string outcome;
  while ((outcome = talk_.Outcome(id)).empty()) {
    if (talk_.Quiet()) {
      talk_.Pass(milliseconds(1));
    } else {
      talk_.Answer(talk_.Take(), proto::OVERLOADED);
    }
  }
  EXPECT_EQ(outcome, "not executed DEADLINE_EXCEEDED");
}

TEST_F(Outcomes, LeadershipLostAndTimeoutAreUnknown) {
  for (const proto::Code code : {proto::LEADERSHIP_LOST, proto::TIMEOUT}) {
    const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"), milliseconds(60));
    const auto first = talk_.Take();
    talk_.Answer(first, code);
    const auto second = talk_.Await();
    EXPECT_EQ(Place(second), Place(first));
    talk_.Answer(second, proto::NOT_LEADER);
    while (talk_.Outcome(id).empty()) {
      if (!talk_.Quiet()) talk_.Answer(talk_.Take(), proto::NOT_LEADER);
      talk_.Pass(milliseconds(1));
    }
    EXPECT_EQ(talk_.Outcome(id), "unknown DEADLINE_EXCEEDED");
    while (!talk_.Quiet()) talk_.Take();
  }
}

TEST_F(Outcomes, AReadAtItsDeadlineHasFailed) {
  const uint64_t id = talk_.Invoke(kv::MakeGet("k"), milliseconds(300));
  talk_.Pass(milliseconds(300));
  EXPECT_EQ(talk_.Outcome(id), "not executed DEADLINE_EXCEEDED");
}

TEST_F(Outcomes, ConflictIsAReply) {
  const uint64_t id = talk_.Invoke(kv::MakeCompareAndSwap("k", "a", "b"));
  talk_.Answer(talk_.Take(), proto::CONFLICT);
  EXPECT_EQ(talk_.Outcome(id), "ok CONFLICT");
}

TEST_F(Outcomes, FinalRefusals) {
  struct {
    proto::Code code;
    uint64_t index;
    const char* alone;
    const char* after_silence;
  } const rows[] = {
      {proto::INVALID_ARGUMENT, 0, "not executed INVALID_ARGUMENT", "unknown INVALID_ARGUMENT"},
      {proto::TOO_LARGE, 0, "not executed OUT_OF_RANGE", "unknown OUT_OF_RANGE"},
      // With an index it is the command's one reply, whichever attempt it was.
      {proto::TOO_LARGE, 9, "not executed OUT_OF_RANGE", "not executed OUT_OF_RANGE"},
      {proto::SEQUENCE_STALE, 0, "not executed FAILED_PRECONDITION", "unknown FAILED_PRECONDITION"},
      {proto::UNKNOWN_GROUP, 0, "not executed NOT_FOUND", "unknown NOT_FOUND"},
  };
  for (const auto& row : rows) {
    const std::string name = absl::StrCat(proto::Code_Name(row.code), " ", row.index);
    uint64_t id = talk_.Invoke(kv::MakeAppend("k", "v"));
    talk_.Answer(talk_.Take(), row.code, 0, row.index);
    EXPECT_EQ(talk_.Outcome(id), row.alone) << name;
    EXPECT_EQ(talk_.FullOutcome(id).result.code(), row.code) << name;
    id = talk_.Invoke(kv::MakeAppend("k", "v"));
    talk_.Take();  // lost
    talk_.Answer(talk_.Await(), row.code, 0, row.index);
    EXPECT_EQ(talk_.Outcome(id), row.after_silence) << name;
  }
}

// It may last until people do something: the caller is told at once, and of what is missing.
TEST_F(Outcomes, NoSpaceIsNotTriedAgain) {
  const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"));
  const auto sent = talk_.Take();
  proto::ClientReply reply;
  reply.mutable_result()->set_code(proto::NO_SPACE);
  reply.mutable_result()->set_free_bytes(5);
  reply.mutable_result()->set_need_bytes(9);
  talk_.Answer(sent, reply);
  EXPECT_EQ(talk_.Outcome(id), "not executed RESOURCE_EXHAUSTED");
  EXPECT_EQ(talk_.FullOutcome(id).result.code(), proto::NO_SPACE);
  EXPECT_EQ(talk_.FullOutcome(id).result.free_bytes(), 5u);
  EXPECT_EQ(talk_.FullOutcome(id).result.need_bytes(), 9u);
  EXPECT_TRUE(talk_.Quiet());
}

// An earlier attempt may be executed still.
TEST_F(Outcomes, NoSpaceSpeaksForItsOwnAttemptAlone) {
  const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"), milliseconds(5000));
  talk_.Answer(talk_.Take(), proto::LEADERSHIP_LOST);
  talk_.Answer(talk_.Await(), proto::NO_SPACE);
  EXPECT_EQ(talk_.Outcome(id), "unknown RESOURCE_EXHAUSTED");
}

TEST_F(Outcomes, WhatTheClientKeepsItselfIsRefused) {
  EXPECT_EQ(talk_.Outcome(talk_.Invoke(kv::MakeRegisterSession(1))),
            "not executed INVALID_ARGUMENT");
  EXPECT_EQ(talk_.Outcome(talk_.Invoke(kv::MakeCloseSession(SessionId(7)))),
            "not executed INVALID_ARGUMENT");
  EXPECT_EQ(talk_.Outcome(talk_.Invoke(kv::InSession(kv::MakePut("k", "v"), SessionId(7), 1, 1))),
            "not executed INVALID_ARGUMENT");
}

TEST(Window, QueueIsBounded) {
  ClientOptions options = ThreeNodes();
  options.outstanding_max = 2;
  options.queue_max = 3;
  Conversation talk(options);
  std::vector<uint64_t> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(talk.Invoke(kv::MakeGet("k")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(talk.Outcome(ids[static_cast<size_t>(i)]), "") << i;
  EXPECT_EQ(talk.Outcome(ids[5]), "not executed RESOURCE_EXHAUSTED");
  EXPECT_EQ(talk.FullOutcome(ids[5]).result.code(), proto::OVERLOADED);
  const auto first = talk.Take();
  talk.Take();
  EXPECT_TRUE(talk.Quiet()) << "two under way";
  talk.Answer(first, proto::OK);
  talk.Take();
  EXPECT_TRUE(talk.Quiet());
}

// The session keeps replies for a span of sequences, so a stuck command holds those far behind it.
TEST(Window, SequencesStayWithinTheSpan) {
  ClientOptions options = ThreeNodes();
  options.outstanding_max = 3;
  Conversation talk(options);
  talk.Register(7);
  for (int i = 0; i < 5; ++i) talk.Invoke(kv::MakePut("k", "v"));
  const auto two = talk.Take();
  const auto three = talk.Take();
  const auto four = talk.Take();
  EXPECT_EQ(Place(two), "s=7 q=2 f=2");
  EXPECT_EQ(Place(three), "s=7 q=3 f=2");
  EXPECT_EQ(Place(four), "s=7 q=4 f=2");
  talk.Answer(three, proto::OK);
  talk.Answer(four, proto::OK);
  EXPECT_TRUE(talk.Quiet()) << "sequence 5 would be three past 2";
  talk.Invoke(kv::MakeGet("k"));
  EXPECT_TRUE(talk.Take().request.has_query()) << "reads pass";
  talk.Answer(two, proto::OK);
  EXPECT_EQ(Place(talk.Take()), "s=7 q=5 f=5");
  EXPECT_EQ(Place(talk.Take()), "s=7 q=6 f=5");
}

TEST(Window, ARetryAnnouncesTheMarkOfNow) {
  Conversation talk;
  talk.Register(7);
  talk.Invoke(kv::MakePut("a", ""));
  talk.Invoke(kv::MakePut("b", ""));
  const auto a = talk.Take();
  const auto b = talk.Take();
  EXPECT_EQ(Place(b), "s=7 q=3 f=2");
  talk.Answer(a, proto::OK);
  EXPECT_EQ(Place(talk.Await()), "s=7 q=3 f=3");
}

TEST(Session, LostBeforeAnythingWasExecutedGoesOnInTheNext) {
  Conversation talk;
  talk.Register(7);
  const uint64_t id = talk.Invoke(kv::MakeAppend("k", "v"));
  talk.Answer(talk.Take(), proto::NOT_LEADER);
  talk.Answer(talk.Await(), proto::SESSION_UNKNOWN);
  talk.AnswerRegistered(talk.Take(), 20);
  const auto again = talk.Take();
  EXPECT_EQ(Place(again), "s=20 q=1 f=1");
  EXPECT_EQ(again.request.command().append().value(), "v");
  talk.Answer(again, proto::OK);
  EXPECT_EQ(talk.Outcome(id), "ok OK");
}

TEST(Session, LostAfterSilenceIsUnknown) {
  Conversation talk;
  talk.Register(7);
  const uint64_t id = talk.Invoke(kv::MakeAppend("k", "v"));
  talk.Take();  // lost
  talk.Answer(talk.Await(), proto::SESSION_UNKNOWN);
  EXPECT_EQ(talk.Outcome(id), "unknown ABORTED");
  EXPECT_TRUE(talk.Quiet()) << "nobody needs a session now";
}

// Several under way when the session is lost: each by its own attempts.
TEST(Session, LostWithSeveralUnderWay) {
  Conversation talk;
  talk.Register(7);
  const uint64_t a = talk.Invoke(kv::MakePut("a", ""));
  const uint64_t b = talk.Invoke(kv::MakePut("b", ""));
  const uint64_t c = talk.Invoke(kv::MakePut("c", ""));
  const uint64_t d = talk.Invoke(kv::MakePut("d", ""));
  const uint64_t e = talk.Invoke(kv::MakePut("e", ""));
  const auto sent_a = talk.Take();
  const auto sent_b = talk.Take();
  const auto sent_c = talk.Take();
  const auto sent_d = talk.Take();
  const auto sent_e = talk.Take();
  talk.Answer(sent_d, proto::TIMEOUT);     // pauses, open
  talk.Answer(sent_e, proto::OVERLOADED);  // pauses, not open
  talk.Answer(sent_a, proto::SESSION_UNKNOWN);
  EXPECT_EQ(talk.Outcome(d), "unknown ABORTED");
  const auto registration = talk.Take();
  talk.AnswerRegistered(registration, 20);
  const auto again_a = talk.Take();
  const auto again_e = talk.Take();
  EXPECT_EQ(again_a.request.command().put().key(), "a");
  EXPECT_EQ(Place(again_a), "s=20 q=1 f=1");
  EXPECT_EQ(Place(again_e), "s=20 q=2 f=1");
  talk.Answer(sent_b, proto::OK);  // had been executed before the session was lost
  EXPECT_EQ(talk.Outcome(b), "ok OK");
  talk.Answer(sent_c, proto::NOT_LEADER);
  const auto again_c = talk.Take();
  EXPECT_EQ(Place(again_c), "s=20 q=3 f=1");
  // Copies of answers from the lost session mean nothing to the attempts of the new one.
  talk.Answer(sent_a, proto::SESSION_UNKNOWN);
  talk.Answer(sent_c, proto::SESSION_UNKNOWN);
  EXPECT_EQ(talk.client().session().value(), 20u);
  for (const auto& sent : {again_a, again_c, again_e}) talk.Answer(sent, proto::OK);
  for (const uint64_t id : {a, c, e}) EXPECT_EQ(talk.Outcome(id), "ok OK");
}

TEST(Session, SilenceInALostSessionIsUnknown) {
  Conversation talk;
  talk.Register(7);
  const uint64_t a = talk.Invoke(kv::MakePut("a", ""), milliseconds(5000));
  const uint64_t b = talk.Invoke(kv::MakePut("b", ""), milliseconds(5000));
  talk.Answer(talk.Take(), proto::SESSION_UNKNOWN);
  talk.Take();  // b: lost
  talk.AnswerRegistered(talk.Take(), 20);
  talk.Answer(talk.Take(), proto::OK);
  EXPECT_EQ(talk.Outcome(a), "ok OK");
  talk.Pass(milliseconds(100));
  EXPECT_EQ(talk.Outcome(b), "unknown ABORTED") << "a retry would execute it twice";
}

// The news comes with a late answer to an old attempt, while the command pauses before a new one.
TEST(Session, LostWhilePausing) {
  Conversation talk;
  talk.Register(7);
  const uint64_t id = talk.Invoke(kv::MakePut("a", ""));
  const auto first = talk.Take();
  const auto second = talk.Await();
  talk.Answer(second, proto::OVERLOADED);
  talk.Answer(first, proto::SESSION_UNKNOWN);
  talk.AnswerRegistered(talk.Take(), 20);
  talk.Answer(talk.Take(), proto::OK);
  EXPECT_EQ(talk.Outcome(id), "ok OK");
}

TEST(Session, RegistrationIsRetriedAndAnyOfItsRepliesWillDo) {
  Conversation talk;
  talk.Invoke(kv::MakePut("k", "v"));
  const auto first = talk.Take();
  const auto second = talk.Await();
  EXPECT_TRUE(second.request.command().has_register_session());
  EXPECT_EQ(second.request.command().register_session().nonce(),
            first.request.command().register_session().nonce());
  talk.AnswerRegistered(first, 11);
  EXPECT_EQ(Place(talk.Take()), "s=11 q=1 f=1");
  talk.AnswerRegistered(second, 12);  // too late: one session is enough
  EXPECT_EQ(talk.client().session().value(), 11u);
}

TEST(Session, ARefusedRegistrationEndsThoseWhoWait) {
  Conversation talk;
  const uint64_t a = talk.Invoke(kv::MakePut("a", ""));
  const uint64_t b = talk.Invoke(kv::MakePut("b", ""));
  talk.Answer(talk.Take(), proto::UNKNOWN_GROUP);
  EXPECT_EQ(talk.Outcome(a), "not executed NOT_FOUND");
  EXPECT_EQ(talk.Outcome(b), "not executed NOT_FOUND");
  EXPECT_EQ(talk.wake_at(), kNever);
}

// What was spent at the replica is told as it was said; the rest of the round trip is the way. What
// no replica can mean is left out: it comes from elsewhere.
TEST_F(Outcomes, SayWhereTheTimeOfTheAnswerWent) {
  const struct {
    const char* name;
    uint64_t log_us, apply_us, want_us, want_hop_us;
  } rows[] = {
      {"as it should be", 20'000, 5'000, 25'000, 15'000},
      {"a clock that is fast", 50'000, 0, 50'000, 0},
      {"nothing", 0, 0, 0, 40'000},
      {"nonsense", UINT64_MAX, 1, 0, 40'000},
  };
  for (const auto& row : rows) {
    const uint64_t id = talk_.Invoke(kv::MakePut("k", "v"));
    const Conversation::Sent sent = talk_.Take();
    talk_.Pass(milliseconds(40));
    proto::ClientReply reply;
    reply.mutable_result()->set_code(proto::OK);
    reply.mutable_stages()->set_log_us(row.log_us);
    reply.mutable_stages()->set_apply_us(row.apply_us);
    talk_.Answer(sent, reply);
    ASSERT_EQ(talk_.Outcome(id), "ok OK") << row.name;
    EXPECT_EQ(SumUs(talk_.FullOutcome(id).stages), row.want_us) << row.name;
    EXPECT_EQ(Microseconds(talk_.FullOutcome(id).hop), row.want_hop_us) << row.name;
  }
}

}  // namespace
}  // namespace lockstep::client
