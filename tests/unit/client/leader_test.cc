// How a client finds the leader, retries, and pauses.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/unit/client/conversation.h"

namespace lockstep::client {
namespace {

uint64_t Other(uint64_t node) { return node % 3 + 1; }

TEST(Leader, TheFirstCommandRegistersASession) {
  Conversation talk;
  const uint64_t id = talk.Invoke(kv::MakePut("k", "v"));
  const auto registration = talk.Take();
  EXPECT_EQ(Place(registration), "s=0 q=0 f=0");
  EXPECT_TRUE(talk.Quiet()) << "the command waits for its session";
  talk.AnswerRegistered(registration, 7);
  const auto put = talk.Take();
  EXPECT_EQ(Place(put), "s=7 q=1 f=1");
  EXPECT_EQ(put.request.command().put().key(), "k");
  talk.Answer(put, proto::OK, 0, 9);
  EXPECT_EQ(talk.Outcome(id), "ok OK");
  EXPECT_EQ(talk.FullOutcome(id).result.index(), 9u);
  EXPECT_EQ(talk.wake_at(), kNever) << "nothing left to wait for";
  talk.Invoke(kv::MakePut("k", "w"));
  EXPECT_EQ(Place(talk.Take()), "s=7 q=2 f=2");
}

TEST(Leader, ReadsNeedNoSession) {
  Conversation talk;
  talk.Invoke(kv::MakePut("k", "v"));
  talk.Take();
  const uint64_t read = talk.Invoke(kv::MakeGet("k"));
  const auto get = talk.Take();
  EXPECT_TRUE(get.request.query().has_get());
  talk.Answer(get, proto::OK);
  EXPECT_EQ(talk.Outcome(read), "ok OK");
}

TEST(Leader, AHintIsFollowedAtOnceAndRemembered) {
  Conversation talk;
  const uint64_t id = talk.Invoke(kv::MakeGet("k"));
  const auto first = talk.Take();
  const uint64_t leader = Other(first.to.value());
  talk.Answer(first, proto::NOT_LEADER, leader);
  const auto second = talk.Take();
  EXPECT_EQ(second.to.value(), leader);
  talk.Answer(second, proto::OK);
  EXPECT_EQ(talk.Outcome(id), "ok OK");
  talk.Invoke(kv::MakeGet("k"));
  EXPECT_EQ(talk.Take().to.value(), leader);
}

// Two nodes name each other: one redirection without a pause, then pauses that grow.
TEST(Leader, AHintLoopIsSlowedDown) {
  Conversation talk;
  talk.Invoke(kv::MakeGet("k"), milliseconds(10000));
  auto sent = talk.Take();
  const uint64_t a = sent.to.value();
  const uint64_t b = Other(a);
  int requests = 1;
  while (talk.now() < kStart + milliseconds(5000)) {
    talk.Answer(sent, proto::NOT_LEADER, sent.to.value() == a ? b : a);
    sent = talk.Await();
    ++requests;
  }
  EXPECT_GT(requests, 100);
  EXPECT_LT(requests, 280) << "two each pause of 40 to 80 ms";
}

TEST(Leader, WithoutAHintTheNodesAreTriedInTurn) {
  Conversation talk;
  talk.Invoke(kv::MakeGet("k"));
  std::set<NodeId> asked;
  for (int i = 0; i < 3; ++i) {
    const auto sent = talk.Await();
    asked.insert(sent.to);
    talk.Answer(sent, proto::NOT_LEADER);
    EXPECT_TRUE(talk.Quiet()) << "a pause first";
  }
  EXPECT_EQ(asked.size(), 3u);
}

// A group's members change, perhaps more than once. But strangers that name each other are not
// believed for ever, and then it is another one's turn to name somebody.
TEST(Leader, HintsToStrangersAreFollowedForAWhile) {
  Conversation talk;
  talk.Invoke(kv::MakeGet("k"));
  auto sent = talk.Take();
  const uint64_t first = sent.to.value();
  for (const uint64_t stranger : {99u, 98u, 97u, 96u}) {
    talk.Answer(sent, proto::NOT_LEADER, stranger);
    sent = talk.Await();
    EXPECT_EQ(sent.to.value(), stranger);
  }
  talk.Answer(sent, proto::NOT_LEADER, 95);
  sent = talk.Await();
  EXPECT_EQ(sent.to.value(), first % 3 + 1) << "the next of those that it knows";
  talk.Answer(sent, proto::NOT_LEADER, 99);
  EXPECT_EQ(talk.Await().to.value(), 99u);
}

// One that names another one, which knows nobody, does not hold the others up (shard seed 2650).
TEST(Leader, AHintThatLeadsNowhereTakesNobodysTurn) {
  Conversation talk;
  talk.Invoke(kv::MakeGet("k"));
  std::set<uint64_t> asked;
  for (int i = 0; i < 6; ++i) {
    const auto sent = talk.Await();
    const uint64_t node = sent.to.value();
    asked.insert(node);
    talk.Answer(sent, proto::NOT_LEADER, node == 2 ? 1 : 0);  // 2 always names 1
  }
  EXPECT_EQ(asked.size(), 3u);
}

TEST(Leader, OnlyTheFirstOfManyRefusalsMovesTheGuess) {
  Conversation talk;
  talk.Register(7);
  talk.Invoke(kv::MakeGet("a"));
  talk.Invoke(kv::MakeGet("b"));
  const auto a = talk.Take();
  const auto b = talk.Take();
  const uint64_t next = Other(a.to.value());
  const uint64_t third = Other(next);
  talk.Answer(a, proto::NOT_LEADER, next);
  EXPECT_EQ(talk.Take().to.value(), next);
  talk.Answer(b, proto::NOT_LEADER, third);  // old news
  EXPECT_EQ(talk.Take().to.value(), next);
}

TEST(Leader, SilenceLeadsToTheNextNodeWithTheSameSequence) {
  Conversation talk;
  talk.Register(7);
  const uint64_t id = talk.Invoke(kv::MakeAppend("k", "v"));
  const auto first = talk.Take();
  EXPECT_EQ(talk.wake_at(), talk.now() + milliseconds(100));
  talk.Pass(milliseconds(99));
  EXPECT_TRUE(talk.Quiet());
  const auto second = talk.Await();
  EXPECT_EQ(second.to.value(), Other(first.to.value()));
  EXPECT_EQ(Place(second), Place(first));
  // The lost reply of the first attempt arrives after all.
  talk.Answer(first, proto::OK);
  EXPECT_EQ(talk.Outcome(id), "ok OK");
  talk.Answer(second, proto::OK);  // ignored
  talk.Answer(first, proto::OK);
  EXPECT_EQ(talk.wake_at(), kNever);
}

// Servers that answer more slowly than the first attempt's time-out would otherwise be asked ever
// more, and never catch up (simulation seeds 2623, 7186 and 8911 before the patience grew).
TEST(Leader, PatienceDoublesWithEachSilence) {
  Conversation talk;
  talk.Invoke(kv::MakeGet("k"), std::chrono::hours(1));
  Duration patience = milliseconds(100);
  for (int attempt = 0; attempt < 12; ++attempt) {
    talk.Await();
    EXPECT_EQ(talk.wake_at(), talk.now() + patience) << "attempt " << attempt;
    patience = std::min<Duration>(2 * patience, milliseconds(6400));
  }
}

TEST(Leader, LargeRequestsAreGivenMoreTime) {
  Conversation talk;
  talk.Register(7);
  talk.Invoke(kv::MakePut("k", std::string(size_t{3} << 20, 'v')), std::chrono::hours(1));
  talk.Await();
  EXPECT_EQ(talk.wake_at(), talk.now() + milliseconds(100) + 3 * milliseconds(100));
  talk.Await();
  EXPECT_EQ(talk.wake_at(), talk.now() + milliseconds(200) + 3 * milliseconds(100));
}

TEST(Leader, OverloadedIsRetriedAtTheSameNode) {
  Conversation talk;
  talk.Invoke(kv::MakeGet("k"));
  const auto first = talk.Take();
  talk.Answer(first, proto::OVERLOADED);
  EXPECT_GE(talk.wake_at(), talk.now() + milliseconds(5));
  EXPECT_LE(talk.wake_at(), talk.now() + milliseconds(10));
  EXPECT_EQ(talk.Await().to, first.to);
}

TEST(Leader, ARefusedConnectionIsNoSilence) {
  Conversation talk;
  talk.Register(7);
  const uint64_t id = talk.Invoke(kv::MakePut("k", "v"), milliseconds(50));
  const auto first = talk.Take();
  talk.Step(Failed{first.attempt, /*undelivered=*/true});
  const auto second = talk.Await();
  EXPECT_NE(second.to, first.to);
  talk.Step(Failed{second.attempt, /*undelivered=*/true});
  while (talk.Outcome(id).empty()) {
    talk.Step(Failed{talk.Await().attempt, /*undelivered=*/true});
    if (talk.wake_at() >= kStart + milliseconds(50)) talk.Pass(milliseconds(50));
  }
  EXPECT_EQ(talk.Outcome(id), "not executed DEADLINE_EXCEEDED");
}

TEST(Leader, UnreadableAnswersAreNoAnswers) {
  Conversation talk;
  talk.Register(7);
  const uint64_t id = talk.Invoke(kv::MakePut("k", "v"));
  const auto first = talk.Take();
  talk.Step(Reply{first.attempt, Bytes::Copy("\xff\xff")});
  const auto second = talk.Await();
  EXPECT_EQ(Place(second), Place(first));
  talk.Step(Reply{second.attempt, Bytes()});  // an empty reply has no code
  EXPECT_EQ(talk.Outcome(id), "");
  talk.Pass(milliseconds(1000));
  EXPECT_EQ(talk.Outcome(id), "unknown DEADLINE_EXCEEDED");
}

TEST(Leader, LeavingClosesTheSession) {
  Conversation talk;
  talk.Step(Leave{});
  EXPECT_TRUE(talk.Quiet()) << "no session, nothing to close";
  talk.Register(7);
  talk.Invoke(kv::MakeGet("k"));
  const auto get = talk.Take();
  talk.Step(Leave{});
  EXPECT_TRUE(talk.Quiet()) << "not with an operation under way";
  talk.Answer(get, proto::OK);
  talk.Step(Leave{});
  const auto leave = talk.Take();
  EXPECT_TRUE(leave.request.command().has_close_session());
  EXPECT_EQ(Place(leave), "s=7 q=0 f=0");
  talk.Answer(leave, proto::OK);
  EXPECT_EQ(talk.wake_at(), kNever);
  talk.Register(8);
}

TEST(Leader, Options) {
  EXPECT_TRUE(ValidateClientOptions(ThreeNodes()).ok());
  ClientOptions options = ThreeNodes();
  options.nodes = {};
  EXPECT_FALSE(ValidateClientOptions(options).ok());
  options.nodes = {NodeId(1), NodeId(1)};
  EXPECT_FALSE(ValidateClientOptions(options).ok());
  options.nodes = {NodeId()};
  EXPECT_FALSE(ValidateClientOptions(options).ok());
  options = ThreeNodes();
  options.backoff_max = milliseconds(1);
  EXPECT_FALSE(ValidateClientOptions(options).ok());
  options = ThreeNodes();
  options.attempt_timeout_per_mib = milliseconds(-1);
  EXPECT_FALSE(ValidateClientOptions(options).ok());
  options = ThreeNodes();
  options.outstanding_max = 0;
  EXPECT_FALSE(ValidateClientOptions(options).ok());
}

}  // namespace
}  // namespace lockstep::client
