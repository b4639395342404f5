// The machine as administrators see it, and as a replicated machine: exactly once, the same on
// every replica, the same after a reload, and nothing that had an owner silently begins empty.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/rng.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

TEST(Machine, JoinsAndLeavesHaveExactGroups) {
  Replica replica;
  Admin admin(replica);
  EXPECT_EQ(admin.Do(JoinOf({1})).configuration_num(), 1u);
  EXPECT_EQ(HandoversOf(replica.Get()),
            "0:0->1 1:0->1 2:0->1 3:0->1 4:0->1 5:0->1 6:0->1 7:0->1 8:0->1 9:0->1");
  EXPECT_EQ(admin.Do(JoinOf({2})).configuration_num(), 2u);
  EXPECT_EQ(HandoversOf(replica.Get()), "0:1->2 1:1->2 2:1->2 3:1->2 4:1->2");
  const Configuration two = replica.Get();
  EXPECT_EQ(two.groups[0].members, MakeGroup(1).members);
  EXPECT_EQ(two.groups[1].members, MakeGroup(2).members);
  EXPECT_EQ(two.groups[1].joined, ConfigurationNum(2));
  EXPECT_EQ(admin.Do(LeaveOf({1})).configuration_num(), 3u);
  EXPECT_EQ(GidsOf(replica.Get()), std::vector<uint64_t>{2});
  EXPECT_EQ(HandoversOf(replica.Get()), "5:1->2 6:1->2 7:1->2 8:1->2 9:1->2");
  EXPECT_EQ(replica.Get().departed, std::vector<Group>{two.groups[0]});
  EXPECT_EQ(replica.Get(2), two) << "history does not change";
}

TEST(Machine, AMovedShardStaysUntilItIsUnpinned) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1, 2}));
  EXPECT_EQ(admin.Do(MakeMove(ShardId(0), GroupId(2))).configuration_num(), 2u);
  EXPECT_EQ(HandoversOf(replica.Get()), "0:1->2");
  EXPECT_EQ(admin.Do(MakeMove(ShardId(0), GroupId(2))).configuration_num(), 2u) << "no news";
  EXPECT_EQ(admin.Do(MakeMove(ShardId(9), GroupId(2))).configuration_num(), 3u) << "a pin alone";
  EXPECT_TRUE(replica.Get().handovers.empty());
  admin.Do(JoinOf({3}));
  EXPECT_EQ(replica.Get().owners[0], GroupId(2));
  EXPECT_EQ(admin.Do(MakeUnpin(ShardId(0))).configuration_num(), 5u);
  EXPECT_TRUE(Balanced(replica.Get()));
  admin.Do(LeaveOf({2}));
  EXPECT_TRUE(replica.Get().pins.empty());
}

TEST(Machine, TheLastOwnersAreNamedWhenOthersJoin) {
  for (const uint64_t gid : {5u, 1u}) {  // another group, and a new one of the same gid
    Replica replica;
    Admin admin(replica);
    admin.Do(JoinOf({1}, 3));
    const Group last = replica.Get().groups[0];
    EXPECT_EQ(admin.Do(LeaveOf({1}, /*force=*/true)).code(), proto::OK);
    EXPECT_EQ(HandoversOf(replica.Get()), "0:1->0 1:1->0 2:1->0");
    replica.Apply(MakePruneHistory(ConfigurationNum(9)));
    replica.Reload();
    admin.Do(JoinOf({gid}, 3));
    const Configuration now = replica.Get();
    EXPECT_EQ(now.departed, std::vector<Group>{last});
    ASSERT_EQ(now.handovers.size(), 3u);
    for (const Handover& handover : now.handovers) {
      EXPECT_EQ(*now.SourceOf(handover), last);
      EXPECT_EQ(handover.to, GroupId(gid));
      EXPECT_EQ(handover.ended, ConfigurationNum(2));
    }
    EXPECT_EQ(now.groups[0].joined, ConfigurationNum(3));
  }
}

TEST(Machine, ARetryChangesNothingAndRepeatsTheAnswer) {
  Replica replica;
  Admin admin(replica);
  const proto::Command join = admin.Next(JoinOf({1}));
  const proto::Command other = kv::InSession(JoinOf({1}), SessionId(1), 2, 1);
  const proto::Result joined = replica.Apply(join);
  const proto::Result refused = replica.Apply(other);
  EXPECT_EQ(refused.code(), proto::ALREADY_EXISTS);
  Admin second(replica);
  second.Do(JoinOf({2}));
  second.Do(LeaveOf({1}));  // The refused join would succeed now, if it ran again.
  for (const auto& [command, first] : {std::pair(join, joined), std::pair(other, refused)}) {
    replica.Reload();
    proto::Result again = replica.Apply(command);
    EXPECT_TRUE(again.replayed());
    again.clear_replayed();
    EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  }
  EXPECT_EQ(replica.Get().num, ConfigurationNum(3));
}

TEST(Machine, PruningKeepsTheNewest) {
  ControllerOptions options;
  options.prune_configurations_max = 2;
  Replica replica(options);
  Admin admin(replica);
  for (uint64_t gid = 1; gid <= 5; ++gid) admin.Do(JoinOf({gid}));
  EXPECT_EQ(replica.Apply(MakePruneHistory(ConfigurationNum(9))).configuration_num(), 5u);
  replica.Reload();
  const proto::Result gone = replica.Query(MakeGetConfiguration(ConfigurationNum(2)));
  EXPECT_EQ(gone.code(), proto::NOT_FOUND);
  EXPECT_EQ(gone.message(), "configuration 2 is not kept any more: ask for 3 to 5");
  EXPECT_EQ(replica.Get(3).num, ConfigurationNum(3));
  for (int i = 0; i < 3; ++i) replica.Apply(MakePruneHistory(ConfigurationNum(9)));
  EXPECT_EQ(replica.Query(MakeGetConfiguration(ConfigurationNum(4))).code(), proto::NOT_FOUND);
  EXPECT_EQ(replica.Get().num, ConfigurationNum(5));
}

