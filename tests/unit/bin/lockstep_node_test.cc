// node add, remove, replace, list.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "net/client/failure.h"
#include "tests/unit/bin/memory_api.h"

namespace lockstep::bin {
namespace {

v1::GroupChange Change(uint64_t group, v1::GroupChange::Outcome outcome, uint64_t id = 0) {
  v1::GroupChange change;
  change.set_group(group);
  change.set_outcome(outcome);
  change.set_membership_id(id);
  return change;
}

// Node 1 leads group 101 and the controller, of itself and node 2; node 4 is known.
v1::StatusResponse SomeStatus() {
  v1::StatusResponse status;
  for (const uint64_t id : {1u, 2u, 4u}) {
    v1::NodeStatus& node = *status.add_nodes();
    node.set_node(id);
    node.set_online(id != 2);
    node.set_peer_address("h" + std::to_string(id) + ":7400");
    node.set_incarnation(10 + id);
    if (id == 2) node.set_error("no answer in time");
  }
  for (const uint64_t group : {0u, 101u}) {
    v1::ReplicaStatus& replica = *status.mutable_nodes(0)->add_replicas();
    replica.set_group(group);
    replica.set_role(v1::LEADER);
    replica.set_leader(1);
    replica.set_term(3);
    replica.set_commit(90);
    replica.set_membership_id(5);
    replica.set_membership_committed(true);
    for (const uint64_t id : {1u, 2u}) {
      v1::GroupMemberStatus& member = *replica.add_group_members();
      member.set_node(id);
      member.set_voter(true);
      member.set_caught_up(id == 1);
      member.set_match(id == 1 ? 90 : 80);
    }
  }
  return status;
}

// The same with node 4 in group 101, so far as this.
v1::StatusResponse Joining(v1::ChangePhase phase, uint64_t id, uint64_t match) {
  v1::StatusResponse status = SomeStatus();
  v1::ReplicaStatus& replica = *status.mutable_nodes(0)->mutable_replicas(1);
  replica.set_membership_id(id);
  replica.set_change_phase(phase);
  v1::GroupMemberStatus& member = *replica.add_group_members();
  member.set_node(4);
  member.set_voter(phase != v1::CATCHING_UP);
  member.set_joins(phase != v1::SETTLED);
  member.set_match(match);
  return status;
}

TEST(NodeCommandsTest, AskForWhatTheyWereTold) {
  struct Row {
    std::vector<std::string> arguments;
    std::string call;
  };
  const Row rows[] = {
      {{"node", "add", "4"}, "add 4@ to []"},
      {{"node", "add", "4", "--address", "h4:7400", "--group", "101", "--group", "controller"},
       "add 4@h4:7400 to [101 0]"},
      {{"node", "add", "4", "-g", "0,101", "--learner"}, "add learner 4@ to [0 101]"},
      {{"node", "remove", "2"}, "remove 2 from []"},
      {{"node", "remove", "2", "--group", "101"}, "remove 2 from [101]"},
      {{"node", "replace", "2", "4", "--group", "101"}, "replace 2 by 4@ in [101]"},
  };
  for (const Row& row : rows) {
    MemoryCluster cluster;
    cluster.changes = {Change(101, v1::GroupChange::BEGUN, 7)};
    std::vector<std::string> arguments = row.arguments;
    arguments.push_back("--no-wait");
    const Ran ran = RunLockstep(cluster, arguments);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "GROUP  OUTCOME  CONFIG  WHY\n  101  begun         7\n");
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(cluster.calls, std::vector<std::string>{row.call});
  }
}

TEST(NodeCommandsTest, WaitsUntilTheGroupHasSettled) {
  MemoryCluster cluster;
  cluster.changes = {Change(0, v1::GroupChange::UNCHANGED, 5),
                     Change(101, v1::GroupChange::BEGUN, 7)};
  cluster.changes[0].set_message("it is a voter already");
  // The controller has node 4 from the beginning here.
  const auto with_controller = [](v1::StatusResponse status) {
    v1::GroupMemberStatus& member =
        *status.mutable_nodes(0)->mutable_replicas(0)->add_group_members();
    member.set_node(4);
    member.set_voter(true);
    return status;
  };
  cluster.next_status = {
      with_controller(SomeStatus()), with_controller(Joining(v1::CATCHING_UP, 7, 12)),
      with_controller(Joining(v1::CATCHING_UP, 7, 90)), with_controller(Joining(v1::JOINT, 9, 90))};
  cluster.status = with_controller(Joining(v1::SETTLED, 11, 90));
  const Ran ran = RunLockstep(cluster, {"node", "add", "4"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.out,
            "GROUP       OUTCOME    CONFIG  WHY\n"
            "controller  unchanged       5  it is a voter already\n"
            "101         done           11\n");
  EXPECT_EQ(ran.err,
            "lockstep: controller: settled: members 1, 2, 4\n"
            "lockstep: group 101: no leader answers\n"
            "lockstep: group 101: catching up: node 4 has 12 of 90\n"
            "lockstep: group 101: catching up: node 4 has 90 of 90\n"
            "lockstep: group 101: joint: node 4 joins\n"
            "lockstep: group 101: settled: members 1, 2, 4\n");
}

TEST(NodeCommandsTest, SaysHowToGoOnWhenNothingMoves) {
  MemoryCluster cluster;
  cluster.changes = {Change(101, v1::GroupChange::BEGUN, 7)};
  cluster.status = Joining(v1::CATCHING_UP, 7, 12);
  const Ran ran = RunLockstep(cluster, {"node", "add", "4", "-f", "json", "--timeout", "50ms"});
  EXPECT_EQ(ran.exit_code, 4);
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["groups"][0]["outcome"], "waiting");
  EXPECT_TRUE(absl::StrContains(ran.err, "node remove 4 --group 101")) << ran.err;
  EXPECT_TRUE(absl::StrContains(ran.err, "lockstep node list")) << ran.err;
}

TEST(NodeCommandsTest, TellsWhenSomebodyElseHasCalledItOff) {
  MemoryCluster cluster;
  cluster.changes = {Change(101, v1::GroupChange::BEGUN, 5)};
  cluster.status = SomeStatus();
  const Ran added = RunLockstep(cluster, {"node", "add", "4", "-f", "plain"});
  EXPECT_EQ(added.exit_code, 2);
  EXPECT_TRUE(absl::StartsWith(added.out, "101\tsuperseded\t5\t")) << added.out;
  const Ran removed = RunLockstep(cluster, {"node", "remove", "2"});
  EXPECT_EQ(removed.exit_code, 2) << "it is still there";
  EXPECT_EQ(RunLockstep(cluster, {"node", "remove", "4"}).exit_code, 0);
}

TEST(NodeCommandsTest, EveryGroupHasItsOwnEnd) {
  MemoryCluster cluster;
  cluster.changes = {Change(0, v1::GroupChange::REFUSED, 5),
                     Change(101, v1::GroupChange::BEGUN, 7)};
  cluster.changes[0].set_reason(v1::GroupChange::NO_LEADER);
  cluster.changes[0].set_message("try again");
  const Ran ran = RunLockstep(cluster, {"node", "add", "4", "--no-wait", "-f", "json"});
  EXPECT_EQ(ran.exit_code, 3) << "certainly not begun";
  const auto json = nlohmann::json::parse(ran.out);
  EXPECT_EQ(json["groups"][0]["outcome"], "refused");
  EXPECT_EQ(json["groups"][0]["reason"], "NO_LEADER");
  EXPECT_EQ(json["groups"][0]["message"], "try again");
  EXPECT_EQ(json["groups"][1]["outcome"], "begun");
  cluster.changes[0].set_reason(v1::GroupChange::CHANGE_PENDING);
  EXPECT_EQ(RunLockstep(cluster, {"node", "add", "4", "--no-wait"}).exit_code, 2);
  cluster.changes[1].set_outcome(v1::GroupChange::UNKNOWN);
  EXPECT_EQ(RunLockstep(cluster, {"node", "add", "4", "--no-wait"}).exit_code, 4);
  cluster.changes.clear();
  EXPECT_EQ(RunLockstep(cluster, {"node", "remove", "9"}).out,
            "nothing to change: no group has node 9\n");

  cluster.failures = {client::FailureStatus(absl::StatusCode::kFailedPrecondition,
                                            client::Effect::kNone, "FAILED_PRECONDITION",
                                            "group 101: another change is under way")};
  const Ran refused = RunLockstep(cluster, {"node", "remove", "2"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_EQ(refused.err,
            "lockstep: node remove: group 101: another change is under way [FAILED_PRECONDITION: "
            "not executed]\n");
}

TEST(NodeCommandsTest, ListsNodesAndMembers) {
  MemoryCluster cluster;
  cluster.status = Joining(v1::CATCHING_UP, 7, 12);
  cluster.status.mutable_nodes(0)->mutable_replicas(0)->set_role(v1::FOLLOWER);
  EXPECT_EQ(RunLockstep(cluster, {"node", "list"}).out,
            "NODE  STATE    PEER     GRPC  HTTP  INCARNATION  WHY\n"
            "   1  Online   h1:7400     -     -           11\n"
            "   2  Offline  h2:7400     -     -           12  no answer in time\n"
            "   4  Online   h4:7400     -     -           14\n"
            "\n"
            "GROUP       CONFIG  PHASE              NODE  STANDING  CAUGHT UP  MATCH  COMMIT\n"
            "controller       -  no leader answers     -  -         -              -       -\n"
            "101              7  catching up           1  voter     leads         90      90\n"
            "101              7  catching up           2  voter     no            80      90\n"
            "101              7  catching up           4  joins     no            12      90\n");
  const std::string plain = RunLockstep(cluster, {"node", "list", "-f", "plain"}).out;
  EXPECT_TRUE(absl::StrContains(plain, "node\t1\tOnline\th1:7400\t-\t-\t11\t\n")) << plain;
  EXPECT_TRUE(absl::StrContains(plain, "member\t101\t7\tcatching up\t4\tjoins\tno\t12\t90\n"));
  const auto json = nlohmann::json::parse(RunLockstep(cluster, {"node", "list", "-f", "json"}).out);
  EXPECT_EQ(json["nodes"][1]["error"], "no answer in time");
  EXPECT_TRUE(json["groups"][0]["leader"].is_null());
  EXPECT_EQ(json["groups"][1]["phase"], "CATCHING_UP");
  EXPECT_EQ(json["groups"][1]["members"][2]["standing"], "joins");
  EXPECT_EQ(json["groups"][1]["members"][2]["match"], 12);
}

TEST(NodeCommandsTest, RefusesInOneLine) {
  struct Row {
    std::vector<std::string> arguments;
    std::string want;
  };
  for (const Row& row :
       {Row{{"node"}, "subcommand"}, Row{{"node", "add"}, "ARGUMENTS"},
        Row{{"node", "add", "0"}, "NODE: 0 is out of range"},
        Row{{"node", "add", "x"}, "NODE: \"x\" is not a number"},
        Row{{"node", "add", "4", "--address", "h4"}, "--address: \"h4\" is no address"},
        Row{{"node", "add", "4", "--group", "all"}, "--group: \"all\" is not a number"},
        Row{{"node", "replace", "4"}, "ARGUMENTS"},
        Row{{"node", "replace", "4", "4"}, "cannot be replaced by itself"},
        Row{{"node", "remove", "4", "--learner"}, "--learner"}}) {
    MemoryCluster cluster;
    const Ran ran = RunLockstep(cluster, row.arguments);
    EXPECT_EQ(ran.exit_code, 1) << row.want;
    EXPECT_EQ(ran.out, "");
    EXPECT_TRUE(absl::StrContains(ran.err, row.want)) << ran.err << row.want;
    EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1) << ran.err;
    EXPECT_TRUE(cluster.calls.empty());
  }
}

TEST(NodeCommandsTest, HelpAndCompletionNameThem) {
  MemoryCluster cluster;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = RunLockstep(cluster, {"completion", shell}).out;
    for (const char* word : {"node", "replace", "no-wait", "learner", "address"}) {
      EXPECT_TRUE(absl::StrContains(script, word)) << shell << " " << word;
    }
  }
  const std::string help = RunLockstep(cluster, {"node", "add", "--help"}).out;
  EXPECT_TRUE(absl::StrContains(help, "--no-wait")) << help;
  EXPECT_TRUE(absl::StrContains(help, "4 not settled yet")) << help;
}

}  // namespace
}  // namespace lockstep::bin
