// One agent by itself: what it asks for and proposes, when, and how often. Its group and the others
// are this test.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "core/shardkv/agent.h"
#include "core/shardkv/command.h"
#include "core/shardkv/describe.h"

namespace lockstep::shardkv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kSelf = 1;

proto::ShardTenure Tenure(uint32_t shard, proto::ShardState state, uint64_t source = 0) {
  proto::ShardTenure tenure;
  tenure.set_shard(shard);
  tenure.set_since(2);
  tenure.set_state(state);
  tenure.set_next_sequence(1);
  if (source == 0) return tenure;
  tenure.mutable_source()->set_gid(source);
  for (uint64_t i = 1; i <= 3; ++i)
    tenure.mutable_source()->add_members()->set_node(10 * source + i);
  tenure.set_source_ended(2);
  return tenure;
}

// Something is left of it to be deleted.
proto::ShardTenure Dropped(uint32_t shard) {
  proto::ShardTenure tenure = Tenure(shard, proto::SHARD_DROPPED);
  tenure.mutable_summary()->set_content(77);
  return tenure;
}

proto::ShardStates With(std::vector<proto::ShardTenure> tenures) {
  proto::ShardStates states;
  states.set_num(2);
  states.set_member(true);
  states.set_joined(1);
  for (const proto::ShardTenure& tenure : tenures) *states.add_tenures() = tenure;
  return states;
}

proto::ShardMessage AnswerTo(const proto::ShardMessage& asked) {
  proto::ShardMessage answer;
  answer.set_to_group(asked.from_group());
  answer.set_from_group(asked.to_group());
  answer.set_shard(asked.shard());
  answer.set_since(asked.since());
  answer.set_sequence(asked.sequence());
  return answer;
}

// The last part, whole.
proto::ShardMessage PartFor(const proto::ShardMessage& asked) {
  proto::ShardMessage answer = AnswerTo(asked);
  proto::TenurePart& part = *answer.mutable_read_answer()->mutable_part();
  proto::ShardRecord& record = *part.add_records();
  record.set_key(absl::StrCat("d", asked.shard()));
  record.set_value("value");
  part.set_checksum(ChecksumOf(part));
  part.mutable_summary()->set_version(1);
  return answer;
}

class Leader {
 public:
  explicit Leader(std::vector<proto::ShardTenure> tenures, const AgentOptions& options = {})
      : agent(options, GroupId(kSelf), Rng(1), pace) {
    agent.Lead(now, With(std::move(tenures)));
  }

  // Everything that it wants done now.
  AgentOutput Act() {
    ++acts;
    AgentOutput out;
    agent.Act(now, &out);
    return out;
  }
  // Everything that it wants done in the time; nobody answers.
  AgentOutput ActFor(Duration span) {
    AgentOutput out;
    const Instant until = now + span;
    while (agent.wake_at() <= until) {
      now = std::max(now, agent.wake_at());
      ++acts;
      agent.Act(now, &out);
    }
    now = until;
    return out;
  }

  Pace pace{0};
  Agent agent;
  Instant now = Instant(seconds(100));
  uint64_t acts = 0;
};

// --- Proposals

TEST(AgentTasks, AProposalIsMadeAgainOnlyAfterItWasLost) {
  Leader leader({Dropped(0)});
  AgentOutput out = leader.Act();
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_TRUE(out.proposals[0].command.has_sweep_shard());
  const uint64_t number = out.proposals[0].number;
  EXPECT_TRUE(leader.ActFor(seconds(60)).proposals.empty());
  leader.agent.OnLost(leader.now, number + 1);
  EXPECT_TRUE(leader.ActFor(seconds(60)).proposals.empty()) << "another one was lost";
  leader.agent.OnLost(leader.now, number);
  EXPECT_TRUE(leader.Act().proposals.empty()) << "not at once";
  out = leader.ActFor(seconds(60));
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_NE(out.proposals[0].number, number);
  leader.agent.OnLost(leader.now, number);
  EXPECT_TRUE(leader.ActFor(seconds(60)).proposals.empty()) << "that was told already";
}

TEST(AgentTasks, TheNextConfigurationIsProposedAgainOnlyAfterItWasLost) {
  Leader leader({});
  leader.Act();
  proto::Configuration configuration;
  configuration.set_num(3);
  leader.agent.OnConfiguration(leader.now, configuration);
  AgentOutput out = leader.Act();
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_EQ(out.proposals[0].command.reconfigure().num(), 3u);
  leader.agent.OnConfiguration(leader.now, configuration);
  out.proposals.clear();
  const AgentOutput later = leader.ActFor(seconds(60));
  EXPECT_TRUE(later.proposals.empty());
  EXPECT_TRUE(later.configurations.empty()) << "there is nothing to be asked while it is under way";
}

