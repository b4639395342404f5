#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "bin/lockstep_playground_plan.h"
#include "bin/lockstep_status_text.h"
#include "net/client/failure.h"
#include "tests/unit/bin/memory_api.h"

namespace lockstep::bin {
namespace {

v1::ReplicaStatus Replica(uint64_t group, v1::Role role, uint64_t applied) {
  v1::ReplicaStatus replica;
  replica.set_group(group);
  replica.set_role(role);
  replica.set_term(4);
  replica.set_commit(applied + 1);
  replica.set_applied(applied);
  replica.set_log_bytes(2'048);
  for (uint64_t node : {1u, 2u}) replica.add_members(node);
  replica.set_quorum_contact_age_ms(12);
  return replica;
}

// Two nodes, of which one is away; a shard on its way, one that nobody owns, one pinned.
v1::StatusResponse SomeStatus() {
  v1::StatusResponse status;
  status.set_cluster("shop");
  status.set_configuration_num(3);
  status.set_answered_by(1);
  v1::Configuration& configuration = *status.mutable_configuration();
  configuration.set_num(3);
  for (uint64_t owner : {101u, 101u, 0u}) configuration.add_owners(owner);
  configuration.add_pinned(1);
  v1::Group& group = *configuration.add_groups();
  group.set_gid(101);
  group.set_joined(1);
  group.add_members()->set_node(1);
  v1::Member& member = *group.add_members();
  member.set_node(2);
  member.set_address("h2:7400");

  v1::NodeStatus& up = *status.add_nodes();
  up.set_node(1);
  up.set_online(true);
  up.set_peer_address("h1:7400");
  up.set_grpc_address("h1:7401");
  up.set_http_address("h1:7402");
  up.set_version("0.1.0");
  up.set_uptime_ms(61'000);
  up.set_storage_bytes(5 << 20);
  up.set_disk_free_bytes(uint64_t{3} << 30);
  *up.add_replicas() = Replica(0, v1::LEADER, 9);
  v1::ReplicaStatus& replica = *up.add_replicas() = Replica(101, v1::FOLLOWER, 20);
  replica.set_configuration_num(3);
  v1::ShardStatus& serving = *replica.add_shards();
  serving.set_shard(0);
  serving.set_state("SERVING");
  serving.set_keys(7);
  serving.set_bytes(700);
  serving.set_since(2);
  v1::ShardStatus& leaving = *replica.add_shards();
  leaving.set_shard(2);
  leaving.set_state("FROZEN");

  v1::NodeStatus& down = *status.add_nodes();
  down.set_node(2);
  down.set_peer_address("h2:7400");
  down.set_error("connection refused");
  return status;
}

TEST(StatusTextTest, ForPeople) {
  EXPECT_EQ(
      StatusText(SomeStatus(), /*shards=*/true, /*plain=*/false),
      "Cluster shop: configuration 3, answered by node 1\n"
      "\n"
      "NODE  STATE    PEER     GRPC     HTTP     VERSION  UPTIME  STORAGE     FREE  WHY\n"
      "   1  Online   h1:7400  h1:7401  h1:7402  0.1.0     1 min  5.0 MiB  3.0 GiB\n"
      "   2  Offline  h2:7400  -        -        -             -        -        -  "
      "connection refused\n"
      "\n"
      "GROUP       NODE  ROLE      TERM  COMMIT  APPLIED      LOG  STORAGE  CONFIG  QUORUM "
      "SEEN\n"
      "controller     1  Leader       4      10        9  2.0 KiB  5.0 MiB       -        12 "
      "ms\n"
      "controller     2  Offline      -       -        -        -        -       -            "
      "-\n"
      "101            1  Follower     4      21       20  2.0 KiB  5.0 MiB       3        12 "
      "ms\n"
      "101            2  Offline      -       -        -        -        -       -            "
      "-\n"
      "\n"
      "SHARD  OWNER   STATE    KEYS  BYTES  SINCE  PINNED  ELSEWHERE\n"
      "    0  101     SERVING     7  700 B      2\n"
      "    1  101     unknown     -      -      -  pinned\n"
      "    2  nobody  -           -      -      -          101 FROZEN\n");
}

TEST(StatusTextTest, ForScripts) {
  EXPECT_EQ(StatusText(SomeStatus(), /*shards=*/true, /*plain=*/true),
            "node\t1\tOnline\th1:7400\th1:7401\th1:7402\t0.1.0\t61000\t5242880\t3221225472\t\n"
            "node\t2\tOffline\th2:7400\t-\t-\t-\t-\t-\t-\tconnection refused\n"
            "replica\tcontroller\t1\tLeader\t4\t10\t9\t2048\t5242880\t-\t12\n"
            "replica\tcontroller\t2\tOffline\t-\t-\t-\t-\t-\t-\t-\n"
            "replica\t101\t1\tFollower\t4\t21\t20\t2048\t5242880\t3\t12\n"
            "replica\t101\t2\tOffline\t-\t-\t-\t-\t-\t-\t-\n"
            "shard\t0\t101\tSERVING\t7\t700\t2\t\t\n"
            "shard\t1\t101\tunknown\t-\t-\t-\tpinned\t\n"
            "shard\t2\tnobody\t-\t-\t-\t-\t\t101 FROZEN\n");
}

TEST(StatusTextTest, AReplicaWithoutASayIsNoFollower) {
  v1::StatusResponse status = SomeStatus();
  status.mutable_nodes(0)->mutable_replicas(1)->set_repairing(true);
  const std::string text = StatusText(status, /*shards=*/false, /*plain=*/true);
  EXPECT_NE(text.find("replica\t101\t1\tRepairing\t4"), std::string::npos) << text;
}

TEST(ConfigurationTextTest, ForPeople) {
  EXPECT_EQ(ConfigurationText(SomeStatus().configuration(), /*plain=*/false),
            "Config #3\n"
            "\n"
            "GROUP   JOINED  COUNT  SHARDS  MEMBERS\n"
            "101          1      2  0-1     1,2@h2:7400\n"
            "nobody       -      1  2\n"
            "\n"
            "Pinned: 1\n");
}

TEST(ClusterCommandsTest, AskForWhatTheyWereTold) {
  struct Row {
    std::vector<std::string> arguments;
    std::string out;
    std::vector<std::string> calls;
  };
  const Row rows[] = {
      {{"cluster", "join", "101"}, "OK, configuration 7\n", {"join 101"}},
      {{"cluster", "join", "101=1@a:1,2@b:2", "102"},
       "OK, configuration 7\n",
       {"join 101 1@a:1 2@b:2", "join 102"}},
      {{"cluster", "join", "101=1,2"}, "OK, configuration 7\n", {"join 101 1@h1:7400 2@h2:7400"}},
      {{"cluster", "leave", "101", "102"}, "OK, configuration 8\n", {"leave 101 102"}},
      {{"cluster", "leave", "101", "--force"}, "OK, configuration 8\n", {"force leave 101"}},
      {{"cluster", "move", "3", "101"}, "OK, configuration 9\n", {"move 3 101"}},
      {{"cluster", "unpin", "3", "-f", "json"}, "{\"configuration\":\"10\"}\n", {"unpin 3"}},
      {{"leader", "transfer", "controller"},
       "OK, the leader has begun to hand over\n",
       {"transfer 0 0"}},
      {{"leader", "transfer", "101", "3"},
       "OK, the leader has begun to hand over\n",
       {"transfer 101 3"}},
      {{"cluster", "query", "2", "-f", "plain"}, "", {"query 2"}},
  };
  for (const Row& row : rows) {
    MemoryCluster cluster;
    cluster.status = SomeStatus();
    const Ran ran = RunLockstep(cluster, row.arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, row.out);
    EXPECT_EQ(cluster.calls, row.calls);
  }
}

TEST(ClusterCommandsTest, WhatTheStateForbidsIsAConflict) {
  MemoryCluster cluster;
  cluster.failures = {client::FailureStatus(absl::StatusCode::kFailedPrecondition,
                                            client::Effect::kNone, "FAILED_PRECONDITION",
                                            "it is the last group")};
  const Ran ran = RunLockstep(cluster, {"cluster", "leave", "101"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.err,
            "lockstep: cluster leave: it is the last group [FAILED_PRECONDITION: not executed]\n");
}

TEST(ClusterCommandsTest, AnUnknownMemberIsNotJoined) {
  MemoryCluster cluster;
  const Ran ran = RunLockstep(cluster, {"cluster", "join", "101=5"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(ran.err, "nobody knows the address of node 5")) << ran.err;
  EXPECT_TRUE(cluster.calls.empty());
}

TEST(HealthCommandTest, TellsOfEachServer) {
  MemoryCluster cluster;
  cluster.health = {{"b:2", absl::UnavailableError("starting")}};
  const Ran ran = RunLockstep(cluster, {"health", "-s", "a:1,b:2", "-f", "plain"});
  EXPECT_EQ(ran.exit_code, 7);
  EXPECT_TRUE(absl::StrContains(ran.out, "a:1\tserving\t")) << ran.out;
  EXPECT_TRUE(absl::StrContains(ran.out, "b:2\tNOT SERVING\t")) << ran.out;
  EXPECT_EQ(RunLockstep(cluster, {"health", "-s", "a:1"}).exit_code, 0);
}

TEST(MetricsCommandTest, AsksTheHttpPortsThatTheClusterNames) {
  MemoryCluster cluster;
  cluster.status = SomeStatus();
  EXPECT_EQ(RunLockstep(cluster, {"metrics"}).out, "lockstep_up{server=\"h1:7402\"} 1\n");
  EXPECT_EQ(RunLockstep(cluster, {"metrics", "-s", "http://x:1,http://y:2"}).out,
            "# --- x:1\nlockstep_up{server=\"x:1\"} 1\n# --- y:2\nlockstep_up{server=\"y:2\"} 1\n");
}

TEST(CommandLineTest, RefusesInOneLine) {
  struct Row {
    std::vector<std::string> arguments;
    std::string want;
  };
  const Row rows[] = {
      {{}, "say what to do"},
      {{"fetch"}, "fetch"},
      {{"put", "a"}, "ARGUMENTS"},
      {{"get"}, "ARGUMENTS"},
      {{"get", "a", "-s", "host"}, "--server: \"host\" is no address: write HOST:PORT"},
      {{"get", "a", "--protocol", "udp"}, "--protocol: \"udp\" is none of grpc, http"},
      {{"get", "a", "-s", "http://h:1", "--protocol", "grpc"}, "http:// does not go with"},
      {{"get", "a", "-f", "xml"}, "--format: \"xml\" is none of table, json, plain"},
      {{"get", "a", "-t", "5"}, "--timeout: \"5\" is not a time such as 500ms"},
      {{"get", "a", "--consistency", "eventual"}, "--consistency: \"eventual\" is none of"},
      {{"get", "a", "--hex", "--base64"}, "--hex"},
      {{"get", "a", "b", "-o", "f"}, "--output: takes the value of one key"},
      {{"put", "a", "b", "--in", "octal"}, "--in: \"octal\" is none of plain, base64, hex"},
      {{"cluster", "move", "x", "101"}, "SHARD: \"x\" is not a number"},
      {{"cluster", "move", "3", "0"}, "GID: 0 is out of range"},
      {{"cluster", "join", "101=1@h"}, "join: \"h\" is no address"},
      {{"cluster", "join", "101=1,,2"}, "has nothing between commas"},
      {{"cluster"}, "subcommand"},
      {{"leader", "transfer"}, "ARGUMENTS"},
      {{"bench", "--mix", "put=0"}, "--mix: \"put=0\" does nothing"},
      {{"bench", "--mix", "scan"}, "--mix: \"scan\" is none of put, get"},
      {{"bench", "--value-bytes", "1T"}, "--value-bytes: \"T\" is none of k, M, G"},
      {{"bench", "--keys", "0"}, "--keys: 0 is out of range"},
      {{"bench", "--rate", "0.001"}, "--rate: 0.001 is out of range: 0.01 to 10000000"},
      {{"bench", "--rate", "1e3"}, "--rate: \"1e3\" is not a number"},
      {{"bench", "--rate", "1.2.3"}, "--rate: \"1.2.3\" is not a number"},
      {{"bench", "--distribution", "normal"}, "--distribution: \"normal\" is none of"},
      {{"import", "--resume"}, "--resume: needs a FILE"},
      {{"import", "f", "--outstanding", "0"}, "--outstanding: 0 is out of range"},
      {{"export", "--lines", "csv"}, "--lines: \"csv\" is none of jsonl, tsv"},
      {{"playground", "--port", "http"}, "--port: \"http\" is not a number"},
      {{"completion", "tcsh"}, "SHELL: \"tcsh\" is none of bash, zsh, fish"},
  };
  for (const Row& row : rows) {
    MemoryCluster cluster;
    const Ran ran = RunLockstep(cluster, row.arguments);
    EXPECT_EQ(ran.exit_code, 1) << row.want;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(absl::StartsWith(ran.err, "lockstep: ")) << ran.err;
    EXPECT_TRUE(absl::StrContains(ran.err, row.want)) << ran.err << row.want;
    EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1) << ran.err;
  }
}

TEST(CommandLineTest, VariablesStandForOptions) {
  MemoryCluster cluster;
  cluster.table = {{"a", "b"}};
  const ScopedVariable format("LOCKSTEP_FORMAT", "json");
  EXPECT_TRUE(absl::StartsWith(RunLockstep(cluster, {"get", "a"}).out, "{\"key\":\"a\""));
  EXPECT_EQ(RunLockstep(cluster, {"get", "a", "--format", "table"}).out, "b\n");
  const ScopedVariable server("LOCKSTEP_SERVER", "nonsense");
  EXPECT_EQ(RunLockstep(cluster, {"get", "a"}).exit_code, 1);
}

TEST(CommandLineTest, HelpNamesEveryExitCodeAndCompletionEveryCommand) {
  MemoryCluster cluster;
  const std::string help = RunLockstep(cluster, {"--help"}).out;
  for (const char* code : {"0 done", "1 bad usage", "2 no such key", "3 certainly not executed",
                           "4 executed or not", "5 no", "6 a local file", "7 not healthy"}) {
    EXPECT_TRUE(absl::StrContains(help, code)) << code;
  }
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = RunLockstep(cluster, {"completion", shell});
    EXPECT_EQ(ran.exit_code, 0);
    for (const char* word : {"put", "cluster", "join", "transfer", "playground", "outstanding"}) {
      EXPECT_TRUE(absl::StrContains(ran.out, word)) << shell << " " << word;
    }
  }
}

TEST(PlaygroundPlanTest, ThreeNodesHoldAllOrNineHoldOneThingEach) {
  std::vector<uint16_t> ports(PortsNeeded(false));
  for (size_t i = 0; i < ports.size(); ++i) ports[i] = static_cast<uint16_t>(100 + i);
  PlaygroundPlan plan = MakePlan(
      {.directory = "d", .lockstepd = "./lockstepd", .split = false, .extras = {"--shards", "10"}},
      ports);
  ASSERT_EQ(plan.nodes.size(), 3u);
  EXPECT_EQ(plan.groups, (std::vector<uint64_t>{101, 102}));
  EXPECT_EQ(plan.nodes[1].holds, "controller, 101, 102");
  EXPECT_EQ(CommandOf(plan.nodes[1].start),
            "./lockstepd --data-dir d/node2 --node-id 2 --listen-peer 127.0.0.1:103 --listen-grpc "
            "127.0.0.1:104 --listen-http 127.0.0.1:105 --peers "
            "1=127.0.0.1:100,2=127.0.0.1:103,3=127.0.0.1:106 --controller 1,2,3 --group 101=1,2,3 "
            "--group 102=1,2,3 --shards 10");

  plan = MakePlan({.directory = "d", .lockstepd = "l", .split = true, .extras = {}},
                  std::vector<uint16_t>(PortsNeeded(true), 1));
  ASSERT_EQ(plan.nodes.size(), 9u);
  EXPECT_EQ(plan.nodes[0].holds, "controller");
  EXPECT_EQ(plan.nodes[8].holds, "102");
}

}  // namespace
}  // namespace lockstep::bin
