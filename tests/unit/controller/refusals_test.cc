// Every refusal: its code, and a text that says what to do. Nothing changes by it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/controller/replica.h"

namespace lockstep::controller {
namespace {

struct Row {
  const char* name;
  proto::Command command;
  proto::Code code;
  const char* text;
};

ControllerOptions Small() {
  ControllerOptions options;
  options.limits = {.shards_max = 20,
                    .groups_max = 4,
                    .members_max = 5,
                    .address_bytes_max = 20,
                    .session_window_max = 4};
  return options;
}

void ExpectRefused(Replica& replica, Admin& admin, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const proto::Configuration before = ToProto(replica.Get());
    const proto::Command command = admin.Next(row.command);
    const proto::Result result = replica.Apply(command);
    EXPECT_EQ(proto::Code_Name(result.code()), proto::Code_Name(row.code)) << row.name;
    EXPECT_EQ(result.message(), row.text) << row.name;
    EXPECT_EQ(ToProto(replica.Get()).SerializeAsString(), before.SerializeAsString()) << row.name;
    const bool at_the_door = !ValidateAdmin(command, Small().limits).ok();
    EXPECT_EQ(result.index() == 0, at_the_door) << row.name;
    EXPECT_EQ(result.configuration_num(), at_the_door ? 0 : before.num()) << row.name;
  }
}

proto::Command JoinGroups(std::vector<Group> groups) { return MakeJoin(groups, 10); }

Group With(uint64_t gid, const std::vector<uint64_t>& nodes) {
  Group group{.gid = GroupId(gid)};
  for (const uint64_t node : nodes) group.members.push_back({.node = NodeId(node)});
  return group;
}

TEST(Refusals, BeforeTheFirstJoin) {
  Replica replica(Small());
  Admin admin(replica);
  ExpectRefused(
      replica, admin,
      {
          {"no shards", JoinOf({1}, 0), proto::FAILED_PRECONDITION,
           "the first join decides how many shards the cluster has for ever: give 1 to 20"},
          {"too many shards", JoinOf({1}, 21), proto::TOO_LARGE,
           "the number of shards, 21 exceeds shards_max (20): choose fewer"},
          {"leave", LeaveOf({1}, /*force=*/true), proto::NOT_FOUND,
           "group 1 is not in the cluster: ask for the newest configuration"},
          {"move", MakeMove(ShardId(0), GroupId(1)), proto::NOT_FOUND,
           "there is no shard 0: this cluster has none before its first join; join a group"},
          {"unpin", MakeUnpin(ShardId(0)), proto::NOT_FOUND,
           "there is no shard 0: this cluster has none before its first join; join a group"},
      });
  EXPECT_EQ(replica.Get(), Configuration());
  EXPECT_EQ(admin.Do(JoinOf({1}, 20)).code(), proto::OK);
  EXPECT_EQ(replica.Get().shards(), 20u);
}

TEST(Refusals, InACluster) {
  Replica replica(Small());
  Admin admin(replica);
  ASSERT_EQ(admin.Do(JoinOf({1, 2})).code(), proto::OK);
  proto::Command joined = JoinOf({3});
  joined.mutable_join()->mutable_groups(0)->set_joined(7);
  Group long_address = MakeGroup(3);
  long_address.members[1].address = std::string(21, 'a');
  ExpectRefused(
      replica, admin,
      {
          {"join nobody", JoinOf({}), proto::INVALID_ARGUMENT,
           "join names no groups: give at least one"},
          {"gid 0", JoinOf({3, 0}), proto::INVALID_ARGUMENT,
           "gid 0 names no group: gids count from 1"},
          {"a gid twice", JoinOf({4, 3, 4}), proto::INVALID_ARGUMENT,
           "gid 4 occurs twice in join: name each group once"},
          {"too many at once", JoinOf({3, 4, 5, 6, 7}), proto::TOO_LARGE,
           "the number of groups in join, 5 exceeds groups_max (4): no cluster can have so many"},
          {"says when", joined, proto::INVALID_ARGUMENT,
           "group 3 says when it joined: leave that out, the controller decides it"},
          {"no members", JoinGroups({With(3, {})}), proto::INVALID_ARGUMENT,
           "group 3 has no members: give the number and address of each of its nodes"},
          {"too many members", JoinGroups({MakeGroup(3, 6)}), proto::TOO_LARGE,
           "the number of members of group 3, 6 exceeds members_max (5): a group of 3 or 5 is "
           "enough to outlive failures"},
          {"node 0", JoinGroups({With(3, {4, 0})}), proto::INVALID_ARGUMENT,
           "group 3 has a member with node 0: nodes count from 1"},
          {"a node twice", JoinGroups({With(3, {4, 5, 4})}), proto::INVALID_ARGUMENT,
           "node 4 occurs twice in group 3: a node holds one replica of a group"},
          {"long address", JoinGroups({long_address}), proto::TOO_LARGE,
           "the address of node 32 in group 3, of bytes 21 exceeds address_bytes_max (20): give "
           "host:port"},
          {"taken", JoinOf({3, 2}), proto::ALREADY_EXISTS,
           "group 2 is in the cluster already: choose another gid, or let it leave first"},
          {"too many in all", JoinOf({3, 4, 5}), proto::FAILED_PRECONDITION,
           "with 3 more the cluster would have 5 groups, which exceeds groups_max (4): let others "
           "leave first"},
          {"leave nobody", LeaveOf({}), proto::INVALID_ARGUMENT,
           "leave names no groups: give at least one"},
          {"leave 0", LeaveOf({0}), proto::INVALID_ARGUMENT,
           "gid 0 names no group: gids count from 1"},
          {"leave twice", LeaveOf({1, 1}), proto::INVALID_ARGUMENT,
           "gid 1 occurs twice in leave: name each group once"},
          {"leave unknown", LeaveOf({1, 9}), proto::NOT_FOUND,
           "group 9 is not in the cluster: ask for the newest configuration"},
          {"leave too many", LeaveOf({1, 2, 3, 4, 5}), proto::TOO_LARGE,
           "the number of groups in leave, 5 exceeds groups_max (4): no cluster can have so many"},
          {"leave all", LeaveOf({2, 1}), proto::FAILED_PRECONDITION,
           "no group would be left, and none of the 10 shards could be reached until another one "
           "joins: join it first, or force the leave"},
          {"move out of range", MakeMove(ShardId(10), GroupId(1)), proto::NOT_FOUND,
           "there is no shard 10: this cluster has 10, numbered from 0"},
          {"move far out of range", MakeMove(ShardId(UINT32_MAX), GroupId(1)), proto::NOT_FOUND,
           "there is no shard 4294967295: this cluster has 10, numbered from 0"},
          {"move to 0", MakeMove(ShardId(1), GroupId(0)), proto::INVALID_ARGUMENT,
           "gid 0 names no group: gids count from 1"},
          {"move to unknown", MakeMove(ShardId(1), GroupId(9)), proto::NOT_FOUND,
           "group 9 is not in the cluster: ask for the newest configuration"},
          {"unpin out of range", MakeUnpin(ShardId(10)), proto::NOT_FOUND,
           "there is no shard 10: this cluster has 10, numbered from 0"},
          {"unpin", MakeUnpin(ShardId(3)), proto::NOT_FOUND,
           "shard 3 is not pinned: there is nothing to take away"},
          {"put", kv::MakePut("k", "v"), proto::INVALID_ARGUMENT,
           "the command names no operation of the controller: set register_session, "
           "close_session, join, leave, move or unpin"},
          {"prune in a session", MakePruneHistory(ConfigurationNum(1)), proto::INVALID_ARGUMENT,
           "prune_history has no place in a session: leave session, sequence and "
           "first_outstanding out"},
      });
  EXPECT_EQ(replica.Get().num, ConfigurationNum(1));
}

TEST(Refusals, OutsideOfSessions) {
  Replica replica(Small());
  const proto::Result prune = replica.Apply(MakePruneHistory(ConfigurationNum()));
  EXPECT_EQ(prune.code(), proto::INVALID_ARGUMENT);
  EXPECT_EQ(prune.message(),
            "prune_history names no configuration: give the oldest one that is still needed");
  EXPECT_EQ(replica.Apply(JoinOf({1})).message(),
            "the command has no session: register one and give its number");
  EXPECT_EQ(replica.Apply(kv::InSession(JoinOf({1}), SessionId(9), 5, 1)).code(),
            proto::INVALID_ARGUMENT)
      << "past the window";
  EXPECT_EQ(replica.Apply(kv::InSession(JoinOf({1}), SessionId(9), 1, 1)).code(),
            proto::SESSION_UNKNOWN);
  EXPECT_EQ(replica.Apply(kv::MakeCloseSession(SessionId(9))).code(), proto::SESSION_UNKNOWN);
  EXPECT_TRUE(replica.dump().empty());
}

TEST(Refusals, ClientsMayNotSpeakForTheController) {
  Replica replica(Small());
  const Bytes prune = kv::Encode(MakePruneHistory(ConfigurationNum(1)));
  EXPECT_EQ(kv::Replica::Parse(replica.ApplyBytes(prune)).code(), proto::INVALID_ARGUMENT);
  const Bytes join = kv::Encode(kv::MakeRegisterSession(1));
  const proto::Result internal = kv::Replica::Parse(replica.ApplyBytes(join, EntryKind::kInternal));
  EXPECT_EQ(internal.code(), proto::INVALID_ARGUMENT);
  EXPECT_TRUE(replica.dump().empty());
}

TEST(Refusals, Queries) {
  Replica replica(Small());
  const proto::Result get = replica.Query(kv::MakeGet("k"));
  EXPECT_EQ(get.code(), proto::INVALID_ARGUMENT);
  EXPECT_EQ(get.message(), "the query names no operation of the controller: set get_configuration");
  const proto::Result early = replica.Query(MakeGetConfiguration(ConfigurationNum(1)));
  EXPECT_EQ(early.code(), proto::NOT_FOUND);
  EXPECT_EQ(early.message(), "configuration 1 does not exist yet: the newest is 0");
  const proto::Result first = replica.Query(MakeGetConfiguration());
  EXPECT_EQ(first.code(), proto::OK);
  EXPECT_TRUE(first.has_configuration());
  EXPECT_EQ(first.configuration_num(), 0u);
}

}  // namespace
}  // namespace lockstep::controller