// What a lost proposal was for may be over by then.
TEST(AgentTasks, NewsOfATenureMakesItsOldProposalsVoid) {
  Leader leader({Dropped(0)});
  const AgentOutput first = leader.Act();
  leader.agent.OnChanged(leader.now, With({Tenure(0, proto::SHARD_NONE)}));
  leader.agent.OnLost(leader.now, first.proposals.at(0).number);
  EXPECT_TRUE(leader.ActFor(seconds(60)).proposals.empty());
}

TEST(AgentTasks, WhoRestsWantsNothing) {
  Leader leader({Dropped(0), Tenure(1, proto::SHARD_PULLING, 5)});
  leader.agent.Rest();
  EXPECT_EQ(leader.agent.wake_at(), kNever);
  leader.agent.OnChanged(leader.now, With({Dropped(2)}));
  const AgentOutput out = leader.Act();
  EXPECT_TRUE(out.proposals.empty());
  EXPECT_TRUE(out.messages.empty());
  EXPECT_TRUE(out.configurations.empty());
}

// --- Parts

TEST(AgentTasks, LatePartsAreUsed) {
  Leader leader({Tenure(0, proto::SHARD_PULLING, 5)});
  const AgentOutput first = leader.Act();
  ASSERT_EQ(first.messages.size(), 1u);
  const AgentOutput more = leader.ActFor(seconds(1));
  ASSERT_FALSE(more.messages.empty()) << "silence: another one is asked";
  EXPECT_NE(more.messages[0].first, first.messages[0].first);
  leader.agent.OnAnswer(leader.now, PartFor(first.messages[0].second));
  AgentOutput out = leader.Act();
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_EQ(out.proposals[0].command.install_chunk().sequence(), 1u);
  EXPECT_EQ(out.proposals[0].command.install_chunk().part().records_size(), 1);
  EXPECT_TRUE(out.messages.empty());
  leader.agent.OnAnswer(leader.now, PartFor(more.messages[0].second));
  out = leader.ActFor(seconds(60));
  EXPECT_TRUE(out.proposals.empty()) << "once";
  EXPECT_TRUE(out.messages.empty());
}

TEST(AgentTasks, OtherPartsAreNot) {
  Leader leader({Tenure(0, proto::SHARD_PULLING, 5)});
  const proto::ShardMessage asked = leader.Act().messages.at(0).second;
  proto::ShardMessage next = PartFor(asked);
  next.set_sequence(2);
  proto::ShardMessage earlier_tenure = PartFor(asked);
  earlier_tenure.set_since(1);
  proto::ShardMessage told = AnswerTo(asked);
  told.mutable_drop_answer()->set_done(true);
  for (const proto::ShardMessage& message : {next, earlier_tenure, told}) {
    leader.agent.OnAnswer(leader.now, message);
    EXPECT_TRUE(leader.Act().proposals.empty()) << Describe(message);
  }
}

// What the group does not take is not taken the next time either.
TEST(AgentTasks, ARefusedPartIsFetchedAgainFromAnother) {
  Leader leader({Tenure(0, proto::SHARD_PULLING, 5)});
  const AgentOutput first = leader.Act();
  leader.agent.OnAnswer(leader.now, PartFor(first.messages.at(0).second));
  const AgentOutput install = leader.Act();
  ASSERT_EQ(install.proposals.size(), 1u);
  leader.agent.OnRefused(leader.now, install.proposals[0].number);
  const AgentOutput again = leader.ActFor(milliseconds(200));
  EXPECT_TRUE(again.proposals.empty());
  ASSERT_EQ(again.messages.size(), 1u);
  EXPECT_NE(again.messages[0].first, first.messages[0].first);
}

TEST(AgentTasks, AConfigurationWaitsWhileTooMuchIsKept) {
  AgentOptions options;
  options.tenures_max = 2;
  Leader leader({Tenure(0, proto::SHARD_FROZEN), Tenure(1, proto::SHARD_SERVING)}, options);
  leader.Act();
  proto::Configuration gains;
  gains.set_num(3);
  gains.add_groups()->set_gid(kSelf);
  gains.mutable_groups(0)->set_joined(1);
  gains.add_handovers()->set_shard(2);
  gains.mutable_handovers(0)->set_to(kSelf);
  leader.agent.OnConfiguration(leader.now, gains);
  const AgentOutput waits = leader.ActFor(seconds(60));
  EXPECT_TRUE(waits.proposals.empty());
  EXPECT_GT(waits.configurations.size(), 20u) << "each question says who the members are";
  leader.agent.OnChanged(leader.now, With({Tenure(0, proto::SHARD_NONE)}));
  const AgentOutput out = leader.ActFor(seconds(1));
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_EQ(out.proposals[0].command.reconfigure().gained_size(), 1);
}

