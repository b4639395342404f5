// Sessions of a router: one for each shard that is written to, and one at the controller.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/controller/admin.h"
#include "tests/unit/client/router_talk.h"

namespace lockstep::client {
namespace {

class RouterSessions : public testing::Test {
 protected:
  static RouterOptions Options() {
    RouterOptions options = QuickRouter();
    options.shard_sessions_max = 2;
    return options;
  }
  RouterSessions() : talk(Options()) {
    talk.cluster.Join({1});
    talk.cluster.Settle();
  }
  // The session in which a put to the shard goes, and the shards whose sessions are closed with it.
  uint64_t Put(uint32_t shard) {
    closed.clear();
    const uint64_t id = talk.Invoke(kv::MakePut(KeyOf(shard), "v"));
    uint64_t session = 0;
    while (!talk.Quiet()) {
      const auto sent = talk.Take();
      const proto::Command& command = sent.request.command();
      if (command.has_put()) session = command.session();
      if (command.has_close_session()) closed.push_back(command.shard());
      talk.Carry(sent);
    }
    EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
    return session;
  }
  RouterTalk talk;
  std::vector<uint32_t> closed;
};

TEST_F(RouterSessions, TheLeastRecentlyUsedIsLeft) {
  const uint64_t zero = Put(0);
  const uint64_t one = Put(1);
  EXPECT_TRUE(closed.empty());
  EXPECT_EQ(Put(0), zero);
  EXPECT_NE(Put(2), 0u);
  EXPECT_EQ(closed, std::vector<uint32_t>{1});
  EXPECT_EQ(talk.router().shard_clients(), 2u);
  EXPECT_EQ(Put(0), zero);
  EXPECT_NE(Put(1), one) << "a new one";
  EXPECT_EQ(closed, std::vector<uint32_t>{2});
}

TEST_F(RouterSessions, ThoseAtWorkAreKept) {
  Put(0);
  for (uint32_t shard = 0; shard < kShards; ++shard) talk.Invoke(kv::MakeGet(KeyOf(shard)));
  EXPECT_EQ(talk.router().shard_clients(), size_t{kShards});
  talk.CarryAll();
  EXPECT_EQ(talk.router().shard_clients(), 2u);
  EXPECT_EQ(talk.router().unfinished(), 0u);
}

// The answer to a client that was left must not be taken for one to its successor.
TEST_F(RouterSessions, ALateAnswerFindsNobody) {
  Put(0);
  talk.Invoke(kv::MakeGet(KeyOf(0)), milliseconds(50));
  const auto late = talk.Take();
  talk.Pass(milliseconds(50));
  Put(1);
  Put(2);
  ASSERT_EQ(closed, std::vector<uint32_t>{0});
  const uint64_t id = talk.Invoke(kv::MakeGet(KeyOf(0)));
  const auto fresh = talk.Take();
  talk.CarryAll();  // Another one is left for it.
  EXPECT_NE(fresh.attempt, late.attempt);
  proto::ClientReply wrong;
  wrong.mutable_result()->set_code(proto::OK);
  wrong.mutable_result()->set_value("stale");
  talk.Answer(late, wrong);
  EXPECT_EQ(talk.OutcomeOf(id), "");
  talk.Step(Failed{late.attempt, /*undelivered=*/true});
  talk.Step(Failed{AttemptId(UINT64_MAX)});
  EXPECT_TRUE(talk.Quiet());
  talk.Carry(fresh);
  talk.CarryAll();
  ASSERT_EQ(talk.OutcomeOf(id), "ok OK");
  EXPECT_EQ(talk.FullOutcome(id).result.value(), "v");
}

TEST_F(RouterSessions, LeavingClosesAll) {
  Put(0);
  Put(1);
  EXPECT_EQ(talk.Do(controller::MakeMove(ShardId(0), GroupId(1))), "ok OK");
  const uint64_t id = talk.Invoke(kv::MakeGet(KeyOf(0)));
  talk.Step(Leave{});
  EXPECT_FALSE(talk.Done(id)) << "ignored while somebody waits";
  talk.CarryAll();
  EXPECT_EQ(talk.OutcomeOf(id), "ok OK");
  talk.Step(Leave{});
  int closes = 0;
  while (!talk.Quiet()) closes += talk.Take().request.command().has_close_session();
  EXPECT_EQ(closes, 3);
  EXPECT_EQ(talk.router().shard_clients(), 0u);
  EXPECT_EQ(talk.wake_at(), kNever);
  EXPECT_EQ(talk.Do(kv::MakePut(KeyOf(0), "again")), "ok OK");
}

// --- The administrator's commands

TEST_F(RouterSessions, AChangeIsMadeOnceWhateverIsLost) {
  RouterTalk admin;
  const uint64_t id = admin.Invoke(controller::JoinOf({7}, kShards));
  while (!admin.Quiet()) {
    const auto sent = admin.Take();
    const proto::ClientReply reply = admin.Execute(sent);
    if (!sent.request.command().has_join()) admin.Answer(sent, reply);
  }
  EXPECT_EQ(admin.cluster.num(), 1u);
  const Outcome& outcome = admin.Await(id);
  EXPECT_EQ(RouterTalk::Describe(outcome), "ok OK");
  EXPECT_TRUE(outcome.result.replayed());
  EXPECT_EQ(outcome.result.configuration_num(), 1u);
  EXPECT_EQ(admin.cluster.num(), 1u);
}

TEST_F(RouterSessions, WhatTheControllerRefusesIsItsReply) {
  EXPECT_EQ(talk.Do(controller::JoinOf({1}, kShards)), "ok ALREADY_EXISTS");
  EXPECT_EQ(talk.Do(controller::LeaveOf({9})), "ok NOT_FOUND");
  EXPECT_EQ(talk.Do(controller::LeaveOf({1})), "ok FAILED_PRECONDITION");
  EXPECT_EQ(talk.Do(controller::MakeUnpin(ShardId(kShards))), "ok NOT_FOUND");
}

TEST_F(RouterSessions, ConfigurationsCanBeRead) {
  const uint64_t id = talk.Invoke(controller::MakeGetConfiguration());
  EXPECT_EQ(talk.Await(id).result.configuration().num(), 1u);
  EXPECT_EQ(talk.Do(controller::MakeGetConfiguration(controller::ConfigurationNum(5))),
            "ok NOT_FOUND");
}

}  // namespace
}  // namespace lockstep::client
