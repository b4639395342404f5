// An agent whose sources have changed their members since the tenure began: when nobody it knows
// answers, the newest configuration says whom to ask.
#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "core/shardkv/agent.h"
#include "core/shardkv/command.h"
#include "tests/unit/shardkv/group.h"

namespace lockstep::shardkv {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Group 5 with nodes 51 to 53, joined with configuration 1.
proto::ShardTenure From5(proto::ShardState state) {
  proto::ShardTenure tenure;
  tenure.set_shard(0);
  tenure.set_since(2);
  tenure.set_state(state);
  tenure.set_next_sequence(1);
  tenure.mutable_source()->set_gid(5);
  tenure.mutable_source()->set_joined(1);
  for (const uint64_t node : {51u, 52u, 53u}) {
    tenure.mutable_source()->add_members()->set_node(node);
  }
  tenure.set_source_ended(2);
  return tenure;
}

// Where group 5 is now.
proto::Configuration Newest(uint64_t num, uint64_t joined, uint64_t membership,
                            const std::vector<uint64_t>& nodes) {
  proto::Configuration configuration;
  configuration.set_num(num);
  proto::ShardGroup& group = *configuration.add_groups();
  group.set_gid(5);
  group.set_joined(joined);
  group.set_membership(membership);
  for (const uint64_t node : nodes) group.add_members()->set_node(node);
  return configuration;
}

class Leader {
 public:
  explicit Leader(const proto::ShardTenure& tenure)
      : agent(AgentOptions(), GroupId(1), Rng(1), pace) {
    proto::ShardStates states;
    states.set_num(2);
    states.set_member(true);
    states.set_joined(1);
    *states.add_tenures() = tenure;
    agent.Lead(now, states);
  }

  // Nobody answers for so long. What was asked for in that time.
  AgentOutput Silence(Duration span) {
    AgentOutput out;
    const Instant until = now + span;
    while (agent.wake_at() <= until) {
      now = std::max(now, agent.wake_at());
      agent.Act(now, &out);
    }
    now = until;
    return out;
  }
  std::set<uint64_t> AskedIn(Duration span) {
    std::set<uint64_t> nodes;
    for (const auto& [node, message] : Silence(span).messages) nodes.insert(node.value());
    return nodes;
  }