// A damaged part in the log would be refused, proposed again, and refused for ever.
TEST(AgentTasks, WhatIsDamagedOnItsWayIsAskedForAgain) {
  Leader leader({Tenure(0, proto::SHARD_PULLING, 5)});
  const proto::ShardMessage asked = leader.Act().messages.at(0).second;
  proto::ShardMessage damaged = PartFor(asked);
  damaged.mutable_read_answer()->mutable_part()->mutable_records(0)->set_value("valuE");
  leader.agent.OnAnswer(leader.now, damaged);
  const AgentOutput out = leader.ActFor(milliseconds(100));
  EXPECT_TRUE(out.proposals.empty());
  ASSERT_EQ(out.messages.size(), 1u);
  leader.agent.OnAnswer(leader.now, PartFor(out.messages[0].second));
  EXPECT_EQ(leader.Act().proposals.size(), 1u);
}

// --- Telling

TEST(AgentTasks, ASourceIsToldUntilItKnows) {
  Leader leader({Tenure(0, proto::SHARD_SERVING_GC, 5)});
  AgentOutput out = leader.Act();
  ASSERT_EQ(out.messages.size(), 1u);
  ASSERT_TRUE(out.messages[0].second.has_drop());
  proto::ShardMessage refusal = AnswerTo(out.messages[0].second);
  refusal.mutable_drop_answer()->set_leader(53);
  leader.agent.OnAnswer(leader.now, refusal);
  out = leader.ActFor(milliseconds(100));
  ASSERT_EQ(out.messages.size(), 1u);
  EXPECT_EQ(out.messages[0].first, NodeId(53)) << "whom the other one named";
  proto::ShardMessage done = AnswerTo(out.messages[0].second);
  done.mutable_drop_answer()->set_done(true);
  leader.agent.OnAnswer(leader.now, done);
  leader.agent.OnAnswer(leader.now, done);
  out = leader.ActFor(seconds(60));
  ASSERT_EQ(out.proposals.size(), 1u);
  EXPECT_TRUE(out.proposals[0].command.has_finish_handover());
  EXPECT_TRUE(out.messages.empty());
}

// --- Polls

TEST(AgentTasks, OnePollAtATime) {
  AgentOptions options;
  options.poll_every = milliseconds(200);
  options.retry_max = seconds(2);
  Leader leader({}, options);
  EXPECT_EQ(leader.Act().configurations.size(), 1u);
  // Nobody answers: after half a second, then later each time, up to four seconds.
  EXPECT_EQ(leader.ActFor(milliseconds(499)).configurations.size(), 0u);
  EXPECT_EQ(leader.ActFor(milliseconds(1)).configurations.size(), 1u);
  EXPECT_EQ(leader.ActFor(seconds(3)).configurations.size(), 2u);
  EXPECT_EQ(leader.ActFor(seconds(40)).configurations.size(), 10u);
  // An answer: the next question comes at its time, and is not hurried by a second answer.
  leader.agent.OnNoConfiguration(leader.now, 2);
  EXPECT_EQ(leader.ActFor(milliseconds(100)).configurations.size(), 0u);
  leader.agent.OnNoConfiguration(leader.now, 2);
  EXPECT_EQ(leader.ActFor(milliseconds(199)).configurations.size(), 0u);
  EXPECT_EQ(leader.ActFor(milliseconds(1)).configurations.size(), 1u);
}

// --- Many tenures

// The group, and sources that answer at once, except those that are dead.
class Sources {
 public:
  Sources(Leader& leader, std::set<uint64_t> dead) : leader_(leader), dead_(std::move(dead)) {}

  // Until nothing of the live sources is left to fetch, or for so long.
  void Run(Duration most) {
    const Instant until = leader_.now + most;
    while (leader_.agent.wake_at() <= until) {
      leader_.now = std::max(leader_.now, leader_.agent.wake_at());
      Take(leader_.Act());
    }
  }

  std::map<uint64_t, uint64_t> arrived;  // tenures, by source
  std::map<uint64_t, Instant> last_arrived;
  std::map<uint64_t, uint64_t> asked;  // messages

