// What the labs do not ask of a controller: each is a defect that a system before us has.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/controller/admin.h"
#include "sim/testing/seeds.h"
#include "tests/scenario/support/expect.h"
#include "tests/scenario/support/sharded_cluster.h"

namespace lockstep::scenario {
namespace {

using controller::Configuration;
using controller::Group;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Kind = client::Outcome::Kind;

ShardedOptions ControllerAlone(uint64_t seed = 1, uint16_t administrators = 1) {
  return {
      .controllers = 3, .groups = 0, .clients = 0, .administrators = administrators, .seed = seed};
}

Group Named(uint64_t gid) {
  return {.gid = GroupId(gid), .members = {{.node = NodeId(gid), .address = "somewhere"}}};
}

// A restart makes no configuration and loses none, however often each replica restarts: all of them
// go on counting from the same number (a controller that replays its log over its table does not).
TEST(ControllerBeyondLabs, RestartsChangeNothing) {
  testing::ForEachSeed({.seeds = 10}, [](uint64_t seed) {
    ShardedOptions options = ControllerAlone(seed);
    options.log_entries_max = seed % 2 == 0 ? 4 : 100'000;
    ShardedCluster cluster(options);
    std::vector<Configuration> known;
    for (uint64_t gid = 1; gid <= 6; ++gid) {
      EXPECT_EQ(cluster.administrator().Join({Named(gid)}), proto::OK);
      EXPECT_EQ(cluster.newest_num(), gid);
      known.push_back(cluster.Query());
      for (const NodeId server : cluster.Servers()) {
        const uint64_t restarts = cluster.rng().Below(4);
        for (uint64_t i = 0; i < restarts; ++i) {
          const bool machine_dies = cluster.rng().Chance({1, 2});
          machine_dies ? cluster.Crash(server) : cluster.Kill(server);
          cluster.Restart(server);
        }
      }
      cluster.CrashAll();
      cluster.RestartAll();
      EXPECT_EQ(cluster.Query(), known.back());
      for (uint64_t num = 1; num <= gid; ++num) EXPECT_EQ(cluster.Query(num), known[num - 1]);
      EXPECT_EQ(cluster.administrator().Query(gid + 1), std::nullopt);
    }
  });
}

// What makes no sense is refused, changes nothing, and cannot kill a replica: neither when it is
// applied nor when the log is read again. ("move 10 100" was the end of another controller.)
TEST(ControllerBeyondLabs, NonsenseIsRefusedAndDoesNotPoisonTheLog) {
  ShardedCluster cluster(ControllerAlone());
  Administrator& administrator = cluster.administrator();
  const Group good = Named(1);
  Group twice = Named(5);
  twice.members.push_back(twice.members.front());
  Group nowhere = Named(5);
  nowhere.members.clear();
  struct Row {
    const char* name;
    proto::Command command;
    std::vector<proto::Code> codes;
  };
  using proto::ALREADY_EXISTS, proto::FAILED_PRECONDITION, proto::INVALID_ARGUMENT,
      proto::NOT_FOUND;
  // Before there is any group.
  const std::vector<Row> on_nothing = {
      {"move without groups",
       controller::MakeMove(ShardId(0), GroupId(1)),
       {NOT_FOUND, FAILED_PRECONDITION}},
      {"leave without groups", controller::MakeLeave({GroupId(1)}, /*force=*/true), {NOT_FOUND}},
      {"far too many shards",
       controller::MakeJoin({good}, controller::kShardsMax + 1),
       {INVALID_ARGUMENT, proto::TOO_LARGE}},
  };
  const std::vector<Row> rows = {
      {"move of a shard that is none",
       controller::MakeMove(ShardId(10), GroupId(1)),
       {NOT_FOUND, INVALID_ARGUMENT}},
      {"move of a shard far out",
       controller::MakeMove(ShardId(0xffffffff), GroupId(1)),
       {NOT_FOUND, INVALID_ARGUMENT}},
      {"move to nobody", controller::MakeMove(ShardId(3), GroupId(100)), {NOT_FOUND}},
      {"move to group 0", controller::MakeMove(ShardId(3), GroupId(0)), {INVALID_ARGUMENT}},
      {"unpin of a shard that is none",
       controller::MakeUnpin(ShardId(10)),
       {NOT_FOUND, INVALID_ARGUMENT}},
      {"join of what is there", controller::MakeJoin({good}, 10), {ALREADY_EXISTS}},
      {"join of half of what is there",
       controller::MakeJoin({good, Named(2)}, 10),
       {ALREADY_EXISTS}},
      {"join of nobody", controller::MakeJoin({}, 10), {INVALID_ARGUMENT}},
      {"join of group 0", controller::MakeJoin({Named(0)}, 10), {INVALID_ARGUMENT}},
      {"join of one twice", controller::MakeJoin({Named(5), Named(5)}, 10), {INVALID_ARGUMENT}},
      {"join without servers", controller::MakeJoin({nowhere}, 10), {INVALID_ARGUMENT}},
      {"join with a server twice", controller::MakeJoin({twice}, 10), {INVALID_ARGUMENT}},
      {"leave of nobody", controller::MakeLeave({}), {INVALID_ARGUMENT}},
      {"leave of a stranger",
       controller::MakeLeave({GroupId(1), GroupId(77)}, /*force=*/true),
       {NOT_FOUND}},
      {"leave of the last", controller::MakeLeave({GroupId(1)}), {FAILED_PRECONDITION}},
  };
  const auto refuse = [&](const Row& row, uint64_t num) {
    const Pending pending = administrator.CommandSoon(row.command, row.name);
    ASSERT_TRUE(cluster.RunUntil([&] { return pending.done(); }, seconds(20))) << row.name;
    const proto::Code code = pending.outcome().result.code();
    EXPECT_NE(std::find(row.codes.begin(), row.codes.end(), code), row.codes.end())
        << row.name << ": " << proto::Code_Name(code) << ", " << pending.outcome().status;
    EXPECT_EQ(cluster.newest_num(), num) << row.name;
    for (const NodeId server : cluster.Servers()) EXPECT_TRUE(cluster.IsUp(server)) << row.name;
  };
  for (const Row& row : on_nothing) refuse(row, 0);
  EXPECT_EQ(administrator.Join({good}), proto::OK);
  const Configuration before = cluster.Query();
  for (const Row& row : rows) refuse(row, 1);
  cluster.CrashAll();
  cluster.RestartAll();
  EXPECT_EQ(cluster.Query(), before);
  EXPECT_EQ(administrator.Join({Named(2)}), proto::OK);
  EXPECT_EQ(cluster.Query().num.value(), 2u);
}

// A leader that has lost the others takes the change into its log; that is no success. It is told
// as unknown, and here nothing becomes of it. A query without an answer is none.
TEST(ControllerBeyondLabs, ATimeOutIsNoSuccess) {
  ShardedCluster cluster(ControllerAlone(/*seed=*/1, /*administrators=*/2));
  EXPECT_EQ(cluster.administrator().Join({Named(1)}), proto::OK);
  const NodeId old_leader = cluster.ExpectLeaderOf(kControllerGroup);
  cluster.LetReach(0, {old_leader});
  cluster.Disconnect(old_leader);
  const Index before = cluster.ReplicaOn(old_leader, kControllerGroup).last;
  const Pending join = cluster.administrator().JoinSoon({Named(2)}, seconds(5));
  const Pending query = cluster.administrator().QuerySoon(0, seconds(5));
  ASSERT_TRUE(cluster.RunUntil([&] { return join.done() && query.done(); }, seconds(6)));
  EXPECT_GT(cluster.ReplicaOn(old_leader, kControllerGroup).last, before) << "it was not taken";
  EXPECT_EQ(join.outcome().kind, Kind::kUnknown) << join.outcome().status;
  EXPECT_EQ(query.outcome().kind, Kind::kNotExecuted) << query.outcome().status;
  EXPECT_FALSE(query.outcome().result.has_configuration());

  // The others go on without it.
  EXPECT_EQ(cluster.administrator(1).Join({Named(3)}), proto::OK);
  cluster.EndCuts();
  const Configuration newest = cluster.Query();
  EXPECT_EQ(newest.num.value(), 2u);
  EXPECT_EQ(newest.Find(GroupId(2)), nullptr);
  EXPECT_NE(newest.Find(GroupId(3)), nullptr);
}

// The change is made, and the answer does not come: unknown, not refused. Whoever asks learns of
// it, and making it again is refused.
TEST(ControllerBeyondLabs, AnAnswerThatIsLostIsNoFailure) {
  ShardedCluster cluster(ControllerAlone(/*seed=*/1, /*administrators=*/2));
  EXPECT_EQ(cluster.administrator().Join({Named(1)}), proto::OK);
  const NodeId leader = cluster.ExpectLeaderOf(kControllerGroup);
  const Index before = cluster.ReplicaOn(leader, kControllerGroup).last;
  const Pending join = cluster.administrator().JoinSoon({Named(2)}, seconds(5));
  EXPECT_TRUE(cluster.RunUntil(
      [&] { return cluster.ReplicaOn(leader, kControllerGroup).last > before; }, seconds(1)));
  cluster.LetReach(0, {});
  ASSERT_TRUE(cluster.RunUntil([&] { return join.done(); }, seconds(6)));
  EXPECT_EQ(join.outcome().kind, Kind::kUnknown) << join.outcome().status;
  EXPECT_EQ(cluster.administrator(1).Join({Named(2)}), proto::ALREADY_EXISTS);
  EXPECT_EQ(cluster.administrator(1).Query()->num.value(), 2u);
  cluster.LetReachAll(0);
}

// An administrator who retries, over a crash of the leader, makes the change once.
TEST(ControllerBeyondLabs, ARetriedChangeIsMadeOnce) {
  testing::ForEachSeed({.seeds = 20}, [](uint64_t seed) {
    ShardedOptions options = ControllerAlone(seed);
    options.weather = Weather::kUnreliable;
    ShardedCluster cluster(options);
    EXPECT_EQ(cluster.administrator().Join({Named(1), Named(2)}), proto::OK);
    for (uint64_t gid = 3; gid <= 6; ++gid) {
      const NodeId leader = cluster.ExpectLeaderOf(kControllerGroup);
      const Pending join = cluster.administrator().JoinSoon({Named(gid)});
      const Duration moment = cluster.rng().Between(Duration(0), Duration(milliseconds(60)));
      cluster.RunFor(moment);
      cluster.Crash(leader);
      ASSERT_TRUE(cluster.RunUntil([&] { return join.done(); }, kPatience + seconds(1)));
      EXPECT_EQ(join.outcome().result.code(), proto::OK) << join.outcome().status;
      EXPECT_EQ(cluster.newest_num(), gid - 1) << "once each, and the first of two";
      cluster.Restart(leader);
    }
  });
}

// Groups ask for configurations for ever, and that costs no log anything: not the controller's, not
// theirs.
TEST(ControllerBeyondLabs, AnIdleClusterDoesNotGrow) {
  ShardedCluster cluster({.groups = 3, .clients = 1});
  cluster.Join({k100, k101, k102});
  for (uint32_t shard = 0; shard < cluster.shards(); ++shard) {
    cluster.client().Put(cluster.KeyIn(shard), "v");
  }
  cluster.ExpectSettled();
  cluster.RunFor(seconds(10));
  Gids all = cluster.AllGroups();
  all.push_back(kControllerGroup);
  struct Size {
    uint64_t entries = 0;
    uint64_t log_bytes = 0;
    uint64_t table_bytes = 0;
    bool operator==(const Size&) const = default;
  };
  const auto sizes = [&] {
    std::map<std::pair<GroupId, NodeId>, Size> result;
    for (const GroupId gid : all) {
      for (const NodeId server : cluster.ServersOf(gid)) {
        result[{gid, server}] = {cluster.EntriesEverOf(server, gid),
                                 cluster.BytesOnDisk(server, Part::kLog),
                                 cluster.BytesOnDisk(server, Part::kTable)};
      }
    }
    return result;
  };
  const auto before = sizes();
  const Traffic said_before = cluster.traffic();
  cluster.RunFor(minutes(10));
  EXPECT_TRUE(sizes() == before) << "something was written";
  // A heartbeat is two messages to each of two followers; a question for a configuration is two.
  const uint64_t seconds_idle = 600;
  const uint64_t heartbeats = 4 * 10 * 2 * 2 * seconds_idle;
  const uint64_t polls = 3 * 5 * 2 * seconds_idle;
  const uint64_t said = (cluster.traffic() - said_before).messages;
  EXPECT_LE(said, heartbeats + polls + 100);
  EXPECT_GE(said, heartbeats / 2 + polls / 2) << "nobody lived";
}

}  // namespace
}  // namespace lockstep::scenario
