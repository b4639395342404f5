// How many servers may be missing, and who leads.
#include "sim/faults/quorums.h"

#include <gtest/gtest.h>

#include <bit>

#include "sim/faults/leaders.h"
#include "sim/faults/targets.h"
#include "sim/world/group_placement.h"

namespace lockstep::sim {
namespace {

uint64_t Set(std::initializer_list<uint16_t> servers) {
  uint64_t set = 0;
  for (const uint16_t server : servers) set |= One(server);
  return set;
}

TEST(Quorums, EveryGroupKeepsAMajority) {
  const Quorums one({{GroupId(0), Set({1, 2, 3, 4})}});
  const Quorums chain({{GroupId(0), Set({1, 2, 3})}, {GroupId(9), Set({3, 4, 5})}});
  const Quorums lonely({{GroupId(1), Set({1})}, {GroupId(2), Set({1, 2, 3})}});
  struct Row {
    const char* name;
    const Quorums& quorums;
    uint64_t gone;
    bool can_spare;
    uint64_t spare;
    uint64_t spare_count;
  };
  const Row rows[] = {
      {"nobody", one, 0, true, Set({1, 2, 3, 4}), 1},
      {"half is not a majority", one, Set({2, 3}), false, 0, 0},
      {"the last", one, Set({2}), true, 0, 0},
      {"who is in no group", one, Set({7}), true, Set({1, 2, 3, 4}), 1},
      {"both groups whole", chain, 0, true, Set({1, 2, 3, 4, 5}), 2},
      {"one of each", chain, Set({1, 5}), true, 0, 0},
      {"one that is in both", chain, Set({3}), true, 0, 0},
      {"one group is spent", chain, Set({2}), true, Set({4, 5}), 1},
      {"two of one group", chain, Set({1, 3}), false, 0, 0},
      {"the only member", lonely, Set({1}), false, 0, 0},
      {"not the only member", lonely, 0, true, Set({2, 3}), 1},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.quorums.CanSpare(row.gone), row.can_spare) << row.name;
    EXPECT_EQ(row.quorums.Spare(row.gone), row.spare) << row.name;
    EXPECT_EQ(row.quorums.SpareCount(row.gone), row.spare_count) << row.name;
  }
}

TEST(Quorums, OneGroupOfAllKeepsAMajorityOfAll) {
  for (uint64_t servers = 1; servers <= 8; ++servers) {
    const Cast cast{.servers = static_cast<uint16_t>(servers), .clients = 0};
    const Quorums quorums = Quorums::OfAll(Everybody(cast));
    EXPECT_FALSE(quorums.Differ());
    EXPECT_EQ(quorums.SpareCount(0), (servers - 1) / 2);
    for (uint64_t gone = 0; gone <= Everybody(cast); gone += 2) {
      const uint64_t count = static_cast<uint64_t>(std::popcount(gone));
      EXPECT_EQ(quorums.CanSpare(gone), 2 * count < servers);
      const bool one_more = 2 * (count + 1) < servers;
      EXPECT_EQ(quorums.Spare(gone), one_more ? Everybody(cast) & ~gone : 0);
    }
  }
}

TEST(Quorums, TellWhetherMembersDiffer) {
  EXPECT_FALSE(Quorums({{GroupId(0), Set({1, 2})}, {GroupId(1), Set({1, 2})}}).Differ());
  EXPECT_TRUE(Quorums({{GroupId(0), Set({1, 2})}, {GroupId(1), Set({1, 3})}}).Differ());
}

TEST(QuorumsDeathTest, RefuseGroupsOfNobody) {
  EXPECT_DEATH(Quorums({{GroupId(1), 0}}), "a group has members");
  EXPECT_DEATH(Quorums({}), "check failed");
}

TEST(GroupPlacement, AServerHostsTheGroupsOfWhichItIsAMember) {
  const std::vector<GroupPlacement> groups = {
      {.group = GroupId(7), .role = node::GroupRole::kShards, .members = {NodeId(1), NodeId(2)}},
      {.group = GroupId(0), .role = node::GroupRole::kController, .members = {NodeId(2)}},
  };
  const Quorums quorums = QuorumsOf(groups);
  EXPECT_EQ(quorums.members(GroupId(7)), Set({1, 2}));
  EXPECT_EQ(quorums.members(GroupId(0)), Set({2}));
  const std::vector<node::HostedGroup> hosted = HostedBy(NodeId(2), groups);
  ASSERT_EQ(hosted.size(), 2u);
  EXPECT_EQ(hosted[0].id, GroupId(7));
  EXPECT_EQ(hosted[0].role, node::GroupRole::kShards);
  EXPECT_EQ(hosted[0].membership->voters(), groups[0].members);
  EXPECT_EQ(hosted[1].id, GroupId(0));
  EXPECT_EQ(hosted[1].role, node::GroupRole::kController);
  EXPECT_EQ(HostedBy(NodeId(1), groups).size(), 1u);
  EXPECT_TRUE(HostedBy(NodeId(3), groups).empty());
}

TEST(Leaders, EachGroupHasItsOwn) {
  Leaders leaders;
  EXPECT_EQ(leaders.Of(GroupId(0)), 0);
  leaders.Elected(GroupId(0), 2);
  leaders.Elected(GroupId(1), 3);
  leaders.Elected(GroupId(1), 2);
  EXPECT_EQ(leaders.Of(GroupId(0)), 2);
  EXPECT_EQ(leaders.Of(GroupId(1)), 2);
  EXPECT_TRUE(leaders.Claims(GroupId(1), 3)) << "nobody has told it";
  EXPECT_FALSE(leaders.Claims(GroupId(0), 3));
  EXPECT_EQ(leaders.Claimants(), Set({2, 3}));
  leaders.SteppedDown(GroupId(0), 2);
  EXPECT_EQ(leaders.Of(GroupId(0)), 0);
  EXPECT_EQ(leaders.Of(GroupId(1)), 2);
  EXPECT_EQ(leaders.Claimants(), Set({2, 3})) << "of the other group";
}

TEST(Leaders, WhoCrashesLeadsNothing) {
  Leaders leaders;
  leaders.Elected(GroupId(0), 2);
  leaders.Elected(GroupId(1), 2);
  leaders.Elected(GroupId(2), 4);
  leaders.Crashed(2);
  EXPECT_EQ(leaders.Of(GroupId(0)), 0);
  EXPECT_EQ(leaders.Of(GroupId(1)), 0);
  EXPECT_EQ(leaders.Of(GroupId(2)), 4);
  EXPECT_EQ(leaders.Claimants(), Set({4}));
}

TEST(Leaders, AnyIsEachOfThemAtTimesAndTheOnlyOneWithoutADraw) {
  Leaders leaders;
  Rng rng(1);
  EXPECT_FALSE(leaders.Any(rng).has_value());
  leaders.Elected(GroupId(0), 2);
  EXPECT_EQ(leaders.Any(rng)->server, 2);
  EXPECT_EQ(rng.Next(), Rng(1).Next()) << "nothing was drawn";
  leaders.Elected(GroupId(5), 4);
  uint64_t seen = 0;
  for (int i = 0; i < 100; ++i) {
    const Leadership leadership = *leaders.Any(rng);
    EXPECT_EQ(leaders.Of(leadership.group), leadership.server);
    seen |= One(leadership.server);
  }
  EXPECT_EQ(seen, Set({2, 4}));
}

// Where members change, every set that may decide keeps a majority; the others may all be missing.
TEST(Quorums, WhoDecidesMayChange) {
  Quorums quorums = Quorums::OfAll(0b111110);
  std::vector<uint64_t> deciding{0b001110};
  quorums.Follow(GroupId(1), [&] { return deciding; });
  EXPECT_EQ(quorums.members(GroupId(1)), 0b111110u);
  EXPECT_TRUE(quorums.CanSpare(0b110010));
  EXPECT_FALSE(quorums.CanSpare(0b000110));
  EXPECT_EQ(quorums.Spare(0b000010), 0b110000u);
  deciding.push_back(0b110010);  // joint: servers 1, 4 and 5, too
  EXPECT_FALSE(quorums.CanSpare(0b110000));
  EXPECT_TRUE(quorums.CanSpare(0b010100));
  EXPECT_FALSE(quorums.CanSpare(0b010010));
}

TEST(Quorums, SpareServersKnowOfNoGroup) {
  GroupPlacement placement = StoreOnAll(GroupId(1), 4);
  placement.spare = {NodeId(2), NodeId(4)};
  EXPECT_EQ(placement.Beginning().voters(), (std::vector<NodeId>{NodeId(1), NodeId(3)}));
  EXPECT_EQ(HostedBy(NodeId(1), {placement})[0].membership->voters(),
            placement.Beginning().voters());
  EXPECT_TRUE(HostedBy(NodeId(2), {placement})[0].membership->members().empty());
  EXPECT_TRUE(HostedBy(NodeId(5), {placement}).empty());
}

}  // namespace
}  // namespace lockstep::sim