 private:
  void Take(const AgentOutput& out) {
    for (const auto& [node, message] : out.messages) {
      ++asked[message.to_group()];
      if (dead_.contains(message.to_group())) continue;
      source_of_[message.shard()] = message.to_group();
      leader_.agent.OnAnswer(leader_.now, PartFor(message));
    }
    for (const AgentOutput::Proposal& proposal : out.proposals) {
      const uint32_t shard = proposal.command.install_chunk().shard();
      const uint64_t source = source_of_.at(shard);
      ++arrived[source];
      last_arrived[source] = leader_.now;
      leader_.agent.OnChanged(leader_.now, With({Tenure(shard, proto::SHARD_SERVING)}));
    }
  }

  Leader& leader_;
  const std::set<uint64_t> dead_;
  std::map<uint32_t, uint64_t> source_of_;
};

TEST(AgentTasks, EverySourceIsAskedForItsShare) {
  std::vector<proto::ShardTenure> tenures;
  for (uint32_t shard = 0; shard < 40; ++shard) {
    tenures.push_back(Tenure(shard, proto::SHARD_PULLING, shard < 20 ? 5 : 6));
  }
  AgentOptions options;
  options.pulls_max = 3;
  Leader leader(tenures, options);
  std::map<uint64_t, int> asked;
  for (const auto& [node, message] : leader.Act().messages) ++asked[message.to_group()];
  EXPECT_EQ(asked, (std::map<uint64_t, int>{{5, 3}, {6, 3}}));
  EXPECT_TRUE(leader.Act().messages.empty()) << "until somebody answers";
}

TEST(AgentTasks, AllSourcesTogetherHaveALimit) {
  std::vector<proto::ShardTenure> tenures;
  for (uint32_t shard = 0; shard < 300; ++shard) {
    tenures.push_back(Tenure(shard, proto::SHARD_PULLING, 2 + shard % 30));
  }
  AgentOptions options;
  options.pulls_max = 4;
  options.pulls_total_max = 16;
  Leader leader(tenures, options);
  std::set<uint64_t> asked;
  const AgentOutput out = leader.Act();
  for (const auto& [node, message] : out.messages) asked.insert(message.to_group());
  EXPECT_EQ(out.messages.size(), 16u);
  EXPECT_EQ(asked.size(), 16u) << "none twice before others had their turn";
}

// 1000 shards of a dead source come first in every order; the 100 of a live one do not wait.
TEST(AgentTasks, ASilentSourceKeepsNobodyWaiting) {
  constexpr uint64_t kDead = 5;
  constexpr uint64_t kLive = 6;
  std::vector<proto::ShardTenure> tenures;
  for (uint32_t shard = 0; shard < 1100; ++shard) {
    tenures.push_back(Tenure(shard, proto::SHARD_PULLING, shard < 1000 ? kDead : kLive));
  }
  Leader leader(tenures);
  const Instant begun = leader.now;
  Sources sources(leader, {kDead});
  sources.Run(seconds(60));
  EXPECT_EQ(sources.arrived[kLive], 100u);
  EXPECT_LE(sources.last_arrived[kLive] - begun, milliseconds(500));
  EXPECT_EQ(sources.arrived[kDead], 0u);
  // Four at first, and from then on one at a time, each for half a second at least.
  EXPECT_GE(sources.asked[kDead], 20u);
  EXPECT_LE(sources.asked[kDead], 4u + 60 * 2);
}

// With room for one pull in all the dead source holds it for a while each time, but they take
// turns.
TEST(AgentTasks, TheOnlyPullIsShared) {
  AgentOptions options;
  options.pulls_total_max = 1;
  std::vector<proto::ShardTenure> tenures;
  for (uint32_t shard = 0; shard < 40; ++shard) {
    tenures.push_back(Tenure(shard, proto::SHARD_PULLING, shard < 20 ? 5 : 6));
  }
  Leader leader(tenures, options);
  Sources sources(leader, {5});
  sources.Run(seconds(20 * 5));
  EXPECT_EQ(sources.arrived[6], 20u);
}

// However many there are, each costs so many steps.
TEST(AgentTasks, AllShardsOfALargeClusterArrive) {
  constexpr uint32_t kAll = 16384;
  std::vector<proto::ShardTenure> tenures;
  for (uint32_t shard = 0; shard < kAll; ++shard) {
    tenures.push_back(Tenure(shard, proto::SHARD_PULLING, 5 + shard % 3));
  }
  Leader leader(tenures);
  Sources sources(leader, {});
  sources.Run(seconds(60));
  EXPECT_EQ(sources.arrived[5] + sources.arrived[6] + sources.arrived[7], kAll);
  EXPECT_EQ(sources.asked[5] + sources.asked[6] + sources.asked[7], kAll) << "each once";
  EXPECT_LE(leader.acts, 3 * kAll);
}

}  // namespace
}  // namespace lockstep::shardkv