// `present`: the gids that are members now, all of which may leave at once.
proto::Command RandomCommand(Rng& rng, const std::vector<uint64_t>& present) {
  std::vector<uint64_t> gids;
  for (uint64_t left = rng.Between(uint64_t{1}, uint64_t{3}); left > 0; --left) {
    gids.push_back(1 + rng.Below(8));
  }
  const ShardId shard(rng.Below(14));
  switch (rng.Below(5)) {
    case 0:
    case 1:
      return JoinOf(gids, 12);
    case 2:
      if (rng.Chance({1, 2})) gids = present;
      return LeaveOf(gids, rng.Chance({1, 2}));
    case 3:
      return MakeMove(shard, GroupId(gids[0]));
    default:
      return MakeUnpin(shard);
  }
}

// Follows the data along the handovers: by shard, the group that has it.
void Follow(const Configuration& configuration, std::map<ShardId, Group>* holders) {
  for (const Handover& handover : configuration.handovers) {
    const Group* source = configuration.SourceOf(handover);
    const auto held = holders->find(handover.shard);
    ASSERT_EQ(source != nullptr, held != holders->end()) << Describe(configuration);
    if (source != nullptr) {
      ASSERT_EQ(*source, held->second) << Describe(configuration);
    }
    const Group* to = configuration.Find(handover.to);
    if (to != nullptr) (*holders)[handover.shard] = *to;
  }
  for (size_t shard = 0; shard < configuration.owners.size(); ++shard) {
    const Group* owner = configuration.Find(configuration.owners[shard]);
    if (owner != nullptr) {
      ASSERT_EQ((*holders)[ShardId(shard)], *owner) << Describe(configuration);
    }
  }
}

TEST(Machine, AStormOfCommandsLeavesEveryReplicaEqual) {
  std::map<proto::Code, int> codes;
  int replays = 0;
  int empty = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Rng rng(seed);
    Replica one;
    Replica two;
    std::vector<Admin> admins;
    for (int i = 0; i < 3; ++i) admins.emplace_back(one);
    for (int i = 0; i < 3; ++i) two.Register();
    std::vector<proto::Command> sent;
    std::map<ShardId, Group> holders;
    for (int step = 0; step < 100; ++step) {
      proto::Command command = MakePruneHistory(ConfigurationNum(1 + rng.Below(60)));
      if (!sent.empty() && rng.Chance({1, 5})) {
        command = sent[rng.Below(sent.size())];
      } else if (!rng.Chance({1, 25})) {
        Admin& admin = admins[rng.Below(admins.size())];
        command = admin.Next(RandomCommand(rng, GidsOf(one.machine().newest())));
        sent.push_back(command);
      }
      const ConfigurationNum before = one.machine().newest().num;
      const Bytes reply = one.ApplyBytes(kv::Encode(command));
      two.Reload();
      ASSERT_EQ(reply, two.ApplyBytes(kv::Encode(command))) << "seed " << seed;
      ASSERT_EQ(one.dump(), two.dump()) << "seed " << seed << " step " << step;
      const Configuration& newest = one.machine().newest();
      ASSERT_EQ(one.Get(), newest);
      ASSERT_EQ(Replica(one).machine().newest(), newest) << "from a snapshot";
      const proto::Result result = kv::Replica::Parse(reply);
      ++codes[result.code()];
      replays += result.replayed();
      if (newest.num == before) continue;
      ASSERT_EQ(newest.num, before.Next());
      ASSERT_EQ(result.configuration_num(), newest.num.value());
      ASSERT_NO_FATAL_FAILURE(Follow(newest, &holders)) << "seed " << seed;
      if (!command.has_move()) {
        ASSERT_TRUE(Balanced(newest)) << Describe(newest);
      }
      empty += newest.groups.empty();
    }
  }
  for (const proto::Code code :
       {proto::OK, proto::ALREADY_EXISTS, proto::NOT_FOUND, proto::FAILED_PRECONDITION,
        proto::INVALID_ARGUMENT, proto::SEQUENCE_STALE}) {
    EXPECT_GT(codes[code], 5) << proto::Code_Name(code);
  }
  EXPECT_GT(replays, 50);
  EXPECT_GT(empty, 5);
}

TEST(Machine, AnyBytesAreHarmless) {
  Rng rng(7);
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1, 2}));
  const std::string valid = admin.Next(JoinOf({3})).SerializeAsString();
  int refused = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string bytes = valid;
    for (uint64_t left = rng.Below(4); left > 0; --left) {
      const uint64_t at = rng.Below(bytes.size());
      bytes[at] = static_cast<char>(rng.Next());
    }
    if (rng.Chance({1, 2})) bytes.resize(rng.Below(bytes.size()));
    const auto dump = replica.dump();
    const auto result = kv::Replica::Parse(replica.ApplyBytes(Bytes::Copy(bytes)));
    ASSERT_NE(result.code(), proto::CODE_UNSPECIFIED);
    const auto read = kv::Replica::Parse(replica.QueryBytes(Bytes::Copy(bytes)));
    ASSERT_NE(read.code(), proto::CODE_UNSPECIFIED);
    if (result.index() != 0) continue;
    ++refused;
    ASSERT_FALSE(result.message().empty());
    ASSERT_EQ(replica.dump(), dump);
  }
  EXPECT_GT(refused, 1000);
  replica.Reload();
}

}  // namespace
}  // namespace lockstep::controller
