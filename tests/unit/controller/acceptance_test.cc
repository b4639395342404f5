// What every shard controller is expected to do, as its users would try it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/rng.h"
#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

// Shards that moved although both their groups stayed.
size_t NeedlessMoves(const Configuration& before, const Configuration& after) {
  size_t moves = 0;
  for (size_t shard = 0; shard < after.owners.size(); ++shard) {
    const GroupId from = before.owners[shard];
    const GroupId to = after.owners[shard];
    if (from != to && after.Find(from) != nullptr && before.Find(to) != nullptr) ++moves;
  }
  return moves;
}

TEST(Acceptance, TenClerksJoinAndLeaveAtOnce) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed);
    Replica replica;
    std::vector<Admin> clerks;
    for (int i = 0; i < 10; ++i) clerks.emplace_back(replica);
    std::vector<uint64_t> steps(clerks.size());
    while (*std::min_element(steps.begin(), steps.end()) < 3) {
      const size_t at = rng.Below(clerks.size());
      const uint64_t gid = 100 + at * 10;
      if (steps[at] == 3) continue;
      const uint64_t step = steps[at]++;
      const proto::Command command = step == 0   ? JoinOf({gid + 1000})
                                     : step == 1 ? JoinOf({gid})
                                                 : LeaveOf({gid + 1000});
      EXPECT_EQ(clerks[at].Do(command).code(), proto::OK) << "seed " << seed;
      EXPECT_TRUE(Balanced(replica.Get()));
    }
    std::vector<uint64_t> expected;
    for (uint64_t at = 0; at < clerks.size(); ++at) expected.push_back(100 + at * 10);
    EXPECT_EQ(GidsOf(replica.Get()), expected) << "seed " << seed;
  }
}

TEST(Acceptance, NothingMovesBetweenGroupsThatStay) {
  Replica replica;
  Admin admin(replica);
  Configuration before = replica.Get();
  const auto step = [&](const proto::Command& command) {
    EXPECT_EQ(admin.Do(command).code(), proto::OK);
    const Configuration after = replica.Get();
    if (!before.groups.empty()) {
      EXPECT_EQ(NeedlessMoves(before, after), 0u) << Describe(after);
    }
    EXPECT_TRUE(Balanced(after));
    before = after;
  };
  for (uint64_t gid = 100; gid <= 190; gid += 10) step(JoinOf({gid}));
  for (uint64_t gid = 100; gid <= 180; gid += 10) step(LeaveOf({gid}));
  EXPECT_EQ(GidsOf(replica.Get()), std::vector<uint64_t>{190});
}

TEST(Acceptance, SeveralGroupsInOneCall) {
  Replica replica;
  Admin admin(replica);
  EXPECT_EQ(admin.Do(JoinOf({3, 1, 2})).configuration_num(), 1u) << "in any order";
  EXPECT_EQ(GidsOf(replica.Get()), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(OwnersOf(replica.Get()), (std::vector<uint64_t>{1, 1, 1, 1, 2, 2, 2, 3, 3, 3}));
  for (const Group& group : replica.Get().groups) {
    EXPECT_EQ(group.members, MakeGroup(group.gid.value()).members);
  }
  EXPECT_EQ(admin.Do(LeaveOf({3, 1})).configuration_num(), 2u);
  EXPECT_EQ(OwnersOf(replica.Get()), std::vector<uint64_t>(10, 2));
  EXPECT_EQ(admin.Do(JoinOf({4, 5})).configuration_num(), 3u);
  EXPECT_EQ(GidsOf(replica.Get()), (std::vector<uint64_t>{2, 4, 5}));
  EXPECT_TRUE(Balanced(replica.Get()));
}

TEST(Acceptance, EveryShardCanBeMovedAnywhere) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1, 2, 3}));
  for (uint64_t shard = 0; shard < 10; ++shard) {
    for (const uint64_t gid : {3u, 1u, 2u}) {
      const uint64_t num = replica.Get().num.value();
      const Configuration before = replica.Get();
      const proto::Result moved = admin.Do(MakeMove(ShardId(shard), GroupId(gid)));
      EXPECT_EQ(moved.code(), proto::OK);
      EXPECT_EQ(moved.configuration_num(), num + 1);
      std::vector<GroupId> expected = before.owners;
      expected[shard] = GroupId(gid);
      EXPECT_EQ(replica.Get().owners, expected) << "shard " << shard << " to " << gid;
    }
  }
}

TEST(Acceptance, EveryReplicaTellsTheSameHistory) {
  Replica replica;
  Admin admin(replica);
  std::vector<Configuration> told;
  for (uint64_t gid = 1; gid <= 5; ++gid) {
    admin.Do(JoinOf({gid}));
    told.push_back(replica.Get());
  }
  for (uint64_t gid = 1; gid <= 4; ++gid) {
    admin.Do(LeaveOf({gid}));
    told.push_back(replica.Get());
  }
  replica.Reload();
  const Replica other(replica);
  for (const Configuration& configuration : told) {
    EXPECT_EQ(replica.Get(configuration.num.value()), configuration);
    EXPECT_EQ(other.Get(configuration.num.value()), configuration);
  }
  EXPECT_EQ(other.Get(), told.back());
}

// A group that was away finds where it was a member again, even if it is none now.
TEST(Acceptance, AGroupFindsItsTimesOfMembership) {
  Replica replica;
  Admin admin(replica);
  admin.Do(JoinOf({1}));
  for (int i = 0; i < 20; ++i) {
    admin.Do(MakeMove(ShardId(0), GroupId(1)));
    admin.Do(MakeUnpin(ShardId(0)));
  }
  admin.Do(JoinOf({2}));   // 42
  admin.Do(LeaveOf({2}));  // 43
  const auto ask = [&](uint64_t gid, uint64_t after) {
    return replica.Query(MakeGetConfigurationOf(GroupId(gid), ConfigurationNum(after)));
  };
  uint64_t after = 0;
  int asked = 0;
  proto::Result answer;
  do {
    answer = ask(2, after);
    EXPECT_GT(answer.configuration_num(), after);
    after = answer.configuration_num();
    ++asked;
  } while (answer.code() == proto::NOT_FOUND && asked < 10);
  EXPECT_EQ(answer.code(), proto::OK);
  EXPECT_EQ(answer.configuration().num(), 42u);
  EXPECT_EQ(asked, 3) << "a few are looked at, at a time";
  EXPECT_EQ(ask(1, 0).configuration().num(), 1u);
  EXPECT_EQ(ask(1, 41).configuration().num(), 42u);
  for (const uint64_t from : {42u, 43u}) {
    const proto::Result none = ask(2, from);
    EXPECT_EQ(none.code(), proto::NOT_FOUND);
    EXPECT_EQ(none.configuration_num(), 43u);
  }
  EXPECT_EQ(ask(2, 99).configuration_num(), 99u);
  EXPECT_EQ(Replica().Query(MakeGetConfigurationOf(GroupId(1), {})).code(), proto::NOT_FOUND);
}

}  // namespace
}  // namespace lockstep::controller