  Pace pace{0};
  Agent agent;
  Instant now = Instant(seconds(100));
};

int NewestAskedFor(const AgentOutput& out) {
  int count = 0;
  for (const proto::GetConfiguration& get : out.configurations) {
    count += get.num() == 0 && get.member_gid() == 0;
  }
  return count;
}

using Nodes = std::set<uint64_t>;

TEST(AgentMembers, WhenAllAreSilentTheNewestConfigurationIsAskedFor) {
  for (const proto::ShardState state : {proto::SHARD_PULLING, proto::SHARD_SERVING_GC}) {
    Leader leader(From5(state));
    EXPECT_EQ(NewestAskedFor(leader.Silence(milliseconds(900))), 0) << "one of them may be dead";
    const AgentOutput out = leader.Silence(seconds(59));
    EXPECT_GT(NewestAskedFor(out), 5);
    EXPECT_LT(NewestAskedFor(out), 30) << "it may be large: not with every question";
    leader.agent.OnNewest(Newest(9, 1, 7, {54, 55}));
    EXPECT_EQ(leader.AskedIn(seconds(60)), (Nodes{54, 55}));
  }
}

TEST(AgentMembers, WhoNeverHasItIsNoAnswerEither) {
  Leader leader(From5(proto::SHARD_SERVING_GC));
  int newest = 0;
  for (int i = 0; i < 200; ++i) {
    const AgentOutput out = leader.Silence(milliseconds(100));
    newest += NewestAskedFor(out);
    for (const auto& [node, message] : out.messages) {
      proto::ShardMessage refusal;
      refusal.set_shard(message.shard());
      refusal.set_since(message.since());
      refusal.mutable_drop_answer()->set_done(false);
      leader.agent.OnAnswer(leader.now, refusal);
    }
  }
  EXPECT_GT(newest, 2) << "those who were removed do not know their leader any more";
}

TEST(AgentMembers, TheNewMembersAnswer) {
  Leader leader(From5(proto::SHARD_PULLING));
  leader.Silence(seconds(10));
  leader.agent.OnNewest(Newest(9, 1, 7, {54, 55}));
  const AgentOutput out = leader.Silence(seconds(3));
  ASSERT_FALSE(out.messages.empty());
  const proto::ShardMessage& asked = out.messages.back().second;
  proto::ShardMessage answer;
  answer.set_shard(asked.shard());
  answer.set_since(asked.since());
  answer.set_sequence(asked.sequence());
  proto::TenurePart& part = *answer.mutable_read_answer()->mutable_part();
  part.set_checksum(ChecksumOf(part));
  part.mutable_summary()->set_version(1);
  leader.agent.OnAnswer(leader.now, answer);
  const AgentOutput install = leader.Silence(milliseconds(1));
  ASSERT_EQ(install.proposals.size(), 1u);
  EXPECT_TRUE(install.proposals[0].command.has_install_chunk());
}

TEST(AgentMembers, AGroupThatJoinedAnewIsAnother) {
  Leader leader(From5(proto::SHARD_PULLING));
  leader.agent.OnNewest(Newest(9, 4, 7, {54, 55}));
  EXPECT_EQ(leader.AskedIn(seconds(60)), (Nodes{51, 52, 53}));
}

TEST(AgentMembers, OlderOnesAreNotAskedAgain) {
  Leader leader(From5(proto::SHARD_PULLING));
  leader.agent.OnNewest(Newest(9, 1, 7, {54, 55}));
  leader.agent.OnNewest(Newest(8, 1, 5, {53, 54}));
  leader.agent.OnConfiguration(leader.now, Newest(2, 1, 0, {51, 52, 53}));
  EXPECT_EQ(leader.AskedIn(seconds(60)), (Nodes{54, 55}));

  proto::ShardTenure tenure = From5(proto::SHARD_PULLING);
  tenure.mutable_source()->set_membership(7);
  Leader later(tenure);
  later.agent.OnNewest(Newest(9, 1, 5, {58, 59}));
  EXPECT_EQ(later.AskedIn(seconds(60)), (Nodes{51, 52, 53})) << "the tenure knows newer ones";
}

// Whoever was asked last may be beyond the end of the new list.
TEST(AgentMembers, TheyMayBeFewer) {
  for (const proto::ShardState state : {proto::SHARD_PULLING, proto::SHARD_SERVING_GC}) {
    Leader leader(From5(state));
    for (int i = 0; i < 3; ++i) {
      leader.Silence(milliseconds(700));
      leader.agent.OnNewest(Newest(9 + static_cast<uint64_t>(2 * i), 1, 7, {54}));
      EXPECT_EQ(leader.AskedIn(seconds(20)), Nodes{54});
      leader.agent.OnNewest(Newest(10 + static_cast<uint64_t>(2 * i), 1, 8, {61, 62, 63, 64, 65}));
      EXPECT_EQ(leader.AskedIn(seconds(30)), (Nodes{61, 62, 63, 64, 65}));
    }
  }
}

// It may give shards that a configuration in between gives to somebody else.
TEST(AgentMembers, TheNewestIsNotTheNext) {
  Leader leader(From5(proto::SHARD_PULLING));
  proto::Configuration newest = Newest(3, 1, 7, {54, 55});
  leader.agent.OnNewest(newest);
  EXPECT_TRUE(leader.Silence(seconds(10)).proposals.empty());
  leader.agent.OnConfiguration(leader.now, newest);
  EXPECT_EQ(leader.Silence(seconds(10)).proposals.size(), 1u);
}

// --- The controllers, in the group's own state

proto::Command ToConfiguration(uint64_t num, uint64_t membership,
                               const std::vector<uint64_t>& controllers) {
  proto::Configuration configuration = Newest(num, 1, 0, {11});
  configuration.mutable_groups(0)->set_gid(1);
  configuration.add_owners(1);
  if (membership != 0) configuration.mutable_controllers()->set_membership(membership);
  for (const uint64_t node : controllers) configuration.mutable_controllers()->add_nodes(node);
  proto::ShardStates before;
  before.set_num(num - 1);
  before.set_member(num > 1);
  proto::Command command;
  *command.mutable_reconfigure() = ChangeFor(GroupId(1), before, configuration).value();
  return command;
}

std::vector<uint64_t> ControllersOf(const Group& group) {
  proto::Query query;
  query.mutable_get_shards();
  const proto::ShardStates states = group.Read(query).shards();
  return {states.controllers().nodes().begin(), states.controllers().nodes().end()};
}

// The next leader may have heard of no configuration, and all that its options name may be gone.
TEST(GroupControllers, AreWrittenDownWithTheConfiguration) {
  Group group(1);
  EXPECT_EQ(group.Internal(ToConfiguration(1, 0, {})).code(), proto::OK);
  EXPECT_TRUE(ControllersOf(group).empty()) << "those of the options";
  const proto::Result changed = group.Internal(ToConfiguration(2, 7, {4, 5}));
  EXPECT_EQ(changed.shards().controllers().membership(), 7u) << "every replica hears of it";
  EXPECT_EQ(ControllersOf(group), (std::vector<uint64_t>{4, 5}));
  group.Internal(ToConfiguration(3, 0, {}));
  group.Reload();
  EXPECT_EQ(ControllersOf(group), (std::vector<uint64_t>{4, 5}));
  group.Internal(ToConfiguration(4, 9, {6}));
  EXPECT_EQ(ControllersOf(group), (std::vector<uint64_t>{6}));
}

}  // namespace
}  // namespace lockstep::shardkv
